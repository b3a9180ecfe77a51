"""The recorded facts: a run's head, its operation records, and the messages between steps.

Times are whole milliseconds since 1970 in UTC. Payloads are recorded text, either inline or
behind a reference to the blob store. All values are immutable.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from everstep.core.records import dataclass, replace
from everstep.core.run_logs import NO_LOGS
from everstep.core.statuses import OpKind, OpStatus, RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.core.circumstances import Ending, Origin, Parent, Trail
    from everstep.core.run_logs import Logs
    from everstep.core.trace_context import Correlation

__all__ = [
    "ANY_INPUT",
    "ENDED_BY_FORCE",
    "HEAD",
    "DueEntry",
    "ErrorInfo",
    "Event",
    "Head",
    "History",
    "Message",
    "MessageKind",
    "OpKind",
    "OpRecord",
    "OpStatus",
    "Outgoing",
    "Payload",
    "RunStatus",
    "Stall",
]

ENDED_BY_FORCE: Final = "RunTerminated"
"""The type of error that a run has which was ended by force."""

ANY_INPUT: Final = "*"
"""Stands for the hash of whatever the code asks for; no hash of an input is this short."""

HEAD: Final = ""
"""Stands for the run itself where an operation key is expected: no operation is called that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """A recorded value: its text, or where the blob store keeps the text.

    Attributes:
        text: The text; of a payload in the blob store only while it is at hand.
        ref: Where the blob store keeps it; None if it stands in the record itself.
        size: Bytes of the text.
        sealed: What stands recorded in its place, where a payload codec has made it unreadable.
    """

    text: str | None = None
    ref: str | None = None
    size: int = 0
    sealed: str | None = None

    @property
    def at_hand(self) -> str:
        """Return the text.

        Raises:
            ValueError: It is in the blob store and was not fetched.
        """
        if self.text is None:
            raise ValueError(f"the text of {self.ref} was not fetched")
        return self.text

    @property
    def recorded(self) -> Payload:
        """Return what stands in a record: the text or the reference, never both."""
        if self.ref is not None:
            return Payload(ref=self.ref, size=self.size)
        return self if self.sealed is None else Payload(text=self.sealed, size=self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorInfo:
    """A recorded error.

    Attributes:
        type: Name of the exception class.
        message: Its message.
        operation: Key of the operation that failed, where one did.
        trace: The innermost frames of user code, for people.
    """

    type: str
    message: str
    operation: str | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpRecord:
    """What is known of one operation.

    Attributes:
        key: Identity within the run, see ``keys``.
        kind: What it does.
        status: How far it is.
        by: Token of the message that wrote this record; that message owes its consequences.
        input_hash: Hash of what the code asked for, to notice when the code asks something else.
        attempt: Number of the attempt that wrote this record, from 1; 0 for timers.
        started_at: Start of the last attempt, or of the wait.
        ended_at: When the record became final or the attempt failed.
        wake_at: When a sleep ends, the next attempt is due, or a started one is surely over.
        due_at: Position in the due index while the sweeper has to look after it.
        result: The value of a DONE operation.
        error: The error of a FAILED operation or of the last attempt.
        event: Number of the event that a wait has taken.
        child: The run that was started, or is waited for.
        outcome: What that run ended as, where it did not complete; FAILED of a callback, too, where
            whoever was to complete it could not.
        patches: Changes of the code that the run has come by before it, see ``Session.patched``.
        hidden: Values that code has registered as secret by then, see ``hiding``.
        logs: What was said on the way to it, and in its attempts.
        cost: What was taken for it, see ``spending``; no part of what it says.
    """

    key: str
    kind: OpKind
    status: OpStatus
    by: str
    input_hash: str
    attempt: int = 0
    started_at: int | None = None
    ended_at: int | None = None
    wake_at: int | None = None
    due_at: int | None = None
    result: Payload | None = None
    error: ErrorInfo | None = None
    event: int | None = None
    child: str | None = None
    outcome: RunStatus | None = None
    patches: tuple[str, ...] = ()
    hidden: Payload | None = None
    logs: Logs = NO_LOGS
    cost: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that was sent to a run, kept until a wait takes it.

    Attributes:
        name: What it is called.
        number: Counts the events of this name, from 1.
        payload: What came with it, as JSON from outside.
        at: When it was accepted.
        key: Idempotency key of its sender.
        taken_by: The wait that has claimed it, where several may be after it at the same time.
        cost: What was taken to accept it.
    """

    name: str
    number: int
    payload: Payload
    at: int
    key: str | None = None
    taken_by: str | None = None
    cost: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """Why a run stands still, and the message that could not be processed, if one could not."""

    reason: ErrorInfo
    at: int
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a run as a whole.

    Attributes:
        run_id: Its identity, sortable by creation time.
        workflow: Name of the workflow.
        version: The version that the run started with and stays on.
        status: Recorded status, see ``RunStatus``.
        input: What it was started with.
        created_at: When it was accepted.
        starts_at: When it is to begin, if that is later than when it was accepted.
        by: Token of the message (or call) that wrote the status last.
        generation: The number of the last entry of its audit.
        due_at: When the sweeper looks at the run next; none once it is terminal.
        ended_at: When it became terminal.
        result: The value of a COMPLETED run.
        error: The error of a FAILED run.
        stall: Why a STALLED run stands still.
        resumed_at: When it was resumed last.
        idempotency_key: What the trigger was called with.
        secret: What its callback tokens are made of; nobody outside learns it.
        parent: What started it, of a child run.
        deadline: When its time is up.
        ending: Why it is to end early, once it is.
        origin: What it goes on from, of a run that is a retry or a fork.
        reference_id: The caller's own name for it.
        tags: The caller's own marks on it.
        retention: How long it is kept after its end, in milliseconds; None for ever.
        successor: The run that goes on in its place, of a CONTINUED one.
        trail: What it holds of its audit; None if that is all of an earlier release.
        hidden: Its secrets, as far as they were known when it began; all of them at its end.
        correlation: What joins it with the rest of the world, if its caller said so.
        logs: What was said after the last operation.
        cost: What was taken to accept it, see ``spending``.
        total: What was taken for all of it, told at its end.
        past: What was taken for the runs in whose place it goes on, told at its beginning.
        budget: What it may cost, in billionths of a dollar, instead of what its workflow says.
    """

    run_id: str
    workflow: str
    version: str
    status: RunStatus
    input: Payload
    created_at: int
    by: str
    starts_at: int | None = None
    generation: int = 0
    due_at: int | None = None
    ended_at: int | None = None
    result: Payload | None = None
    error: ErrorInfo | None = None
    stall: Stall | None = None
    resumed_at: int | None = None
    idempotency_key: str | None = None
    secret: str = field(default="", repr=False)
    parent: Parent | None = None
    deadline: int | None = None
    ending: Ending | None = None
    origin: Origin | None = None
    reference_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    retention: int | None = None
    successor: str | None = None
    trail: Trail | None = None
    hidden: Payload | None = None
    correlation: Correlation | None = None
    logs: Logs = NO_LOGS
    cost: str = field(default="", compare=False)
    total: str = field(default="", compare=False)
    past: str = field(default="", compare=False)
    budget: int | None = None

    @property
    def begins_at(self) -> int:
        """Return the time with which the run's code begins."""
        return self.created_at if self.starts_at is None else self.starts_at

    @property
    def was_forced(self) -> bool:
        """Say whether the run was ended by force, whatever its code would have done."""
        return self.error is not None and self.error.type == ENDED_BY_FORCE


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All of a run, as one strongly consistent query saw it.

    Attributes:
        head: The run as a whole.
        records: What is recorded of its operations, by key.
        events: What was sent to it, by name in the order in which it came.
        read_at: When somebody set out to read the head.
    """

    head: Head
    records: dict[str, OpRecord] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    read_at: int = field(default=0, compare=False)

    def begins_later(self, now: int) -> bool:
        """Say whether the run is to begin later; one that is to end before that has no need to."""
        head = self.head
        ahead = head.starts_at is not None and now < head.starts_at
        return ahead and not self.records and head.ending is None

    def with_record(self, record: OpRecord) -> History:
        """Return the history as it is after this record was written."""
        records = {**self.records, record.key: record}
        return History(head=self.head, records=records, events=self.events)


class MessageKind(StrEnum):
    """Why a message was sent.

    Values:
        START: A run was accepted.
        STEP: Execute one attempt of a step.
        TIMER: A sleep ends.
        RECOVER: Take over every obligation of a run that stood still.
        EVENT: An event was sent to the run.
        CHECK: See whether what follows a closed group is under way.
        CHILD: A child run has ended.
        CANCEL: The run is to end before its code does.
    """

    START = "start"
    STEP = "step"
    TIMER = "timer"
    RECOVER = "recover"
    EVENT = "event"
    CHECK = "check"
    CHILD = "child"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message of the step queue; it carries no user data.

    Attributes:
        run_id: The run it belongs to.
        kind: Why it was sent.
        token: Drawn anew for every send; what it writes is marked with it.
        op: Key of the operation, empty for START and RECOVER.
        attempt: Number of the attempt to make, from 1; 0 where none is meant.
        due: Do not act before this instant; 0 for at once.
        take: Inherit every obligation of the operation, whoever had it.
        cost: What was taken before it, and is to be recorded with its operation.
    """

    run_id: str
    kind: MessageKind
    token: str
    op: str = HEAD
    attempt: int = 0
    due: int = 0
    take: bool = False
    cost: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEntry:
    """One entry of the due index: a timer, or a run that the sweeper watches.

    Attributes:
        run_id: The run.
        key: The operation, or HEAD for the run itself.
        due_at: Where it stands in the index.
        wake_at: When the timer ends, or the run is to begin; earlier than ``due_at`` once the
            message for that was sent.
        attempt: Attempt recorded last, for a retry that waits.
        status: Status of the operation; none for the run itself.
        ended: Whether it is a run that has ended, and is due to be removed.
    """

    run_id: str
    key: str
    due_at: int
    wake_at: int = 0
    attempt: int = 0
    status: OpStatus | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to send.

    Attributes:
        message: The message.
        delay: How long the queue holds it back, in whole seconds up to 900.
        cost: What it carries in place of its own ``cost``.
    """

    message: Message
    delay: int = 0
    cost: str = field(default="", compare=False)

    @property
    def whole(self) -> Message:
        """Return the message as it arrives."""
        return replace(self.message, cost=self.cost or self.message.cost)
