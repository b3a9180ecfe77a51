"""Which numbers a deployment tells of itself: name, unit and meaning, in one table.

What an observation counts for is decided here, purely; an adapter writes it. Metrics that stay
away while nothing goes wrong cost nothing: CloudWatch charges for those that have values.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, assert_never

from everstep.core.model import OpStatus, RunStatus
from everstep.core.observations import (
    CodeReplayed,
    LetterBuried,
    MessageKept,
    Repair,
    RunAccepted,
    RunAtHand,
    RunHalted,
    RunOver,
    RunRepaired,
    SleepOver,
    StepAttempted,
    StepDispatched,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.core.observations import Observation

NAMESPACE: Final = "Everstep"


class Unit(StrEnum):
    """The units of CloudWatch that are used."""

    COUNT = "Count"
    MILLISECONDS = "Milliseconds"
    MICROSECONDS = "Microseconds"


class Metric(NamedTuple):
    """A number that is told.

    Attributes:
        name: Its name in CloudWatch.
        unit: Its unit.
        meaning: What one value says.
        counted: Whether values are mere ones, of which only the sum says anything.
    """

    name: str
    unit: Unit
    meaning: str
    counted: bool = False


def _count(name: str, meaning: str) -> Metric:
    return Metric(name=name, unit=Unit.COUNT, meaning=meaning, counted=True)


def _size(name: str, meaning: str) -> Metric:
    return Metric(name=name, unit=Unit.COUNT, meaning=meaning)


def _time(name: str, meaning: str) -> Metric:
    return Metric(name=name, unit=Unit.MILLISECONDS, meaning=meaning)


RUNS_STARTED: Final = _count("RunsStarted", "a run was recorded; child runs and successors, too")
RUNS_COMPLETED: Final = _count("RunsCompleted", "a run ended COMPLETED")
RUNS_FAILED: Final = _count("RunsFailed", "a run ended FAILED")
RUNS_CANCELLED: Final = _count("RunsCancelled", "a run ended CANCELLED")
RUNS_TIMED_OUT: Final = _count("RunsTimedOut", "a run ended TIMED_OUT")
RUNS_CONTINUED: Final = _count("RunsContinued", "a run ended CONTINUED: its successor goes on")
RUNS_STALLED: Final = _count("RunsStalled", "a run became STALLED")
STEP_DURATION: Final = _time("StepDuration", "an attempt of a step was recorded: how long it took")
STEP_ATTEMPTS: Final = _size("StepAttempts", "a step came to its end: in which attempt")
STEP_RETRIES: Final = _count("StepRetries", "an attempt failed, and another one is to come")
STEP_FAILURES: Final = _count("StepFailures", "a step failed for good")
DISPATCH_LAG: Final = _time(
    "DispatchLag", "an attempt was made: how long after its message could be delivered"
)
SLEEP_LATENESS: Final = _time("SleepLateness", "a sleep ended: how long after its time")
REPAIRED_STARTS: Final = _count("RepairedStarts", "a run's first message was sent again")
REPAIRED_RUNS: Final = _count("RepairedRuns", "a run that showed no progress was taken over")
REPAIRED_TIMERS: Final = _count("RepairedTimers", "a timer's message was sent again")
REPAIRED_ENDINGS: Final = _count("RepairedEndings", "a run was told again that it is to end")
DEAD_LETTERS: Final = _count("DeadLetters", "a message was given up, and looked after")
MESSAGES_KEPT: Final = _count("MessagesKept", "a message that belongs to no run was put aside")
REPLAY_TIME: Final = Metric(
    name="ReplayTime",
    unit=Unit.MICROSECONDS,
    meaning="a run's code was replayed: how long it took",
)
REPLAYED_OPERATIONS: Final = _size(
    "ReplayedOperations", "a run's code was replayed: over how many recorded operations"
)

METRICS: Final = (
    RUNS_STARTED,
    RUNS_COMPLETED,
    RUNS_FAILED,
    RUNS_CANCELLED,
    RUNS_TIMED_OUT,
    RUNS_CONTINUED,
    RUNS_STALLED,
    STEP_DURATION,
    STEP_ATTEMPTS,
    STEP_RETRIES,
    STEP_FAILURES,
    DISPATCH_LAG,
    SLEEP_LATENESS,
    REPAIRED_STARTS,
    REPAIRED_RUNS,
    REPAIRED_TIMERS,
    REPAIRED_ENDINGS,
    DEAD_LETTERS,
    MESSAGES_KEPT,
    REPLAY_TIME,
    REPLAYED_OPERATIONS,
)

_ENDED: Final = {
    RunStatus.COMPLETED: RUNS_COMPLETED,
    RunStatus.FAILED: RUNS_FAILED,
    RunStatus.CANCELLED: RUNS_CANCELLED,
    RunStatus.TIMED_OUT: RUNS_TIMED_OUT,
    RunStatus.CONTINUED: RUNS_CONTINUED,
}
_REPAIRED: Final = {
    Repair.START: REPAIRED_STARTS,
    Repair.RUN: REPAIRED_RUNS,
    Repair.TIMER: REPAIRED_TIMERS,
    Repair.ENDING: REPAIRED_ENDINGS,
}


def values_of(observation: Observation) -> Iterator[tuple[Metric, int]]:
    """Yield what an observation counts for."""
    match observation:
        case RunAtHand():
            return
        case RunAccepted() | RunOver() | RunHalted() | RunRepaired():
            yield _run(observation), 1
        case LetterBuried():
            yield DEAD_LETTERS, 1
        case MessageKept():
            yield MESSAGES_KEPT, 1
        case _:
            yield from _work(observation)


def _run(observation: RunAccepted | RunOver | RunHalted | RunRepaired) -> Metric:
    match observation:
        case RunAccepted():
            return RUNS_STARTED
        case RunOver(status=status):
            return _ENDED[status]
        case RunHalted():
            return RUNS_STALLED
        case RunRepaired(repair=repair):
            return _REPAIRED[repair]
        case _:
            assert_never(observation)


def _work(
    observation: StepAttempted | StepDispatched | SleepOver | CodeReplayed,
) -> Iterator[tuple[Metric, int]]:
    match observation:
        case StepAttempted():
            yield from _attempted(observation)
        case StepDispatched(lag=lag):
            yield DISPATCH_LAG, lag
        case SleepOver(late=late):
            yield SLEEP_LATENESS, late
        case CodeReplayed(operations=operations, took=took):
            yield REPLAY_TIME, took
            yield REPLAYED_OPERATIONS, operations
        case _:
            assert_never(observation)


def _attempted(attempted: StepAttempted) -> Iterator[tuple[Metric, int]]:
    if attempted.lasted is not None:
        yield STEP_DURATION, attempted.lasted
    if attempted.status is OpStatus.RETRY:
        yield STEP_RETRIES, 1
        return
    yield STEP_ATTEMPTS, attempted.attempt
    if attempted.status is OpStatus.FAILED:
        yield STEP_FAILURES, 1
