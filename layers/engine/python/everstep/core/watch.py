"""When a run shows no progress, and what then helps: the sweeper's judgement, purely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.decisions import Suspended
from everstep.core.durations import LONGEST_DELAY, MINUTE, is_far
from everstep.core.effects import Send
from everstep.core.endings import LONGEST_INVOCATION
from everstep.core.model import MessageKind, OpKind
from everstep.core.observations import Repair
from everstep.core.records import dataclass, replace
from everstep.core.waits import next_event

if TYPE_CHECKING:
    from everstep.core.decisions import Decision
    from everstep.core.model import Head, History

_FROM_OUTSIDE: Final = frozenset({OpKind.WAIT, OpKind.CALLBACK, OpKind.CHILD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What to send now, if anything, and when to look again."""

    send: Send | None
    next_look: int

    @property
    def repair(self) -> Repair | None:
        """Return what is sent again because it got lost; None if all goes as it should."""
        match self.send:
            case Send(kind=MessageKind.START, due=0):
                return Repair.START
            case Send(kind=MessageKind.RECOVER):
                return Repair.RUN
            case Send(kind=MessageKind.CANCEL, due=0):
                return Repair.ENDING
            case _:
                return None


def watch(
    history: History,
    decision: Decision | None,
    now: int,
    *,
    watchdog: int,
    grace: int,
    children_ended: bool = False,
) -> Watch:
    """Judge a running run whose time to be looked at has come.

    The first look comes a grace after the start or the resumption, and may find that its message
    left no trace. Whatever is then sent is in the queue, which retries it and in the end reports
    it as a dead letter; sending more of it soon would only multiply a step that crashes.

    Args:
        history: Head and records.
        decision: Where the workflow stands; None if that could not be found out.
        now: The present.
        watchdog: How long a message that was sent may go without a trace.
        grace: How long a message that was sent may take to leave one.
        children_ended: Whether a child run has ended that is waited for.
    """
    if history.begins_later(now):
        return _ahead(history.head.begins_at, now, grace)
    found = _watch(history, decision, now, watchdog, children_ended=children_ended)
    return _with_deadline(history.head, found, now, grace)


def _with_deadline(head: Head, found: Watch, now: int, grace: int) -> Watch:
    """Look at a run when its time is up, too."""
    if head.deadline is None or head.ending is not None:
        return found
    begin = head.deadline - LONGEST_DELAY
    if begin > now:
        return replace(found, next_look=min(found.next_look, begin))
    if found.send is not None:
        # First things first: it comes to its end after it has been seen to go on.
        return replace(found, next_look=now + grace)
    time_is_up = Send(kind=MessageKind.CANCEL, due=head.deadline)
    return Watch(send=time_is_up, next_look=max(now, head.deadline) + grace)


def _watch(
    history: History,
    decision: Decision | None,
    now: int,
    watchdog: int,
    *,
    children_ended: bool,
) -> Watch:
    head = history.head
    ended = (record.ended_at or 0 for record in history.records.values())
    progress = max([min(head.begins_at, now), *ended])
    recover = Send(kind=MessageKind.RECOVER, take=True)
    if head.ending is not None and _has_not_heard(decision):
        # Whoever was at work when it was told to end has come to its own end by then, so that
        # no step is told while it runs; what has not heard of it waits for what got lost.
        over = max(progress, head.ending.at) + LONGEST_INVOCATION + MINUTE
        if now < over:
            return Watch(send=Send(kind=MessageKind.CANCEL), next_look=over)
        return Watch(send=Send(kind=MessageKind.CANCEL, take=True), next_look=now + watchdog)
    if not history.records and not _resumed(head):
        return Watch(send=Send(kind=MessageKind.START), next_look=now + watchdog)
    # What was recorded in the very millisecond of the resumption may be older than it.
    if head.resumed_at is not None and progress <= head.resumed_at and not _asleep(decision, now):
        return Watch(send=recover, next_look=now + watchdog)
    if not children_ended and _waits(history, decision):
        return Watch(send=None, next_look=now + watchdog)
    busy_since = max(progress, _last_wake(history, decision), head.resumed_at or 0)
    if busy_since + watchdog > now:
        return Watch(send=None, next_look=busy_since + watchdog)
    return Watch(send=recover, next_look=now + watchdog)


def _ahead(starts_at: int, now: int, grace: int) -> Watch:
    """Let a run begin in time: its message is sent once the queue can hold it back until then."""
    if is_far(starts_at, now):
        return Watch(send=None, next_look=starts_at)
    return Watch(send=Send(kind=MessageKind.START, due=starts_at), next_look=starts_at + grace)


def _resumed(head: Head) -> bool:
    """Say whether the run was resumed after it was to begin; before that there was nothing."""
    return head.resumed_at is not None and head.resumed_at >= (head.starts_at or 0)


def _has_not_heard(decision: Decision | None) -> bool:
    """Say whether there is code that waits and does not know that the run is to end."""
    return isinstance(decision, Suspended) and not all(
        item.interrupted for item in decision.frontier
    )


def _asleep(decision: Decision | None, now: int) -> bool:
    """Say whether everything that the run waits for is a timer that stands in the due index."""
    return (
        isinstance(decision, Suspended)
        and not decision.closable
        and all(
            item.record is not None and item.record.due_at is not None and (item.wake_at or 0) > now
            for item in decision.frontier
        )
    )


def _waits(history: History, decision: Decision | None) -> bool:
    """Say whether everything that the run waits for is to come from outside, and has not come.

    A wait with a time-out is a timer, too, and looked after as one.
    """
    return (
        isinstance(decision, Suspended)
        and bool(decision.frontier)
        and not decision.closable
        and all(
            item.operation.kind in _FROM_OUTSIDE
            and item.record is not None
            and item.wake_at is None
            and next_event(item, history.events, history.records) is None
            for item in decision.frontier
        )
    )


def _last_wake(history: History, decision: Decision | None) -> int:
    """Return when the last timer that is awaited ends; 0 if none is.

    A run that sleeps while its code is missing or broken needs that code no earlier than at its
    timer, so it is not taken over (and stalled) before.
    """
    if isinstance(decision, Suspended):
        wakes = [item.wake_at for item in decision.frontier]
    else:
        wakes = [item.wake_at for item in history.records.values() if not item.status.final]
    return max((wake_at or 0 for wake_at in wakes), default=0)
