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

from typing import TYPE_CHECKING, assert_never

from everstep.core.decisions import Broken, Raised, Returned, Suspended
from everstep.core.durations import LONGEST_DELAY
from everstep.core.effects import (
    Arm,
    Close,
    Effect,
    End,
    EndChildren,
    Look,
    Perform,
    Rearm,
    Send,
    Take,
)
from everstep.core.endings import interrupts, next_look, sweeps
from everstep.core.joins import write_join
from everstep.core.model import HEAD, MessageKind, OpKind, OpRecord, OpStatus, Payload
from everstep.core.operations import ChildCall
from everstep.core.records import dataclass
from everstep.core.waits import is_long, next_event, waiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from everstep.core.circumstances import Ending
    from everstep.core.decisions import Closable, Decision, Pending
    from everstep.core.model import Event, Message

_PERFORMED = frozenset({OpKind.START, OpKind.SEND, OpKind.CANCEL, OpKind.CONTINUE})
_AWAITED = frozenset({OpKind.WAIT, OpKind.CALLBACK, OpKind.CHILD})
_BEGIN = _PERFORMED | _AWAITED
_TAKES_OVER = frozenset({MessageKind.RECOVER, MessageKind.CANCEL})
_SETS_GOING = frozenset({MessageKind.START, MessageKind.RECOVER})


def duties(  # noqa: PLR0913 - all that there is to know
    message: Message,
    decision: Decision,
    records: Mapping[str, OpRecord],
    now: int,
    events: Sequence[Event] = (),
    *,
    ending: Ending | None = None,
    looked: frozenset[str] = frozenset(),
    deadline: int | None = None,
) -> tuple[Effect, ...]:
    """Return what the message owes, given where the workflow stands.

    Args:
        message: The message, whose token decides what is its own.
        decision: Where the pass over the workflow stands.
        records: The operation records that the pass has seen.
        now: The present, to tell short remainders from long ones.
        events: What was sent to the run.
        ending: Why the run is to end early, if it is.
        looked: Waits for child runs that the message has looked at already.
        deadline: When the run's time is up, if that is soon.
    """
    owes = _Duties(message, records, now, events, ending, looked, deadline)
    match decision:
        case Suspended():
            return owes.suspended(decision)
        case Returned() | Raised():
            return owes.ended(decision)
        case Broken():
            return ()
        case _:
            assert_never(decision)


@dataclass(frozen=True, slots=True)
class _Duties:
    message: Message
    records: Mapping[str, OpRecord]
    now: int
    events: Sequence[Event]
    ending: Ending | None
    looked: frozenset[str]
    deadline: int | None

    def suspended(self, decision: Suspended) -> tuple[Effect, ...]:
        """Return what is owed while the workflow waits; records before messages."""
        return (
            self._closes(decision.closable)
            or self._interrupts(decision)
            or self._begun(decision.frontier)
            or self._sent(decision)
        )

    def ended(self, decision: Returned | Raised) -> tuple[Effect, ...]:
        """Return what is owed once the workflow has come to its end."""
        if not self._owns(decision.last):
            return self._checks({decision.last}, decision.closers)
        end = End(outcome=decision)
        if isinstance(decision, Raised) and decision.children:
            return EndChildren(run_ids=decision.children), end
        return (end,)

    def _owns(self, key: str) -> bool:
        return _owns(self.message, key, self.records)

    def _closes(self, closable: Iterable[Closable]) -> tuple[Effect, ...]:
        """Return the groups that are the message's own to close; nothing else is owed before."""
        return tuple(
            Close(
                record=OpRecord(
                    key=group.key,
                    kind=OpKind.JOIN,
                    status=OpStatus.DONE,
                    by=self.message.token,
                    input_hash=group.operation.input_hash,
                    patches=group.patches,
                    started_at=group.ready_at,
                    ended_at=max(self.now, group.ready_at),
                    result=Payload(text=write_join(group.join)),
                )
            )
            for group in closable
            if any(self._owns(key) for key in group.closers)
        )

    def _interrupts(self, decision: Suspended) -> tuple[Effect, ...]:
        if self.ending is None:
            return ()
        return interrupts(self.message, decision.frontier, self.now, self._owns)

    def _begun(self, frontier: Iterable[Pending]) -> tuple[Effect, ...]:
        """Return the waits that begin, and those that may end; nothing else is owed before.

        A wait is recorded first, and what it waits for is looked for after that; whoever sends
        that writes it first, and looks for waits after that. So one of the two sees the other.
        """
        effects: list[Effect] = []
        for pending in frontier:
            if pending.operation.kind in _BEGIN:
                effect = self._first_of(pending) if pending.record is None else self._got(pending)
                if effect is not None and pending.operation.kind is OpKind.CONTINUE:
                    # Nothing else is owed of a run that ends by this.
                    return (effect,)
                if effect is not None:
                    effects.append(effect)
        return tuple(effects)

    def _first_of(self, pending: Pending) -> Effect | None:
        if not self._owns(pending.unlocked_by):
            return None
        call = pending.operation.call
        if pending.operation.kind in _PERFORMED or (isinstance(call, ChildCall) and call.start):
            return Perform(pending=pending)
        return Arm(record=waiting(pending, self.message.token, self.events))

    def _got(self, pending: Pending) -> Effect | None:
        mine = self._looks_after(pending)
        if pending.operation.kind is OpKind.CHILD:
            news = self.message.kind is MessageKind.CHILD and self.message.op == _starter(pending)
            look = (news or mine or self.message.take) and pending.key not in self.looked
            return Look(pending=pending) if look else None
        news = self.message.kind is MessageKind.EVENT or self.message.op == pending.key
        if not (news or mine or self.message.take):
            return None
        event = next_event(pending, self.events, self.records)
        return None if event is None else Take(pending=pending, event=event)

    def _looks_after(self, pending: Pending) -> bool:
        """Say whether a wait that is recorded is the message's own: it began it, or led to it.

        A callback may have been awaited before, in a branch that did not count in the end.
        """
        recorded = pending.record is not None and pending.record.by == self.message.token
        return recorded or (
            pending.operation.kind is OpKind.CALLBACK and self._owns(pending.unlocked_by)
        )

    def _sent(self, decision: Suspended) -> tuple[Effect, ...]:
        owed: list[Effect] = []
        unlocked: set[str] = set()
        for pending in decision.frontier:
            if pending.record is None:
                unlocked.add(pending.unlocked_by)
            if (effect := self._owed(pending)) is not None:
                owed.append(effect)
        effects = tuple(owed)
        if decision.closers:
            effects += self._checks(unlocked, decision.closers)
        if self.ending is not None and sweeps(self.message):
            if decision.children:
                effects += (EndChildren(run_ids=decision.children),)
            effects += next_look(self.message, decision.frontier, self.now)
        if self.deadline is not None and self.message.kind in _SETS_GOING:
            effects += (Send(kind=MessageKind.CANCEL, due=self.deadline),)
        return effects

    def _checks(
        self, unlocked: Iterable[str], closers: Mapping[str, tuple[str, ...]]
    ) -> tuple[Effect, ...]:
        """Return a look at groups that another message closed just before this one could.

        Nothing that follows them is recorded yet. The other message owes that; but if a duplicate
        of it was acknowledged while it died, the queue has forgotten it, and only this one
        remembers.
        """
        if self.message.kind is MessageKind.CHECK:
            return ()
        return tuple(
            Send(kind=MessageKind.CHECK, op=key, due=self.now + LONGEST_DELAY)
            for key in sorted(unlocked)
            if key in closers
            and not self._owns(key)
            and any(self._owns(closer) for closer in closers[key])
        )

    def _owed(self, pending: Pending) -> Effect | None:
        record = pending.record
        if record is None:
            return _first(self.message, pending) if self._owns(pending.unlocked_by) else None
        if record.wake_at is None or not (self.message.take or self._looks_after(pending)):
            return None
        if record.status is OpStatus.STARTED and not self.message.take:
            # The message that has begun it is not done with it, and comes again if it dies.
            return None
        if self.message.take or record.by != self.message.token:
            return _taken(self.message, pending, record, self.now)
        # A long timer was armed by the very write of its record; a short one travels as a message.
        return None if record.due_at is not None else _again(self.message, pending, record)


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


def _starter(pending: Pending) -> str:
    """Return the operation that started the child run which is waited for."""
    call = pending.operation.call
    started_by = call.started_by if isinstance(call, ChildCall) else None
    return started_by or pending.key


def _first(message: Message, pending: Pending) -> Effect:
    """Return what sets a step or a sleep going that has no record yet."""
    take = _inherits(message)
    if pending.operation.kind is OpKind.STEP:
        return Send(kind=MessageKind.STEP, op=pending.key, attempt=1, take=take)
    wake_at = pending.wake_at or pending.ready_at
    if not is_long(pending):
        return Send(kind=MessageKind.TIMER, op=pending.key, due=wake_at, take=take)
    # A long sleep is recorded as any wait is.
    return Arm(record=waiting(pending, message.token, ()))


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
    """Return what a message does for an operation that another one has made wait."""
    wake_at = record.wake_at or 0
    # What was begun stands in no index: its message is put off as often as it takes.
    if wake_at - now <= LONGEST_DELAY or record.status is OpStatus.STARTED:
        return _again(message, pending, record)
    return None if record.due_at is not None else Rearm(key=pending.key, due_at=wake_at)


def _inherits(message: Message) -> bool:
    """Say whether what this message sends takes over in its turn: only one generation does."""
    return message.take and message.kind in _TAKES_OVER
