"""One run in full, and lists of runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everstep.core.model import ErrorInfo, RunStatus
from everstep.http.application import LARGEST_ANSWER
from tests.unit.http.world import ORDER, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_run_that_was_just_accepted_shows_its_first_step_as_scheduled(world: World) -> None:
    world.started("shop", ORDER)
    run = world.get("/runs/run-0-00000001").body
    steps = run.pop("steps")
    assert run == {
        "run_id": "run-0-00000001",
        "workflow": "shop",
        "version": "1.1.0",
        "status": "PENDING",
        "reference_id": None,
        "tags": {},
        "created_at": "2026-01-01T00:00:00.000Z",
        "starts_at": None,
        "started_at": None,
        "ended_at": None,
        "wake_at": None,
        "deadline": None,
        "input": ORDER,
        "result": None,
        "error": None,
        "stall": None,
        "parent": None,
        "ending": None,
        "origin": None,
        "successor": None,
        "trace_id": "6955b9007ed899feed7160e7b82af206",
        "correlation_id": "6955b9007ed899feed7160e7b82af206",
    }
    assert [(each["key"], each["status"], each["attempt"]) for each in steps] == [
        ("charge#1", "SCHEDULED", 0)
    ]


def test_a_sleeping_run_tells_when_it_wakes(world: World) -> None:
    world.started("shop", ORDER)
    world.work()
    run = world.get("/runs/run-0-00000001").body
    assert (run["status"], run["wake_at"]) == ("SLEEPING", "2026-01-01T00:01:00.000Z")
    assert run["steps"][1] == {
        "key": "sleep#1",
        "name": "sleep",
        "kind": "sleep",
        "status": "WAITING",
        "attempt": 0,
        "started_at": "2026-01-01T00:00:00.000Z",
        "ended_at": None,
        "wake_at": "2026-01-01T00:01:00.000Z",
        "lateness_ms": None,
        "duration_ms": None,
        "result": None,
        "error": None,
        "child": None,
    }


def test_a_completed_run_shows_results_times_and_how_late_a_sleep_ended(world: World) -> None:
    world.started("shop", ORDER)
    world.work()
    world.advance(62)
    run = world.get("/runs/run-0-00000001").body
    assert (run["status"], run["result"]) == ("COMPLETED", {"receipt": "charged 20"})
    assert (run["started_at"], run["ended_at"]) == (
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:01:02.000Z",
    )
    charged, slept = run["steps"]
    assert (charged["status"], charged["attempt"], charged["result"]) == ("DONE", 1, "charged 20")
    assert (charged["duration_ms"], charged["lateness_ms"]) == (0, None)
    assert (slept["status"], slept["duration_ms"], slept["lateness_ms"]) == ("DONE", 62_000, 2000)


def test_a_failed_attempt_shows_its_error_and_when_the_next_one_is_due(world: World) -> None:
    world.started("shop", {"id": "A-1", "total": -1})
    world.work()
    run = world.get("/runs/run-0-00000001").body
    (charge,) = run["steps"]
    assert (charge["status"], charge["attempt"]) == ("RETRY", 1)
    assert charge["wake_at"] == "2026-01-01T00:00:01.000Z"
    assert charge["error"] == {
        "type": "ValueError",
        "message": "cannot charge -1",
        "operation": "charge#1",
    }


def test_a_failed_run_shows_type_message_and_operation(world: World) -> None:
    world.started("shop", {"id": "A-1", "total": -1})
    world.work()
    world.advance(1)
    run = world.get("/runs/run-0-00000001").body
    assert (run["status"], run["result"]) == ("FAILED", None)
    assert run["error"]["type"] == "StepFailed"
    assert run["error"]["operation"] == "charge#1"
    assert "trace" not in run["error"]


def test_a_stalled_run_shows_why_and_the_message_that_could_not_be_processed(world: World) -> None:
    run_id = world.stalled(message='{"run":"x"}')
    run = world.get(f"/runs/{run_id}").body
    assert run["status"] == "STALLED"
    assert run["stall"] == {
        "type": "DeadLetter",
        "message": "never finished",
        "operation": "charge#1",
        "at": "2026-01-01T00:00:00.000Z",
        "message_body": '{"run":"x"}',
    }


def test_a_run_that_stalled_without_a_message_shows_none(world: World) -> None:
    assert "message_body" not in world.get(f"/runs/{world.stalled()}").body["stall"]


def test_secrets_are_masked_in_input_and_result(world: World) -> None:
    run_id = world.started("login", {"user": "ada", "password": "hunter2"})
    world.work()
    answer = world.get(f"/runs/{run_id}")
    assert answer.body["input"] == {"user": "ada", "password": "***"}
    assert answer.body["result"] == answer.body["input"]
    assert "hunter2" not in answer.text


def test_a_payload_in_the_blob_store_is_shown_in_full(world: World) -> None:
    run_id = world.started("anything", "é" * 300)
    world.work()
    assert world.get(f"/runs/{run_id}").body["result"] == "é" * 300


@pytest.mark.parametrize("query", ["", "?include=steps"])
def test_steps_are_shown_unless_something_else_is_asked_for(world: World, query: str) -> None:
    run_id = world.started("shop", ORDER)
    assert "steps" in world.get(f"/runs/{run_id}{query}").body
    assert "steps" not in world.get(f"/runs/{run_id}?include=").body


def test_half_a_character_in_an_error_is_sent_as_a_question_mark(world: World) -> None:
    run_id = world.started("bare")
    error = ErrorInfo(type="ValueError", message="\ud800")
    ended = replace(world.store._heads[run_id], status=RunStatus.FAILED, error=error)
    world.store._heads[run_id] = ended
    assert world.get(f"/runs/{run_id}").body["error"]["message"] == "?"


def test_an_answer_that_lambda_would_not_let_through_says_what_to_ask_for(world: World) -> None:
    world = World(limits=replace(world.limits, payload=LARGEST_ANSWER + 100))
    run_id = world.started("anything", "x" * LARGEST_ANSWER)
    answer = world.get(f"/runs/{run_id}")
    assert (answer.status, answer.body["type"][-16:]) == (422, "answer-too-large")
    assert "?include=" in answer.body["detail"]


# --- Lists


def test_runs_are_listed_newest_first_page_by_page(world: World) -> None:
    for _ in range(3):
        world.started("bare")
    first = world.get("/runs?limit=2").body
    second = world.get(f"/runs?limit=2&cursor={first['cursor']}").body
    assert [each["run_id"][-1] for each in first["runs"]] == ["3", "2"]
    assert [each["run_id"][-1] for each in second["runs"]] == ["1"]
    assert second["cursor"] is None


def test_a_listed_run_shows_what_lists_know(world: World) -> None:
    world.started("bare")
    world.work()
    assert world.get("/runs").body["runs"] == [
        {
            "run_id": "run-0-00000001",
            "workflow": "bare",
            "version": "1",
            "status": "COMPLETED",
            "reference_id": None,
            "tags": {},
            "created_at": "2026-01-01T00:00:00.000Z",
            "starts_at": None,
            "ended_at": "2026-01-01T00:00:00.000Z",
        }
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("workflow=shop", ["shop"]),
        ("status=COMPLETED", ["bare"]),
        ("status=SLEEPING", ["shop"]),
        ("workflow=shop&status=COMPLETED", []),
        ("workflow=not-deployed", []),
    ],
)
def test_lists_filter_by_workflow_and_status(world: World, query: str, found: list[str]) -> None:
    world.started("bare")
    world.started("shop", ORDER)
    world.work()
    assert [each["workflow"] for each in world.get(f"/runs?{query}").body["runs"]] == found
