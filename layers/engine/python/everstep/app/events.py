"""Send an event to a run: keep it, then let whoever waits for it know."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from everstep.app.metering import recording
from everstep.app.outbox import send
from everstep.app.payloads import check_size, move, pack
from everstep.core import codec
from everstep.core.errors import (
    DefinitionError,
    IllegalStateError,
    InvalidRequestError,
    RunNotFoundError,
    UnavailableError,
)
from everstep.core.keys import check_name
from everstep.core.meter import meter
from everstep.core.model import Event, Message, MessageKind, Payload
from everstep.core.records import dataclass, replace
from everstep.core.waits import moved_key, untaken

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.engine import Engine
    from everstep.core.model import Head, History

_CONTENTION: Final = 100
LONGEST_KEY: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An event that was accepted, now or by an earlier call with the same idempotency key.

    Attributes:
        run_id: The run that has it: the one that it was sent to, or one that goes on in its place.
        number: Its number among the run's events of this name.
        created: Whether this call made it.
    """

    run_id: str
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
        run_id: The run; where it was continued as new, the run that goes on in its place.
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
    what = f"the event {name}"
    check_size(engine, text, what)
    event = Event(name=name, number=0, payload=Payload(), at=engine.clock.now(), key=key)

    def packed(keeper: str) -> Payload:
        return pack(engine, keeper, text, what).recorded

    kept = _keep(engine, run_id, event, packed, sends=1)
    # It may be what the run has ended with: that its sender asks again is no mistake.
    if kept.created or not kept.head.status.terminal:
        tell(engine, kept.head.run_id)
    elif kept.head.successor is not None:
        hand_on_events(engine, kept.history)
    return Kept(run_id=kept.head.run_id, number=kept.number, created=kept.created)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    history: History
    number: int
    created: bool

    @property
    def head(self) -> Head:
        return self.history.head


def _keep(
    engine: Engine, run_id: str, event: Event, packed: Callable[[str], Payload], *, sends: int
) -> _Found:
    """Keep an event for a run, or for the one that goes on in its place, under the next number.

    Args:
        engine: The ports.
        run_id: The run.
        event: The event, without its payload.
        packed: Gives the payload as it is recorded of a run.
        sends: How many messages follow for it.
    """
    contention = 0
    while contention < _CONTENTION:
        history = engine.runs.load(run_id)
        if history is None:
            raise RunNotFoundError(run_id)
        head = history.head
        same = [each for each in history.events if each.name == event.name]
        repeated = next((each for each in same if event.key and each.key == event.key), None)
        # What came before goes before.
        hand_on_events(engine, history, again=False)
        if repeated is not None:
            return _Found(history=history, number=repeated.number, created=False)
        if head.successor is not None:
            run_id = head.successor
            continue
        _check_takes_events(head)
        number = max((each.number for each in same), default=0) + 1
        whole = replace(event, number=number, payload=packed(run_id))
        if put_charged(engine, run_id, whole, sends=sends):
            return _Found(history=history, number=number, created=True)
        contention += 1
    raise UnavailableError(f"too many events {event.name!r} at the same time: try again")


def put_charged(engine: Engine, run_id: str, event: Event, *, sends: int) -> bool:
    """Keep an event with what was taken to send it; say whether it was kept.

    What another run sends is on that one's account: it is recorded with its operation.

    Args:
        engine: The ports.
        run_id: The run that has it.
        event: The event, with what was taken for it before.
        sends: How many messages follow for it.
    """
    if meter().run_id:
        kept = engine.runs.put_event(run_id, event)
        if kept and event.cost:
            # It says so itself.
            meter().recorded()
        return kept
    with recording() as counts:
        cost = counts.take(engine.clock.ticks(), event.cost, requests=1, sends=sends)
        kept = engine.runs.put_event(run_id, replace(event, cost=cost))
        if kept:
            counts.recorded()
        else:
            counts.refused()
    return kept


def hand_on_events(engine: Engine, history: History, *, again: bool = True) -> None:
    """Give what was sent to a run that was continued, and that no wait took, to its successor.

    Each event has a key of its own there, so doing this again is harmless.

    Args:
        engine: The ports.
        history: The run.
        again: Whether whoever did it before may have died before it told the successor.

    Raises:
        UnavailableError: Nothing is known; doing it again is harmless.
    """
    successor = history.head.successor
    left = untaken(history.events, history.records) if successor is not None else ()
    told: set[str] = set()
    for event in left:
        source = history.head.run_id
        moved = replace(event, key=moved_key(source, event), taken_by=None)
        packed = partial(move, engine, event.payload, source)
        # A run that has ended in the meantime had no use for it.
        with suppress(RunNotFoundError, IllegalStateError):
            kept = _keep(engine, successor or "", moved, packed, sends=0)
            waits = again and not kept.head.status.terminal
            told |= {kept.head.run_id} if kept.created or waits else set()
    for run_id in sorted(told):
        tell(engine, run_id)


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
