"""Metrics as log lines: one per invocation, as CloudWatch reads them."""

from __future__ import annotations

import io
import json
import time
from typing import Any, Final

import pytest

from everstep.adapters.emf import MOST_VALUES, EmfMetrics
from everstep.core.model import OpStatus
from everstep.core.observations import (
    MessageKept,
    RunAccepted,
    RunAtHand,
    SleepOver,
    StepAttempted,
)
from tests.unit.core.test_metrics import HEAD

ACCEPTED: Final = RunAccepted(run_id="run-1", workflow="wf")


def attempted(lasted: int, run_id: str = "run-1") -> StepAttempted:
    return StepAttempted(run_id=run_id, op="a#1", attempt=1, status=OpStatus.DONE, lasted=lasted)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_invocation_writes_one_line_with_every_value() -> None:
    stream = io.StringIO()
    metrics = EmfMetrics("shop", stream=stream)
    for each in (RunAtHand(head=HEAD), ACCEPTED, attempted(5), attempted(9), ACCEPTED):
        metrics.observe(each)
    before = time.time() * 1000
    metrics.flush("request-1")
    (line,) = lines(stream)
    assert line["_aws"].pop("Timestamp") == pytest.approx(before, abs=60_000)
    assert line == {
        "_aws": {
            "CloudWatchMetrics": [
                {
                    "Namespace": "Everstep",
                    "Dimensions": [["Deployment"]],
                    "Metrics": [
                        {"Name": "RunsStarted", "Unit": "Count"},
                        {"Name": "StepDuration", "Unit": "Milliseconds"},
                        {"Name": "StepAttempts", "Unit": "Count"},
                    ],
                }
            ]
        },
        "Deployment": "shop",
        "RunsStarted": 2,
        "StepDuration": [5, 9],
        "StepAttempts": [1, 1],
        "run_id": "run-1",
        "request_id": "request-1",
    }


def test_an_invocation_of_which_there_is_nothing_to_tell_writes_nothing() -> None:
    stream = io.StringIO()
    metrics = EmfMetrics("shop", stream=stream)
    metrics.observe(RunAtHand(head=HEAD))
    metrics.flush("request-1")
    metrics.observe(ACCEPTED)
    metrics.flush("request-2")
    metrics.flush("request-3")
    assert [line["request_id"] for line in lines(stream)] == ["request-2"]


def test_a_line_about_several_runs_names_none() -> None:
    stream = io.StringIO()
    metrics = EmfMetrics("shop", stream=stream)
    metrics.observe(ACCEPTED)
    metrics.observe(RunAccepted(run_id="run-2", workflow="wf"))
    metrics.flush("request-1")
    assert "run_id" not in lines(stream)[0]


def test_more_values_than_a_line_takes_are_written_in_several() -> None:
    stream = io.StringIO()
    metrics = EmfMetrics("shop", stream=stream)
    metrics.observe(ACCEPTED)
    for lasted in range(MOST_VALUES + 1):
        metrics.observe(attempted(lasted))
    metrics.flush("request-1")
    first, second = lines(stream)
    assert first["StepDuration"] == list(range(MOST_VALUES))
    assert second["StepDuration"] == MOST_VALUES
    assert (first["RunsStarted"], "RunsStarted" in second) == (1, False)


def test_by_workflow_there_is_a_line_for_each_with_both_sets_of_dimensions() -> None:
    stream = io.StringIO()
    metrics = EmfMetrics("shop", by_workflow=True, stream=stream)
    metrics.observe(ACCEPTED)
    metrics.observe(RunAccepted(run_id="run-2", workflow="other"))
    metrics.observe(attempted(5, "run-2"))
    metrics.observe(SleepOver(run_id="unheard of", op="s#1", late=1))
    metrics.observe(MessageKept(reason="no JSON"))
    metrics.flush("request-1")
    told = [
        (line.get("Workflow"), line["_aws"]["CloudWatchMetrics"][0]["Dimensions"])
        for line in lines(stream)
    ]
    both = [["Deployment"], ["Deployment", "Workflow"]]
    assert told == [("wf", both), ("other", both), (None, [["Deployment"]])]


def test_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = EmfMetrics("shop")
    metrics.observe(ACCEPTED)
    metrics.flush("request-1")
    assert json.loads(capsys.readouterr().out)["RunsStarted"] == 1
