"""What observations count for: every one of them, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from everstep.core.metrics import METRICS, values_of
from everstep.core.model import Head, OpStatus, Payload, RunStatus
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
    unobserved,
)

if TYPE_CHECKING:
    from everstep.core.observations import Observation

HEAD: Final = Head(
    run_id="run-1",
    workflow="wf",
    version="1",
    status=RunStatus.RUNNING,
    input=Payload(text="1", size=1),
    created_at=0,
    by="t",
)


def attempted(status: OpStatus, attempt: int = 1, lasted: int | None = 7) -> StepAttempted:
    return StepAttempted(run_id="r", op="a#1", attempt=attempt, status=status, lasted=lasted)


def over(status: RunStatus) -> RunOver:
    return RunOver(run_id="r", workflow="wf", status=status, lasted=5)


CASES: Final[list[tuple[Observation, dict[str, int]]]] = [
    (RunAtHand(head=HEAD), {}),
    (RunAccepted(run_id="r", workflow="wf"), {"RunsStarted": 1}),
    (over(RunStatus.COMPLETED), {"RunsCompleted": 1}),
    (over(RunStatus.FAILED), {"RunsFailed": 1}),
    (over(RunStatus.CANCELLED), {"RunsCancelled": 1}),
    (over(RunStatus.TIMED_OUT), {"RunsTimedOut": 1}),
    (over(RunStatus.CONTINUED), {"RunsContinued": 1}),
    (RunHalted(run_id="r", reason="NonDeterminismError"), {"RunsStalled": 1}),
    (attempted(OpStatus.DONE, 2), {"StepDuration": 7, "StepAttempts": 2}),
    (attempted(OpStatus.CANCELLED), {"StepDuration": 7, "StepAttempts": 1}),
    (attempted(OpStatus.RETRY), {"StepDuration": 7, "StepRetries": 1}),
    (attempted(OpStatus.FAILED, 3, None), {"StepAttempts": 3, "StepFailures": 1}),
    (StepDispatched(run_id="r", op="a#1", lag=12), {"DispatchLag": 12}),
    (SleepOver(run_id="r", op="s#1", late=3), {"SleepLateness": 3}),
    (CodeReplayed(run_id="r", operations=4, took=80), {"ReplayTime": 80, "ReplayedOperations": 4}),
    (RunRepaired(run_id="r", repair=Repair.START), {"RepairedStarts": 1}),
    (RunRepaired(run_id="r", repair=Repair.RUN), {"RepairedRuns": 1}),
    (RunRepaired(run_id="r", repair=Repair.TIMER), {"RepairedTimers": 1}),
    (RunRepaired(run_id="r", repair=Repair.ENDING), {"RepairedEndings": 1}),
    (LetterBuried(run_id="r", outcome="kept"), {"DeadLetters": 1}),
    (MessageKept(reason="no JSON"), {"MessagesKept": 1}),
]


@pytest.mark.parametrize(("observation", "values"), CASES, ids=range(len(CASES)))
def test_an_observation_counts_for_what_it_says(
    observation: Observation, values: dict[str, int]
) -> None:
    assert {metric.name: value for metric, value in values_of(observation)} == values
    unobserved(observation)


def test_every_metric_comes_from_an_observation_and_has_a_name_of_its_own() -> None:
    told = {name for _, values in CASES for name in values}
    assert told == {metric.name for metric in METRICS}
    assert len(told) == len(METRICS)
