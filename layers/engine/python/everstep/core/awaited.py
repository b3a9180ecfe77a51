"""How each thing is that a run waits for: under way, in time, or overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.diagnosis import Awaited, State, Window
from everstep.core.durations import is_far
from everstep.core.model import OpKind, OpStatus
from everstep.core.operations import WaitCall
from everstep.core.records import replace
from everstep.core.waits import is_long, next_event

if TYPE_CHECKING:
    from everstep.core.decisions import Pending
    from everstep.core.diagnosis import Known
    from everstep.core.model import History, OpRecord

_LOST: Final = "its message is lost or very late"
_FROM_OUTSIDE: Final = frozenset({OpKind.WAIT, OpKind.CALLBACK, OpKind.CHILD})


def awaited(pending: Pending, history: History, now: int, known: Known) -> Awaited:
    """Return how an operation of the frontier is.

    Args:
        pending: The operation.
        history: Head, records and events.
        now: The present.
        known: What else is known.
    """
    record = pending.record
    if record is None:
        return _unrecorded(pending, now, known.grace)
    if record.status is OpStatus.STARTED:
        return _started(pending, record, now, known.grace)
    if record.status is OpStatus.RETRY:
        return _timed(pending, record, now, known.grace, _retrying(pending, record))
    come = _come(pending, history, known)
    if come is not None:
        return _late(come, come.since or 0, now, known.grace)
    return _timed(pending, record, now, known.grace, _waiting(pending, record))


def _made(pending: Pending, state: State, says: str, since: int | None) -> Awaited:
    return Awaited(
        key=pending.key, kind=pending.operation.kind, state=state, says=says, since=since
    )


def _unrecorded(pending: Pending, now: int, grace: int) -> Awaited:
    """Judge what has left no trace: it is queued, running now, a short sleep, or lost."""
    wake_at = pending.wake_at
    if pending.operation.kind is OpKind.SLEEP and wake_at is not None and not is_long(pending):
        asleep = _made(pending, State.SLEEPING, "sleeps", pending.ready_at)
        asleep = replace(asleep, until=wake_at)
        return asleep if now < wake_at else _late(asleep, wake_at, now, grace)
    step = pending.operation.kind is OpKind.STEP
    since = pending.ready_at
    says = "attempt 1 is queued or running" if step else "is about to be recorded"
    late = _late(_made(pending, State.UNDER_WAY, says, since), since, now, grace)
    return late if late.window is None else replace(late, says=f"left no trace: {_LOST}")


def _started(pending: Pending, record: OpRecord, now: int, grace: int) -> Awaited:
    over = record.wake_at or record.started_at or 0
    running = _made(
        pending, State.UNDER_WAY, f"attempt {record.attempt} has begun", record.started_at
    )
    if now < over:
        return replace(running, until=over)
    died = replace(running, says=f"attempt {record.attempt} has begun and left no result")
    return _late(died, over, now, grace)


def _retrying(pending: Pending, record: OpRecord) -> Awaited:
    error = "" if record.error is None else f" with {record.error.type}"
    says = f"attempt {record.attempt} failed{error}; attempt {record.attempt + 1} is to come"
    return _made(pending, State.RETRYING, says, record.ended_at)


def _waiting(pending: Pending, record: OpRecord) -> Awaited:
    if pending.operation.kind not in _FROM_OUTSIDE:
        return _made(pending, State.SLEEPING, "sleeps", record.started_at)
    return _made(pending, State.WAITING, f"waits for {_what(pending, record)}", record.started_at)


def _what(pending: Pending, record: OpRecord) -> str:
    call = pending.operation.call
    if isinstance(call, WaitCall):
        return f"the event {call.event!r}"
    if record.child is not None:
        return f"run {record.child}"
    return "its callback to be completed"


def _timed(pending: Pending, record: OpRecord, now: int, grace: int, held: Awaited) -> Awaited:
    """Judge what goes on at an instant, if it has one: is it armed, and has it rung?"""
    wake_at = record.wake_at
    if wake_at is None:
        return held
    timed = replace(held, until=wake_at)
    if is_far(wake_at, now) and record.due_at is None:
        # The queue cannot hold a message back for so long, and the sweeper does not know of it.
        return replace(
            timed,
            state=State.OVERDUE,
            says=f"{held.says}, and its timer is not armed",
            window=Window.LONG_TIMER,
        )
    if now < wake_at:
        return timed
    late = _late(timed, wake_at, now, grace)
    long = pending.operation.kind is not OpKind.STEP and late.window is not None
    return replace(late, window=Window.LONG_TIMER) if long and record.due_at is not None else late


def _come(pending: Pending, history: History, known: Known) -> Awaited | None:
    """Return what a wait has got already, if it has: only the news has not come through."""
    event = next_event(pending, history.events, history.records)
    if event is not None:
        what = "the event" if pending.operation.kind is OpKind.WAIT else "the answer"
        return _made(pending, State.UNDER_WAY, f"{what} that it waits for is there", event.at)
    record = pending.record
    child = None if record is None else record.child
    if child is None or child not in known.children:
        return None
    head = known.children[child]
    if head is None:
        return _made(pending, State.UNDER_WAY, f"run {child} is not kept any more", 0)
    if not head.status.terminal:
        return None
    return _made(pending, State.UNDER_WAY, f"run {child} is {head.status}", head.ended_at)


def _late(it: Awaited, expected: int, now: int, grace: int) -> Awaited:
    """Return the same, overdue if its message has had its time and more."""
    if now < expected + grace:
        return replace(it, state=State.UNDER_WAY) if it.until is not None else it
    says = f"{it.says}, and {_LOST}"
    return replace(it, state=State.OVERDUE, says=says, window=Window.MESSAGE)
