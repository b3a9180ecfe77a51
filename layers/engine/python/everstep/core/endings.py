"""How a run comes to its end before its code does: pure decisions.

Somebody cancels it, or its time is up. Its code is told where it waits, by an exception, and only
there: a step that runs is not interrupted, and its result is recorded. So the code knows what
was done, and can undo it. Code that was told is left alone from then on.

A message is told by the head that it has loaded. One that has loaded it before does not know yet
and may begin further waits; so whoever brings the news looks again, until nobody can be left who
has not heard it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.durations import MINUTE, SECOND
from everstep.core.effects import Effect, Interrupt, Send
from everstep.core.model import ErrorInfo, MessageKind, OpKind, OpRecord, OpStatus, RunStatus
from everstep.core.operations import CancelCall, ChildCall, SendCall, StartCall
from everstep.core.records import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from everstep.core.circumstances import Ending
    from everstep.core.decisions import Pending
    from everstep.core.model import Head, Message

# A function may run for so long with what it has loaded.
LONGEST_INVOCATION: Final = 15 * MINUTE
_LOOKS: Final = 11
_NOT_UNDER_WAY: Final = frozenset({OpKind.SLEEP, OpKind.CONTINUE})


def sweeps(message: Message) -> bool:
    """Say whether a message brings the news to whatever waits, as opposed to its own operation."""
    return message.kind is MessageKind.CANCEL or message.take


def interrupts(
    message: Message, frontier: Iterable[Pending], now: int, owns: Callable[[str], bool]
) -> tuple[Effect, ...]:
    """Return the operations at which code is to be told now that the run is to end.

    Args:
        message: The message that is processed.
        frontier: What the code waits for.
        now: The present.
        owns: Says of an operation whether its consequences are the message's own.
    """
    return tuple(
        Interrupt(pending=pending)
        for pending in frontier
        if _has_to_be_told(pending) and _can_be_told(message, pending, now, owns)
    )


def _has_to_be_told(pending: Pending) -> bool:
    """Say whether code does not know yet that the run is to end, or asks to go on all the same."""
    return not pending.interrupted or pending.operation.kind is OpKind.CONTINUE


def _can_be_told(message: Message, pending: Pending, now: int, owns: Callable[[str], bool]) -> bool:
    record = pending.record
    if record is None and _sets_out(pending):
        # It may be done already, and only its record be missing: the code hears where it waits.
        return False
    if record is None:
        # What is under way without a record is to be told by whoever is on the way.
        if pending.operation.kind in _NOT_UNDER_WAY and sweeps(message):
            return True
        # A step that was sent for may run: its message brings it the news, if it is not too late.
        return owns(pending.unlocked_by) and not message.take
    concerned = sweeps(message) or record.by == message.token or message.op == pending.key
    if record.status is OpStatus.WAITING:
        return concerned
    return record.status is OpStatus.RETRY and concerned and (record.wake_at or 0) > now


def _sets_out(pending: Pending) -> bool:
    """Say whether an operation begins with what the engine does for it elsewhere."""
    call = pending.operation.call
    starts = isinstance(call, ChildCall) and call.start is not None
    return starts or isinstance(call, StartCall | SendCall | CancelCall)


def next_look(message: Message, frontier: Iterable[Pending], now: int) -> tuple[Effect, ...]:
    """Return when to look again for code that has not been told."""
    look = message.attempt + 1
    if look > _LOOKS or all(pending.interrupted for pending in frontier):
        return ()
    delay = min(SECOND * 2 ** (look - 1), LONGEST_INVOCATION)
    return (Send(kind=MessageKind.CANCEL, attempt=look, due=now + delay),)


def interrupted(pending: Pending, ending: Ending, token: str, now: int) -> OpRecord:
    """Return the record of an operation at which code is told that the run is to end."""
    record = pending.record
    return replace(
        pending.begun(OpStatus.CANCELLED, token),
        attempt=record.attempt if record else 0,
        started_at=pending.ready_at,
        ended_at=max(now, pending.ready_at),
        error=ErrorInfo(type="RunCancelled", message=told(ending), operation=pending.key),
        child=record.child if record else None,
    )


def told(ending: Ending) -> str:
    """Return what code is told."""
    if ending.status is RunStatus.TIMED_OUT:
        return "the time of the run is up"
    by = f" by {ending.who}" if ending.who else ""
    why = f": {ending.why}" if ending.why else ""
    return f"the run was cancelled{by}{why}"


def is_kept(head: Head, now: int) -> bool:
    """Say whether a run is to be there still: it goes on, or the time of its removal is ahead.

    That is when its retention is over, or when somebody has discarded it.
    """
    return head.ended_at is None or head.due_at is None or now < head.due_at


def kept_until(head: Head) -> int | None:
    """Return when the retention of a run that has ended is over; None for never."""
    return None if head.retention is None else (head.ended_at or 0) + head.retention


def stays_ended(before: Head, after: Head) -> bool:
    """Say whether an ended run stays as it ended, but for its audit, and an earlier removal."""
    discarded = after.due_at == before.ended_at
    due_at = before.due_at if discarded else after.due_at
    same = replace(after, generation=before.generation, trail=before.trail, due_at=due_at)
    return before == same and after.generation >= before.generation
