"""Every call of the api function, and every way to refuse it."""

from __future__ import annotations

import pytest

from everstep.adapters.errors import AdapterError
from tests.unit.http.world import World


@pytest.fixture
def world() -> World:
    return World()


LONG = "9" * 70
REFUSED = {
    "limit-0": ("GET", "/runs?limit=0", 400, "invalid-request", "from 1 to 100"),
    "limit-101": ("GET", "/runs?limit=101", 400, "invalid-request", "from 1 to 100"),
    "limit-text": ("GET", "/runs?limit=ten", 400, "invalid-request", "limit must be"),
    "limit-other-digits": ("GET", "/runs?limit=\u0661", 400, "invalid-request", "limit must be"),
    "limit-long": ("GET", f"/runs?limit={LONG}", 400, "invalid-request", "limit must be"),
    "cursor": ("GET", "/runs?cursor=x", 400, "invalid-request", "cursor"),
    "status": ("GET", "/runs?status=DONE", 400, "invalid-request", "must be 'PENDING', "),
    "workflow": ("GET", "/runs?workflow=", 400, "invalid-request", "workflow must have"),
    "long-workflow": ("GET", f"/runs?workflow={'w' * 2100}", 400, "invalid-request", "2100"),
    "list-query": (
        "GET",
        "/runs?state=x",
        400,
        "invalid-request",
        "cursor, limit, reference_id, since, status, ",
    ),
    "unknown-run": ("GET", "/runs/run-1", 404, "run-not-found", "run-1"),
    "junk-run": ("GET", f"/runs/{'x' * 2000}", 404, "run-not-found", "there is no run xxx"),
    "strange-run": ("GET", "/runs/%00%ff", 404, "run-not-found", "there is no run"),
    "include": (
        "GET",
        "/runs/run-1?include=tea",
        400,
        "invalid-request",
        "include must be",
    ),
    "unknown-result": ("GET", "/runs/run-1/result", 404, "run-not-found", "run-1"),
    "wait-21": ("GET", "/runs/run-1/result?wait=21", 400, "invalid-request", "from 0 to 20"),
    "wait-negative": ("GET", "/runs/run-1/result?wait=-1", 400, "invalid-request", "0 to 20"),
    "wait-nan": ("GET", "/runs/run-1/result?wait=nan", 400, "invalid-request", "0 to 20"),
    "pause-unknown": ("POST", "/runs/run-1/pause", 404, "run-not-found", "run-1"),
    "audit-unknown": ("GET", "/runs/run-1/audit", 404, "run-not-found", "run-1"),
    "resume-unknown": ("POST", "/runs/run-1/resume", 404, "run-not-found", "run-1"),
    "resume-query": ("POST", "/runs/run-1/resume?force=1", 400, "invalid-request", "none"),
    "workflows-query": ("GET", "/workflows?name=x", 400, "invalid-request", "here: cursor, limit"),
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


CALLS = [
    ("GET", "/runs"),
    ("GET", "/runs/run-1"),
    ("GET", "/runs/run-1/result"),
    ("POST", "/runs/run-1/resume"),
    ("GET", "/runs/run-1/audit"),
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
