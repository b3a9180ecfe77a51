"""Which event a wait takes: pure decisions, the same for everybody who looks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from everstep.core import codec
from everstep.core.errors import InvalidInputError, SerializationError
from everstep.core.failures import describe
from everstep.core.keys import name_of, scope_of
from everstep.core.model import ErrorInfo, OpKind, OpRecord, OpStatus, Payload
from everstep.core.operations import WaitCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.core.decisions import Pending
    from everstep.core.model import Event


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
    if not isinstance(call, WaitCall):
        return None
    taken = {
        (name_of(record.key), record.event)
        for record in records.values()
        if record.kind is OpKind.WAIT and record.event is not None
    }
    return next(
        (
            event
            for event in events
            if event.name == call.event
            and (event.name, event.number) not in taken
            and event.taken_by in (None, pending.key)
        ),
        None,
    )


def needs_claim(key: str) -> bool:
    """Say whether another wait may be after the same event at the same time.

    The workflow's own code waits for one thing at a time; only branches wait side by side.
    """
    return bool(scope_of(key))


def waiting(pending: Pending, token: str, *, long: bool) -> OpRecord:
    """Return the record of a wait that begins."""
    return OpRecord(
        key=pending.key,
        kind=OpKind.WAIT,
        status=OpStatus.WAITING,
        by=token,
        input_hash=pending.operation.input_hash,
        started_at=pending.ready_at,
        wake_at=pending.wake_at,
        due_at=pending.wake_at if long else None,
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
    if not isinstance(call, WaitCall):
        raise TypeError(f"{pending.key} waits for no event")
    base = replace(
        waiting(pending, token, long=False),
        status=OpStatus.DONE,
        ended_at=max(now, pending.ready_at),
        event=event.number,
    )
    try:
        recorded = call.result.encode(call.result.validate(codec.decode(text)))
    except (InvalidInputError, SerializationError) as error:
        return replace(base, status=OpStatus.FAILED, error=describe(error, pending.key))
    return replace(base, result=Payload(text=recorded))


def timed_out(pending: Pending, token: str, now: int) -> OpRecord:
    """Return the record of a wait whose time is up."""
    call = pending.operation.call
    name = call.event if isinstance(call, WaitCall) else pending.key
    text = f"no event {name!r} came in time"
    return replace(
        waiting(pending, token, long=False),
        status=OpStatus.FAILED,
        ended_at=max(now, pending.wake_at or now),
        error=ErrorInfo(type="EventTimeout", message=text, operation=pending.key),
    )
