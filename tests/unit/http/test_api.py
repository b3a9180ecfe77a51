"""Questions about runs and workflows, and ``resume``: every answer and every refusal."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Coroutine  # noqa: TC003 - read at run time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from everstep import Context, workflow
from everstep.adapters.errors import AdapterError
from everstep.app.stall import stall
from everstep.authoring.registry import Registry
from everstep.core.model import ErrorInfo, RunStatus
from everstep.http.api import VERSION
from everstep.http.application import LARGEST_ANSWER
from tests.unit.http.world import World

ORDER = {"id": "A-1", "total": 20}
REASON = ErrorInfo(type="DeadLetter", message="never finished", operation="charge#1")


@pytest.fixture
def world() -> World:
    return World()


def stalled(world: World, message: str | None = None) -> str:
    run_id = world.started("shop", ORDER)
    assert stall(world.engine, run_id, REASON, by="token", message=message)
    return run_id


# --- One run


def test_a_run_that_was_just_accepted_shows_its_first_step_as_scheduled(world: World) -> None:
    world.started("shop", ORDER)
    run = world.get("/runs/run-0-00000001").body
    steps = run.pop("steps")
    assert run == {
        "run_id": "run-0-00000001",
        "workflow": "shop",
        "version": "1.1.0",
        "status": "PENDING",
        "created_at": "2026-01-01T00:00:00.000Z",
        "started_at": None,
        "ended_at": None,
        "wake_at": None,
        "input": ORDER,
        "result": None,
        "error": None,
        "stall": None,
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
        "status": "SCHEDULED",
        "attempt": 0,
        "started_at": "2026-01-01T00:00:00.000Z",
        "ended_at": None,
        "wake_at": "2026-01-01T00:01:00.000Z",
        "lateness_ms": None,
        "duration_ms": None,
        "result": None,
        "error": None,
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
    run_id = stalled(world, message='{"run":"x"}')
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
    assert "message_body" not in world.get(f"/runs/{stalled(world)}").body["stall"]


def test_secrets_are_masked_in_input_and_result(world: World) -> None:
    run_id = world.started("login", {"user": "ada", "password": "hunter2"})
    world.work()
    answer = world.get(f"/runs/{run_id}")
    assert answer.body["input"] == {"user": "ada", "password": "**********"}
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
            "created_at": "2026-01-01T00:00:00.000Z",
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


# --- Results


def test_a_result_is_200_once_the_run_has_completed(world: World) -> None:
    run_id = world.started("anything", [1])
    world.work()
    answer = world.get(f"/runs/{run_id}/result")
    assert answer.status == 200
    assert answer.body == {"run_id": run_id, "status": "COMPLETED", "result": [1]}
    assert world.pauses == []


def test_the_result_of_a_failed_run_is_its_error(world: World) -> None:
    run_id = world.started("shop", {"id": "A-1", "total": -1})
    world.work()
    world.advance(1)
    body = world.get(f"/runs/{run_id}/result").body
    assert (body["status"], body["error"]["type"], "result" in body) == (
        "FAILED",
        "StepFailed",
        False,
    )


def test_without_a_wait_a_run_that_goes_on_is_202_at_once(world: World) -> None:
    run_id = world.started("shop", ORDER)
    answer = world.get(f"/runs/{run_id}/result")
    assert (answer.status, answer.body) == (202, {"run_id": run_id, "status": "PENDING"})
    assert world.pauses == []


def test_waiting_ends_with_the_run(world: World) -> None:
    run_id = world.started("anything", 1)
    answer = world.get(f"/runs/{run_id}/result?wait=20")
    assert (answer.status, answer.body["result"]) == (200, 1)
    assert len(world.pauses) == 1


def test_waiting_lasts_as_long_as_asked_in_growing_pauses(world: World) -> None:
    run_id = world.started("shop", ORDER)
    answer = world.get(f"/runs/{run_id}/result?wait=20")
    assert (answer.status, answer.body["status"]) == (202, "SLEEPING")
    assert sum(world.pauses) == pytest.approx(20)
    assert world.pauses[:-1] == sorted(world.pauses[:-1])
    assert max(world.pauses) == 1
    assert len(world.pauses) < 30


def test_waiting_ends_before_the_function_does(world: World) -> None:
    run_id = world.started("shop", ORDER)
    world.context.left = 4100
    answer = world.get(f"/runs/{run_id}/result?wait=20")
    assert answer.status == 202
    world.context.left = 4050
    world.pauses.clear()
    assert world.get(f"/runs/{run_id}/result?wait=20").status == 202
    assert world.pauses == []


def test_a_run_that_ends_between_the_two_looks_is_200(world: World) -> None:
    run_id = world.started("anything", 1)
    runs = world.store

    class Late:
        """Ends the run when its history is read."""

        def head(self, run_id: str) -> object:
            return runs.head(run_id)

        def load(self, run_id: str) -> object:
            object.__setattr__(world.engine, "runs", runs)
            world.work()
            return runs.load(run_id)

    late: Any = Late()
    world.engine = replace(world.engine, runs=late)
    answer = world.get(f"/runs/{run_id}/result")
    assert (answer.status, answer.body["result"]) == (200, 1)


# --- Resume


def test_a_stalled_run_is_resumed_and_goes_on(world: World) -> None:
    run_id = stalled(world)
    answer = world.call("POST", f"/runs/{run_id}/resume", "{}")
    assert (answer.status, answer.body) == (202, {"run_id": run_id, "status": "RUNNING"})
    world.work()
    world.advance(60)
    assert world.get(f"/runs/{run_id}").body["status"] == "COMPLETED"


def test_resuming_a_run_that_runs_changes_nothing(world: World) -> None:
    run_id = world.started("shop", ORDER)
    assert world.call("POST", f"/runs/{run_id}/resume").status == 202


def test_a_run_that_has_ended_cannot_be_resumed(world: World) -> None:
    run_id = world.started("bare")
    world.work()
    answer = world.call("POST", f"/runs/{run_id}/resume")
    assert (answer.status, answer.body["type"]) == (409, "urn:everstep:problem:illegal-state")
    assert "COMPLETED" in answer.body["detail"]


# --- Workflows and health


def test_workflows_are_shown_with_versions_and_schemas(world: World) -> None:
    body = world.get("/workflows").body
    assert [each["name"] for each in body["workflows"]] == ["anything", "bare", "login", "shop"]
    shop = body["workflows"][3]
    assert [each["version"] for each in shop["versions"]] == ["1.0.0", "1.1.0"]
    assert shop["versions"][1]["input_schema"]["required"] == ["id", "total"]
    assert shop["versions"][0]["output_schema"] == {"type": "string"}
    assert body["workflows"][0]["versions"][0]["input_schema"] == {}
    assert body["workflows"][1]["versions"][0]["input_schema"] == {"type": "null"}
    assert body["faults"] == []


class Opaque:
    """A class that pydantic knows nothing of."""


async def gives_a_function(_ctx: Context) -> Callable[[], int]:
    return int


async def gives_something_opaque(_ctx: Context) -> Opaque:
    return Opaque()


async def gives_what_is_not_there(_ctx: Context) -> Nowhere:  # type: ignore[name-defined]  # noqa: F821
    return None


@pytest.mark.parametrize("fn", [gives_a_function, gives_something_opaque, gives_what_is_not_there])
def test_a_type_without_a_schema_is_shown_as_null(
    fn: Callable[[Context], Coroutine[Any, Any, Any]],
) -> None:
    (shown,) = World(workflows=(workflow(fn),)).get("/workflows").body["workflows"]
    assert shown["versions"] == [
        {"version": "1", "input_schema": {"type": "null"}, "output_schema": None}
    ]


def test_modules_that_could_not_be_imported_are_shown(world: World) -> None:
    registry = Registry([], {"workflows.broken": ImportError("no module named tea")})
    world.engine = replace(world.engine, registry=registry)
    assert world.get("/workflows").body == {
        "workflows": [],
        "faults": [
            {
                "module": "workflows.broken",
                "type": "ImportError",
                "message": "no module named tea",
            }
        ],
    }


def test_health_is_told_without_asking_anybody(world: World) -> None:
    world.is_throttled()
    answer = world.get("/health")
    assert (answer.status, answer.body) == (200, {"status": "ok", "version": VERSION})


def test_deep_health_reads_the_table(world: World) -> None:
    assert world.get("/health?deep=1").status == 200
    world.is_throttled()
    assert world.get("/health?deep=0").status == 200
    assert world.get("/health?deep=1").status == 503


def test_the_version_is_that_of_the_package() -> None:
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["project"]["version"] == VERSION


# --- Refusals

LONG = "9" * 70
REFUSED = {
    "limit-0": ("GET", "/runs?limit=0", 400, "invalid-request", "between 1 and 100"),
    "limit-101": ("GET", "/runs?limit=101", 400, "invalid-request", "from 0 to 100"),
    "limit-text": ("GET", "/runs?limit=ten", 400, "invalid-request", "limit must be"),
    "limit-other-digits": ("GET", "/runs?limit=\u0661", 400, "invalid-request", "limit must be"),
    "limit-long": ("GET", f"/runs?limit={LONG}", 400, "invalid-request", "limit must be"),
    "cursor": ("GET", "/runs?cursor=x", 400, "invalid-request", "cursor"),
    "status": ("GET", "/runs?status=DONE", 400, "invalid-request", "must be one of PENDING, "),
    "workflow": ("GET", "/runs?workflow=", 400, "invalid-request", "workflow must be"),
    "long-workflow": ("GET", f"/runs?workflow={'w' * 2100}", 400, "invalid-request", "2100"),
    "list-query": ("GET", "/runs?state=x", 400, "invalid-request", "cursor, limit, status, "),
    "unknown-run": ("GET", "/runs/run-1", 404, "run-not-found", "run-1"),
    "junk-run": ("GET", f"/runs/{'x' * 3000}", 404, "run-not-found", "there is no run xxx"),
    "strange-run": ("GET", "/runs/%00%ff", 404, "run-not-found", "there is no run"),
    "include": ("GET", "/runs/run-1?include=logs", 400, "invalid-request", "steps or nothing"),
    "unknown-result": ("GET", "/runs/run-1/result", 404, "run-not-found", "run-1"),
    "wait-21": ("GET", "/runs/run-1/result?wait=21", 400, "invalid-request", "from 0 to 20"),
    "wait-negative": ("GET", "/runs/run-1/result?wait=-1", 400, "invalid-request", "0 to 20"),
    "wait-nan": ("GET", "/runs/run-1/result?wait=nan", 400, "invalid-request", "0 to 20"),
    "resume-unknown": ("POST", "/runs/run-1/resume", 404, "run-not-found", "run-1"),
    "resume-query": ("POST", "/runs/run-1/resume?force=1", 400, "invalid-request", "none"),
    "workflows-query": ("GET", "/workflows?name=x", 400, "invalid-request", "allowed here: none"),
    "deep-2": ("GET", "/health?deep=2", 400, "invalid-request", "from 0 to 1"),
    "method": ("POST", "/runs", 405, "method-not-allowed", "GET, HEAD, OPTIONS"),
    "action-method": ("GET", "/runs/run-1/resume", 405, "method-not-allowed", "POST, OPTIONS"),
    "action": ("POST", "/runs/run-1/explode", 404, "not-found", "/runs/run-1/explode"),
    "root": ("GET", "/", 404, "not-found", "nothing at /"),
}


@pytest.mark.parametrize(
    ("method", "target", "status", "name", "says"), REFUSED.values(), ids=REFUSED
)
def test_what_is_refused_says_why(
    world: World, method: str, target: str, status: int, name: str, says: str
) -> None:
    answer = world.call(method, target)
    assert (answer.status, answer.body["type"]) == (status, f"urn:everstep:problem:{name}")
    assert says in answer.body["detail"]
    assert set(answer.body) >= {"type", "title", "status", "detail", "request_id"}
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_resume_refuses_a_body_that_says_something(world: World) -> None:
    answer = world.call("POST", f"/runs/{stalled(world)}/resume", '{"force":true}')
    assert (answer.status, answer.body["detail"]) == (400, "resume takes no body")


CALLS = [
    ("GET", "/runs"),
    ("GET", "/runs/run-1"),
    ("GET", "/runs/run-1/result"),
    ("POST", "/runs/run-1/resume"),
]


@pytest.mark.parametrize(("method", "target"), CALLS)
def test_every_call_answers_503_with_a_pause_while_a_service_is_out(
    world: World, method: str, target: str
) -> None:
    world.is_throttled()
    object.__setattr__(world.engine, "lists", world.engine.runs)
    answer = world.call(method, target)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")


@pytest.mark.parametrize(("method", "target"), CALLS)
def test_every_call_answers_500_without_internals_on_a_fault_of_ours(
    world: World, method: str, target: str
) -> None:
    world.breaks(AdapterError("DynamoDB Query", "AccessDeniedException", "role x may not"))
    object.__setattr__(world.engine, "lists", world.engine.runs)
    answer = world.call(method, target)
    assert answer.status == 500
    assert "AccessDenied" not in answer.text


def test_head_answers_like_get_without_a_body(world: World) -> None:
    run_id = world.started("bare")
    answer = world.call("HEAD", f"/runs/{run_id}")
    assert (answer.status, answer.text) == (200, "")
    assert answer.headers["Content-Type"] == "application/json"
    assert world.call("HEAD", "/runs/nobody").status == 404


def test_options_tells_the_methods(world: World) -> None:
    answer = world.call("OPTIONS", "/runs/run-1")
    assert (answer.status, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert "Content-Type" not in answer.headers


def test_queries_are_read_where_only_single_values_come(world: World) -> None:
    answer = world.call(
        "GET",
        "/runs",
        queryStringParameters={"limit": "0"},
        multiValueQueryStringParameters=None,
    )
    assert answer.status == 400
