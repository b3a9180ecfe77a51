"""Send an event to a run: keep it, then let whoever waits for it know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from everstep.app.outbox import send
from everstep.app.payloads import pack
from everstep.core import codec
from everstep.core.errors import (
    DefinitionError,
    IllegalStateError,
    InvalidRequestError,
    RunNotFoundError,
    UnavailableError,
)
from everstep.core.keys import check_name
from everstep.core.model import Event, Message, MessageKind

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.model import Head

_CONTENTION: Final = 100
LONGEST_KEY: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An event that was accepted, now or by an earlier call with the same idempotency key.

    Attributes:
        number: Its number among the run's events of this name.
        created: Whether this call made it.
    """

    number: int
    created: bool


def send_event(
    engine: Engine, run_id: str, name: str, value: object, *, idempotency_key: str | None = None
) -> Kept:
    """Send an event to a run; once this returns it is not lost, whether or not somebody waits.

    The event is kept first, and the message follows; a wait is recorded first, and looks for
    events after that. So at least one of the two sees the other.

    Args:
        engine: The ports.
        run_id: The run.
        name: What the event is called.
        value: JSON data.
        idempotency_key: The same key keeps one event of this name only.

    Raises:
        InvalidRequestError: The name or the key makes no sense.
        RunNotFoundError: There is no such run.
        IllegalStateError: The run has ended.
        PayloadTooLargeError: The payload is over the limit.
        UnavailableError: Nothing is known; the same call with the same key is harmless.
    """
    _check(name, idempotency_key)
    return keep_event(engine, run_id, name, codec.encode(value), idempotency_key)


def keep_event(engine: Engine, run_id: str, name: str, text: str, key: str | None) -> Kept:
    """Keep an event for a run and let it know, as ``send_event`` does.

    Args:
        engine: The ports.
        run_id: The run.
        name: What the event is called.
        text: Recorded text of its payload.
        key: Idempotency key.
    """
    payload = pack(engine, text, f"the event {name}").recorded
    for _ in range(_CONTENTION):
        history = engine.runs.load(run_id)
        if history is None:
            raise RunNotFoundError(run_id)
        same = [event for event in history.events if event.name == name]
        repeated = next((each for each in same if key is not None and each.key == key), None)
        if repeated is not None:
            # It may be what the run has ended with: that its sender asks again is no mistake.
            if not history.head.status.terminal:
                tell(engine, run_id)
            return Kept(number=repeated.number, created=False)
        _check_takes_events(history.head)
        event = Event(
            name=name,
            number=max((each.number for each in same), default=0) + 1,
            payload=payload,
            at=engine.clock.now(),
            key=key,
        )
        if engine.runs.put_event(run_id, event):
            tell(engine, run_id)
            return Kept(number=event.number, created=True)
    raise UnavailableError(f"too many events {name!r} at the same time: try again")


def _check_takes_events(head: Head) -> None:
    if head.status.terminal:
        raise IllegalStateError(f"run {head.run_id} is {head.status}: it takes no more events")


def tell(engine: Engine, run_id: str) -> None:
    """Let whoever waits in a run look for what was kept for it."""
    send(engine, [Message(run_id=run_id, kind=MessageKind.EVENT, token=engine.ids.token())])


def _check(name: str, key: str | None) -> None:
    try:
        check_name(name, "the name of an event")
    except DefinitionError as error:
        raise InvalidRequestError(str(error)) from error
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isprintable()):
        raise InvalidRequestError(
            f"an idempotency key has 1 to {LONGEST_KEY} printable characters, not {key[:40]!r}"
        )
