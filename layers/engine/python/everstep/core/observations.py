"""What the engine tells about its work, to whoever counts it: one fact per committed change.

A fact is told by whoever wrote it, once the write has succeeded: a repeat of a message, or one
that loses a race, changes nothing and tells nothing. What a process that dies has written and not
told stays untold. So a number is never too high, and seldom a little too low.

They are named tuples where everything else is a dataclass: every function imports them at its cold
start, and a dataclass takes eight times as long to make.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from everstep.core.model import Head, OpStatus, RunStatus


class Repair(StrEnum):
    """What the sweeper has done because something got lost."""

    START = "start"
    RUN = "run"
    TIMER = "timer"
    ENDING = "ending"


class RunAtHand(NamedTuple):
    """From now on this is about a run: who logs or counts may say which."""

    head: Head


class RunAccepted(NamedTuple):
    """A run was recorded, and will begin."""

    run_id: str
    workflow: str


class RunOver(NamedTuple):
    """A run became terminal, so many milliseconds after it was to begin."""

    run_id: str
    workflow: str
    status: RunStatus
    lasted: int


class RunHalted(NamedTuple):
    """A run became STALLED."""

    run_id: str
    reason: str


class StepAttempted(NamedTuple):
    """An attempt of a step was recorded.

    Attributes:
        run_id: The run.
        op: The operation.
        attempt: Number of the attempt, from 1.
        status: DONE, FAILED, RETRY (another attempt is to come) or CANCELLED.
        lasted: Milliseconds that the attempt took; None of one that left no trace of its end.
    """

    run_id: str
    op: str
    attempt: int
    status: OpStatus
    lasted: int | None


class StepDispatched(NamedTuple):
    """A step's message was acted on, so many milliseconds after it could have been."""

    run_id: str
    op: str
    lag: int


class SleepOver(NamedTuple):
    """A sleep was recorded as ended, so many milliseconds after its time."""

    run_id: str
    op: str
    late: int


class CodeReplayed(NamedTuple):
    """The code of a run was replayed from its beginning.

    Attributes:
        run_id: The run.
        operations: How many recorded operations there were to go through.
        took: Microseconds.
    """

    run_id: str
    operations: int
    took: int


class RunRepaired(NamedTuple):
    """The sweeper has sent again what got lost."""

    run_id: str
    repair: Repair


class LetterBuried(NamedTuple):
    """A dead letter was looked after.

    Attributes:
        run_id: Its run; None if it belongs to none.
        outcome: What came of it.
    """

    run_id: str | None
    outcome: str


class MessageKept(NamedTuple):
    """A message that belongs to no run was put aside."""

    reason: str


Observation = (
    RunAtHand
    | RunAccepted
    | RunOver
    | RunHalted
    | StepAttempted
    | StepDispatched
    | SleepOver
    | CodeReplayed
    | RunRepaired
    | LetterBuried
    | MessageKept
)


def unobserved(_observation: Observation) -> None:
    """Take no notice."""
