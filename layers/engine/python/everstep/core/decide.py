"""What a message owes after it was processed: pure decisions, effects as data.

An obligation belongs to a message, not to an operation. Every message carries a token drawn for
that send, and every record names the token of the message that wrote it. Whoever wrote a record
owes its consequences: the messages for what that record unlocked, or the end of the run. A
repeat of the same message carries the same token and so finds the same obligations; a different
message that finds the work done by somebody else owes nothing and just ends.

That rule closes the window between commit and send (the queue redelivers the message, which
finds what it owes) without the ghost chains that arise when anybody may resend what left no
trace. The one exception is ``take``: a recovering message inherits every obligation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from everstep.core.decisions import Broken, Raised, Returned, Suspended
from everstep.core.durations import LONGEST_DELAY
from everstep.core.joins import write_join
from everstep.core.model import HEAD, MessageKind, OpKind, OpRecord, OpStatus, Payload
from everstep.core.waits import next_event, waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from everstep.core.decisions import Closable, Decision, Pending
    from everstep.core.model import Event, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send a message; it acts no earlier than ``due``."""

    kind: MessageKind
    op: str = HEAD
    attempt: int = 0
    due: int = 0
    take: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """Record a long sleep, which enters the due index by that."""

    record: OpRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Rearm:
    """Give an awaited timer that lost it its place in the due index again."""

    key: str
    due_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """End the run with this outcome."""

    outcome: Returned | Raised


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Record that a group is closed, and which of its branches count."""

    record: OpRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """Let a wait take an event."""

    pending: Pending
    event: Event


Effect = Send | Arm | Rearm | End | Close | Take


def duties(
    message: Message,
    decision: Decision,
    records: Mapping[str, OpRecord],
    now: int,
    events: Sequence[Event] = (),
) -> tuple[Effect, ...]:
    """Return what the message owes, given where the workflow stands.

    Args:
        message: The message, whose token decides what is its own.
        decision: Where the pass over the workflow stands.
        records: The operation records that the pass has seen.
        now: The present, to tell short remainders from long ones.
        events: What was sent to the run.
    """
    match decision:
        case Suspended(closable=closable) if closes := _closes(message, closable, records, now):
            return closes
        case Suspended(frontier=frontier) if waits := _waits(message, frontier, records, events):
            return waits
        case Suspended(frontier=frontier, closers=closers):
            owed = (_owed(message, pending, records, now) for pending in frontier)
            sends = tuple(effect for effect in owed if effect is not None)
            unlocked = {pending.unlocked_by for pending in frontier if pending.record is None}
            return sends + _checks(message, unlocked, closers, records, now)
        case Returned(last=last, closers=closers) | Raised(last=last, closers=closers):
            if _owns(message, last, records):
                return (End(outcome=decision),)
            return _checks(message, {last}, closers, records, now)
        case Broken():
            return ()
        case _:
            assert_never(decision)


def _closes(
    message: Message, closable: Iterable[Closable], records: Mapping[str, OpRecord], now: int
) -> tuple[Effect, ...]:
    """Return the groups that are the message's own to close; nothing else is owed before."""
    return tuple(
        Close(
            record=OpRecord(
                key=group.key,
                kind=OpKind.JOIN,
                status=OpStatus.DONE,
                by=message.token,
                input_hash=group.operation.input_hash,
                started_at=group.ready_at,
                ended_at=max(now, group.ready_at),
                result=Payload(text=write_join(group.join)),
            )
        )
        for group in closable
        if any(_owns(message, key, records) for key in group.closers)
    )


def _waits(
    message: Message,
    frontier: Iterable[Pending],
    records: Mapping[str, OpRecord],
    events: Sequence[Event],
) -> tuple[Effect, ...]:
    """Return the waits that begin, and those that have their event; nothing else is owed before.

    A wait is recorded first, and events are looked for after that; a sender writes the event
    first, and looks for waits after that. So at least one of the two sees the other.
    """
    effects: list[Effect] = []
    for pending in frontier:
        if pending.operation.kind is not OpKind.WAIT:
            continue
        if pending.record is None:
            if _owns(message, pending.unlocked_by, records):
                effects.append(Arm(record=waiting(pending, message.token, long=is_long(pending))))
            continue
        concerned = message.kind is MessageKind.EVENT or message.op == pending.key
        if concerned or message.take or pending.record.by == message.token:
            event = next_event(pending, events, records)
            if event is not None:
                effects.append(Take(pending=pending, event=event))
    return tuple(effects)


def _checks(
    message: Message,
    unlocked: Iterable[str],
    closers: Mapping[str, tuple[str, ...]],
    records: Mapping[str, OpRecord],
    now: int,
) -> tuple[Effect, ...]:
    """Return a look at groups that another message closed just before this one could.

    Nothing that follows them is recorded yet. The other message owes that; but if a duplicate of
    it was acknowledged while it died, the queue has forgotten it, and only this one remembers.
    """
    return tuple(
        Send(kind=MessageKind.CHECK, op=key, due=now + LONGEST_DELAY)
        for key in sorted(unlocked)
        if key in closers
        and not _owns(message, key, records)
        and message.kind is not MessageKind.CHECK
        and any(_owns(message, closer, records) for closer in closers[key])
    )


def is_long(pending: Pending) -> bool:
    """Say whether a sleep needs the due index; every executor comes to the same answer."""
    wake_at = pending.wake_at
    return wake_at is not None and wake_at - pending.ready_at > LONGEST_DELAY


def _owns(message: Message, key: str, records: Mapping[str, OpRecord]) -> bool:
    """Say whether the consequences of this operation (or of the start) are the message's own."""
    if message.take:
        return True
    if key == HEAD:
        return message.kind is MessageKind.START
    if message.kind is MessageKind.CHECK and key == message.op:
        return True
    record = records.get(key)
    return record is not None and record.by == message.token


def _owed(
    message: Message, pending: Pending, records: Mapping[str, OpRecord], now: int
) -> Effect | None:
    record = pending.record
    if record is not None and record.wake_at is None:
        return None
    if record is not None and record.status is OpStatus.STARTED and not message.take:
        # The message that has begun it is not done with it, and comes again if it dies.
        return None
    if record is None:
        return _first(message, pending) if _owns(message, pending.unlocked_by, records) else None
    if not (message.take or record.by == message.token):
        return None
    if message.take:
        return _taken(message, pending, record, now)
    # A long timer was armed by the very write of its record; a short one travels as a message.
    return None if record.due_at is not None else _again(message, pending, record)


def _first(message: Message, pending: Pending) -> Effect:
    """Return what sets an operation going that has no record yet."""
    take = _inherits(message)
    if pending.operation.kind is OpKind.STEP:
        return Send(kind=MessageKind.STEP, op=pending.key, attempt=1, take=take)
    wake_at = pending.wake_at or pending.ready_at
    if not is_long(pending):
        return Send(kind=MessageKind.TIMER, op=pending.key, due=wake_at, take=take)
    return Arm(
        record=OpRecord(
            key=pending.key,
            kind=pending.operation.kind,
            status=OpStatus.WAITING,
            by=message.token,
            input_hash=pending.operation.input_hash,
            started_at=pending.ready_at,
            wake_at=wake_at,
            due_at=wake_at,
        )
    )


def _again(message: Message, pending: Pending, record: OpRecord) -> Send:
    """Return the message that an operation with an unfinished record waits for."""
    wake_at = record.wake_at or 0
    take = _inherits(message)
    if pending.operation.kind is OpKind.STEP:
        # An attempt that was begun is asked for again, not to be made twice but to be settled.
        begun = record.status is OpStatus.STARTED
        return Send(
            kind=MessageKind.STEP,
            op=pending.key,
            attempt=record.attempt + (not begun),
            due=wake_at,
            take=take,
        )
    return Send(kind=MessageKind.TIMER, op=pending.key, due=wake_at, take=take)


def _taken(message: Message, pending: Pending, record: OpRecord, now: int) -> Effect | None:
    """Return what a recovering message does for an operation that already waits."""
    wake_at = record.wake_at or 0
    # What was begun stands in no index: its message is put off as often as it takes.
    if wake_at - now <= LONGEST_DELAY or record.status is OpStatus.STARTED:
        return _again(message, pending, record)
    return None if record.due_at is not None else Rearm(key=pending.key, due_at=wake_at)


def _inherits(message: Message) -> bool:
    """Say whether what this message sends takes over in its turn: only one generation does."""
    return message.kind is MessageKind.RECOVER
