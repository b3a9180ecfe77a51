"""Send messages, each held back until it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.metering import load
from everstep.core.durations import LONGEST_DELAY, SECOND
from everstep.core.meter import meter
from everstep.core.model import Message, Outgoing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.app.engine import Engine
    from everstep.core.effects import Send


def send(engine: Engine, messages: Iterable[Message]) -> None:
    """Send every message so that it arrives when it is due, or earlier if that is far away.

    Raises:
        UnavailableError: At least one may not have been sent.
    """
    now = engine.clock.now()
    outgoing = [Outgoing(message=message, delay=_delay(message.due, now)) for message in messages]
    if not outgoing:
        return
    loaded, told = load(engine, outgoing)
    try:
        engine.queue.send(loaded)
    finally:
        # They may have arrived even if nobody has heard of it.
        meter().send(-told)


def message_for(engine: Engine, run_id: str, send: Send) -> Message:
    """Return a new message for an effect; every send draws a token of its own."""
    return Message(
        run_id=run_id,
        kind=send.kind,
        token=engine.ids.token(),
        op=send.op,
        attempt=send.attempt,
        due=send.due,
        take=send.take,
    )


def _delay(due: int, now: int) -> int:
    """Return whole seconds, rounded up, so that a message is not early."""
    return max(0, -(-min(due - now, LONGEST_DELAY) // SECOND))
