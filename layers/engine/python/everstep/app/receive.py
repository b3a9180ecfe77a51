"""Take a message from the queue as it comes: text that may be anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.advance import advance
from everstep.app.metering import processing
from everstep.app.outcomes import Done
from everstep.core import messages
from everstep.core.errors import MalformedMessageError
from everstep.core.model import MessageKind
from everstep.core.observations import MessageKept, StepDispatched

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.engine import Engine


def receive(  # noqa: PLR0913 - all that a queue tells
    engine: Engine,
    message_id: str,
    body: str,
    time_left: Callable[[], int] | None = None,
    *,
    receives: int = 1,
    sent_at: int | None = None,
    following: str = "",
    batch: int = 1,
) -> Done:
    """Process the body of a message; one that belongs to no run is kept, not retried.

    Args:
        engine: The ports.
        message_id: The queue's id of the message.
        body: The message as it was sent.
        time_left: Tells the milliseconds that the function may still run.
        receives: How often the message was delivered, this time included.
        sent_at: When it was sent, by the queue's clock, if that is known.
        following: The body of the message that this process gets next, if that is known.
        batch: How many messages the invocation brings.

    Raises:
        UnavailableError: A service did not answer; deliver the message again.
        OutOfTimeError: No time for an attempt; deliver the message again.
    """
    try:
        message = messages.decode(body)
    except MalformedMessageError as error:
        put_aside(engine, message_id, body, str(error))
        return Done.MALFORMED
    begun = engine.clock.now()
    with processing(engine, message, batch):
        done = advance(engine, message, time_left, receives=receives, following=following)
    if done is Done.UNKNOWN_RUN:
        put_aside(engine, message_id, body, f"there is no run {message.run_id}")
    # What came to nothing has made nobody wait.
    if sent_at is not None and message.kind is MessageKind.STEP and done is Done.ADVANCED:
        lag = max(0, begun - max(sent_at, message.due))
        engine.observe(StepDispatched(run_id=message.run_id, op=message.op, lag=lag))
    return done


def put_aside(engine: Engine, message_id: str, body: str, reason: str) -> None:
    """Keep a message that belongs to no run, so that nothing is lost.

    The engine's own messages hold no data of users, and are kept as they came, to be sent again.
    """
    masked = engine.masking.text
    kept = body if _is_message(body) else masked(body)
    engine.dead_letters.keep(message_id, kept, masked(reason), engine.clock.now())
    engine.observe(MessageKept(reason=reason))


def _is_message(body: str) -> bool:
    try:
        messages.decode(body)
    except MalformedMessageError:
        return False
    return True
