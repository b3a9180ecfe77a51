"""Which event a wait takes: pure decisions, the same for everybody who looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core import codec
from everstep.core.durations import LONGEST_DELAY
from everstep.core.errors import (
    CallbackTimeout,
    EventTimeout,
    InvalidInputError,
    SerializationError,
)
from everstep.core.failures import LONGEST_TYPE, cut_message, describe
from everstep.core.keys import name_of, scope_of
from everstep.core.model import ErrorInfo, OpKind, OpRecord, OpStatus, Payload, RunStatus
from everstep.core.operations import CallbackCall, ChildCall, WaitCall
from everstep.core.records import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.core.decisions import Pending
    from everstep.core.model import Event

SIGN_OF_LIFE: Final = 0
"""Number of the event that says that a callback's holder is alive; each replaces the one before."""


def next_event(
    pending: Pending, events: Iterable[Event], records: Mapping[str, OpRecord]
) -> Event | None:
    """Return the event that a wait takes now: the earliest of its name that nobody has.

    Args:
        pending: A wait.
        events: The run's events, in the order in which they came.
        records: The run's records.
    """
    call = pending.operation.call
    if isinstance(call, CallbackCall):
        return next((each for each in events if (each.name, each.number) == (pending.key, 1)), None)
    if not isinstance(call, WaitCall):
        return None
    return next(
        (
            event
            for event in untaken(events, records)
            if event.name == call.event and event.taken_by in (None, pending.key)
        ),
        None,
    )


def untaken(events: Iterable[Event], records: Mapping[str, OpRecord]) -> tuple[Event, ...]:
    """Return the events that no wait has taken; what was sent to a callback is for that alone."""
    taken = {
        (name_of(record.key), record.event)
        for record in records.values()
        if record.kind is OpKind.WAIT and record.event is not None
    }
    return tuple(
        event
        for event in events
        if not name_of(event.name) and (event.name, event.number) not in taken
    )


def unused(events: Iterable[Event], records: Mapping[str, OpRecord]) -> tuple[Event, ...]:
    """Return the events that no record has taken in, answers to callbacks and their signs, too."""
    taken = {
        (name_of(record.key) if record.kind is OpKind.WAIT else record.key, record.event)
        for record in records.values()
        if record.event is not None
    }
    return tuple(each for each in events if (each.name, each.number) not in taken)


def moved_key(run_id: str, event: Event) -> str:
    """Return the idempotency key with which an event of a run is handed on to its successor."""
    return f"{run_id}/{event.name}/{event.number}"


def needs_claim(pending: Pending) -> bool:
    """Say whether another wait may be after the same event at the same time.

    The workflow's own code waits for one thing at a time; only branches wait side by side. What
    is sent to a callback is for that one only.
    """
    return pending.operation.kind is OpKind.WAIT and bool(scope_of(pending.key))


def is_long(pending: Pending) -> bool:
    """Say whether a timer needs the due index; every executor comes to the same answer."""
    return _is_long(pending.wake_at, pending.ready_at)


def _is_long(wake_at: int | None, since: int) -> bool:
    return wake_at is not None and wake_at - since > LONGEST_DELAY


def given_up_at(pending: Pending, events: Iterable[Event]) -> int | None:
    """Return when a wait is given up, signs of life considered; None for never."""
    call = pending.operation.call
    if not isinstance(call, CallbackCall):
        return pending.wake_at
    signs = (each.at for each in events if (each.name, each.number) == (pending.key, SIGN_OF_LIFE))
    return call.given_up_at(pending.ready_at, max(signs, default=call.created_at))


def waiting(pending: Pending, token: str, events: Iterable[Event]) -> OpRecord:
    """Return the record of a wait that begins, or that goes on after a sign of life."""
    wake_at = given_up_at(pending, events)
    since = pending.ready_at if pending.record is None else pending.record.wake_at or 0
    call = pending.operation.call
    return replace(
        pending.begun(OpStatus.WAITING, token),
        started_at=pending.ready_at,
        wake_at=wake_at,
        due_at=wake_at if _is_long(wake_at, since) else None,
        child=call.child if isinstance(call, ChildCall) else None,
    )


def _ended(pending: Pending, token: str, at: int) -> OpRecord:
    """Return the record of a wait that is over, without what came of it."""
    return replace(
        waiting(pending, token, ()),
        status=OpStatus.DONE,
        wake_at=pending.wake_at,
        due_at=None,
        ended_at=at,
    )


def fulfilled(pending: Pending, event: Event, text: str, token: str, now: int) -> OpRecord:
    """Return the record of a wait that has its event.

    What does not fit the type that the code waits for is an error of the operation: it came from
    outside, and must not keep the run from going on.

    Args:
        pending: The wait.
        event: What it takes.
        text: The event's payload, at hand.
        token: Of the message that records it.
        now: The present.
    """
    call = pending.operation.call
    if not isinstance(call, WaitCall | CallbackCall):
        raise TypeError(f"{pending.key} waits for no event")
    base = _ended(pending, token, max(now, pending.ready_at))
    base = replace(base, event=event.number)
    if isinstance(call, CallbackCall):
        answer = read_answer(text)
        if isinstance(answer, ErrorInfo):
            error = replace(answer, operation=pending.key)
            failed = RunStatus.FAILED
            return replace(base, status=OpStatus.FAILED, outcome=failed, error=error)
        text = answer
    try:
        recorded = call.result.encode(call.result.validate(codec.decode(text)))
    except (InvalidInputError, SerializationError) as error:
        return replace(base, status=OpStatus.FAILED, error=describe(error, pending.key))
    return replace(base, result=Payload(text=recorded))


def woken(pending: Pending, token: str, now: int) -> OpRecord:
    """Return the record of a sleep that is over."""
    begun = pending.begun(
        OpStatus.DONE, token, started_at=pending.ready_at, wake_at=pending.wake_at
    )
    return replace(begun, ended_at=now)


def timed_out(pending: Pending, token: str, now: int) -> OpRecord:
    """Return the record of a wait whose time is up."""
    call = pending.operation.call
    if isinstance(call, WaitCall):
        kind, text = EventTimeout.__name__, f"no event {call.event!r} came in time"
    else:
        kind = CallbackTimeout.__name__
        text = "nobody completed it, or gave a sign of life, in time"
    return replace(
        _ended(pending, token, max(now, pending.wake_at or now)),
        status=OpStatus.FAILED,
        error=ErrorInfo(type=kind, message=text, operation=pending.key),
    )


def completed_text(value: object) -> str:
    """Return the recorded text of what a callback was completed with."""
    return codec.encode({"value": value})


def failed_text(error_type: str, message: str) -> str:
    """Return the recorded text of why whoever holds a callback's token could not do it.

    It becomes a part of the operation's record, which has no room for more.
    """
    kind, text = error_type[:LONGEST_TYPE], cut_message(message)
    return codec.encode({"error": {"type": kind, "message": text}})


def read_answer(text: str) -> str | ErrorInfo:
    """Return the recorded text of a callback's value, or why there is none."""
    answer = codec.decode(text)
    if not isinstance(answer, dict):
        raise TypeError("a callback's answer is an object")
    if "error" in answer:
        return ErrorInfo(type=answer["error"]["type"], message=answer["error"]["message"])
    return codec.encode(answer["value"])
