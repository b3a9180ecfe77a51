"""Which record may follow which: the safety of the engine, as data.

Every write of the engine is conditional. The condition is a ``Guard`` or a ``HeadGuard`` from
this module, handed to the store together with the new record; a store applies the write if and
only if the guard allows it, in one atomic step, and says whether it did. Nothing else keeps two
executors, a zombie and a sweeper from contradicting one another: no lock, no clock, no counter
in memory.

An operation moves along one of these paths; every arrow is one write::

    step         (none) ── RETRY 1 ── RETRY 2 ── … ── DONE | FAILED       each attempt at most once
                 any arrow to attempt n may lead through STARTED n; at_most_once: every one does
    short sleep  (none) ──────────────────────────── DONE                 the message is the timer
    long sleep   (none) ── WAITING ───────────────── DONE                 the due index is the timer
    wait         (none) ── WAITING ───────────────── DONE | FAILED        event or time-out
    callback     (none) ── WAITING ───────────────── DONE | FAILED        woken later after a beat
    child run    (none) ── WAITING ───────────────── DONE | FAILED        what the child came to
    start, send  (none) ──────────────────────────── DONE | FAILED        done by the engine itself
    join         (none) ──────────────────────────── DONE                 says which branches count

    continuation (none)                                                   ends the run instead

    any but a join, start or send also becomes CANCELLED instead, if the run is to end

A run moves along these::

    (none) ── RUNNING ── COMPLETED | FAILED | CANCELLED | TIMED_OUT | CONTINUED
                 │  ↑
                 ↓  │
              STALLED | PAUSED

What is not in the table is refused and changes nothing. DONE, FAILED and the terminal statuses
have no way out: a result is never replaced.

A guard that refuses is not an error. It means that somebody else wrote first; the caller reads
again and finds out what it still owes (see ``decide``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.model import OpStatus, RunStatus
from everstep.core.records import dataclass, replace

if TYPE_CHECKING:
    from everstep.core.audit import AuditEntry
    from everstep.core.circumstances import Seal
    from everstep.core.model import Head, OpRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Condition on the operation record that a write replaces.

    The write is allowed if there is no record and ``absent`` is set, or if the record has one of
    ``statuses`` and meets every other clause that is set.

    Attributes:
        absent: Allow if nothing is recorded.
        statuses: Allow these statuses.
        attempt: The recorded attempt must be this one.
        attempt_below: The recorded attempt must be lower than this.
        due_at: The record must stand at this place in the due index.
        wake_at: The record must be woken at this instant.
        started: Allow this attempt, STARTED, as well.
    """

    absent: bool = False
    statuses: tuple[OpStatus, ...] = ()
    attempt: int | None = None
    attempt_below: int | None = None
    due_at: int | None = None
    wake_at: int | None = None
    started: int | None = None

    def allows(self, record: OpRecord | None) -> bool:
        """Say whether the write may happen on top of this record."""
        if record is None:
            return self.absent
        if record.status is OpStatus.STARTED and record.attempt == self.started:
            return True
        return (
            record.status in self.statuses
            and (self.attempt is None or record.attempt == self.attempt)
            and (self.attempt_below is None or record.attempt < self.attempt_below)
            and (self.due_at is None or record.due_at == self.due_at)
            and (self.wake_at is None or record.wake_at == self.wake_at)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadGuard:
    """Condition on the head that a write changes.

    Attributes:
        statuses: Allow these statuses.
        due_at: The run must stand at this place in the due index.
        goes_on: The run must not be told to end already.
        generation: The run must have so many audit entries.
    """

    statuses: tuple[RunStatus, ...]
    due_at: int | None = None
    goes_on: bool = False
    generation: int | None = None

    def allows(self, head: Head | None) -> bool:
        """Say whether the change may happen on top of this head."""
        return (
            head is not None
            and head.status in self.statuses
            and (self.due_at is None or head.due_at == self.due_at)
            and not (self.goes_on and head.ending is not None)
            and (self.generation is None or head.generation == self.generation)
        )

    def followed_by(self, audit: AuditEntry | Seal | None) -> HeadGuard:
        """Return the condition for a change that an audit entry tells of: the next one."""
        return self if audit is None else replace(self, generation=audit.number - 1)


def step_ended(attempt: int) -> Guard:
    """Guard the result of an attempt: no result yet, and no later attempt recorded."""
    return Guard(absent=True, statuses=(OpStatus.RETRY,), attempt_below=attempt, started=attempt)


def step_retried(attempt: int) -> Guard:
    """Guard the record of a failed attempt: the one before it stands recorded, or its start."""
    return Guard(
        absent=attempt == 1, statuses=(OpStatus.RETRY,), attempt=attempt - 1, started=attempt
    )


def step_started(attempt: int) -> Guard:
    """Guard the start of an attempt: exactly the attempt before it stands recorded."""
    return Guard(absent=attempt == 1, statuses=(OpStatus.RETRY,), attempt=attempt - 1)


def step_settled(attempt: int) -> Guard:
    """Guard what becomes of an attempt whose start is recorded: nothing has become of it yet."""
    return Guard(started=attempt)


def wait_prolonged(seen_wake_at: int) -> Guard:
    """Guard a new time for a wait whose holder has given a sign of life: still the one seen."""
    return Guard(statuses=(OpStatus.WAITING,), wake_at=seen_wake_at)


def told_to_end(attempt: int) -> Guard:
    """Guard the news that the run is to end: nothing has come of the operation, or of a retry."""
    return Guard(absent=True, statuses=(OpStatus.WAITING, OpStatus.RETRY), attempt=attempt)


def timer_moved(seen_due_at: int) -> Guard:
    """Guard a move within the due index: the timer is still armed where the sweeper saw it."""
    return Guard(statuses=(OpStatus.WAITING, OpStatus.RETRY), due_at=seen_due_at)


SHORT_SLEEP_ENDED: Final = Guard(absent=True, statuses=(OpStatus.WAITING,))
"""A short sleep needs no record before its end; one that was made all the same is replaced."""

LONG_SLEEP_ENDED: Final = Guard(statuses=(OpStatus.WAITING,))
"""A long sleep ends only after it was armed."""

ARMED: Final = Guard(absent=True)
"""A long sleep is armed once, whoever tries how often."""

KEPT: Final = Guard(absent=True)
"""What a new run keeps of the one that it goes on from is written once, before there is a head."""

WAIT_ENDED: Final = Guard(statuses=(OpStatus.WAITING,))
"""A wait that was recorded ends once: with what was waited for, or when its time is up."""

PERFORMED: Final = Guard(absent=True)
"""What the engine itself was asked for is recorded once."""

JOIN_CLOSED: Final = Guard(absent=True)
"""Whoever is first to close a group decides for everybody which branches count."""

REARMED: Final = Guard(statuses=(OpStatus.WAITING, OpStatus.RETRY))
"""A timer that lost its place in the due index gets one again only while it is still awaited."""

RUN_ENDED: Final = HeadGuard(statuses=(RunStatus.RUNNING,))
"""One terminal transition wins, and only from RUNNING: what stands still resumes first."""

RUN_CONTINUED: Final = HeadGuard(statuses=(RunStatus.RUNNING,), goes_on=True)
"""A run hands over to its successor only as long as nobody wants it to end."""

RUN_STALLED: Final = HeadGuard(statuses=(RunStatus.RUNNING,))
"""Only a running run stalls; a terminal one stays what it is."""

RUN_TOLD: Final = HeadGuard(
    statuses=(RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.STALLED), goes_on=True
)
"""A run is told once to end, and not after its end; one that stands still goes on for that."""

TIME_IS_UP: Final = HeadGuard(statuses=(RunStatus.RUNNING,), goes_on=True)
"""Time ends only what goes on: a run that stands still is ended when it is resumed."""

RUN_TERMINATED: Final = HeadGuard(statuses=(RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.STALLED))
"""A run can be ended by force, whatever its code would do, as long as it has not ended."""
RUN_PAUSED: Final = HeadGuard(statuses=(RunStatus.RUNNING,))
"""Only a running run pauses: one that stands still already has its reason."""

RUN_RESUMED: Final = HeadGuard(statuses=(RunStatus.STALLED, RunStatus.PAUSED))
"""Only what stands still can go on."""

RUN_DISCARDED: Final = HeadGuard(statuses=tuple(s for s in RunStatus if s.terminal))
"""Only what has ended can be removed."""

RUN_NOTED: Final = HeadGuard(statuses=tuple(RunStatus))
"""An entry can be added to the audit of any run that is there."""


def run_taken_over(seen_due_at: int | None) -> HeadGuard:
    """Guard that somebody has a running run taken over: the sweeper has not been there since."""
    return HeadGuard(statuses=(RunStatus.RUNNING,), due_at=seen_due_at)


def watch_moved(seen_due_at: int) -> HeadGuard:
    """Guard a move of the run's own place in the due index: running, and where it was seen."""
    return HeadGuard(statuses=(RunStatus.RUNNING,), due_at=seen_due_at)
