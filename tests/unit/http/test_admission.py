"""Every call with every set of scopes, and what else keeps a key from a call."""

from __future__ import annotations

import io
import json
import logging
from itertools import chain, combinations
from typing import Final

import pytest

from everstep import logs
from everstep.core.access import CALLS, OPEN, Scope
from everstep.core.durations import MINUTE
from everstep.http.admission import gate_of
from everstep.http.api import api_routes
from everstep.http.keys import key_routes
from everstep.http.trigger import trigger_routes
from tests.unit.http.keyed import KeyedWorld
from tests.unit.http.world import ORDER, World

ROUTES: Final = [
    *trigger_routes(World().engine),
    *api_routes(World().engine, lambda _: None),
    *key_routes(lambda: KeyedWorld().keys),
]
CALLED: Final = [f"{route.method} {route.rule}" for route in ROUTES]
SETS: Final = [
    frozenset(each)
    for each in chain.from_iterable(combinations(Scope, size) for size in range(1, 5))
]


@pytest.fixture
def world() -> KeyedWorld:
    return KeyedWorld()


def target(rule: str) -> str:
    for name, value in (
        ("workflow", "bare"),
        ("run_id", "nobody"),
        ("name", "paid"),
        ("key_id", "0" * 12),
        ("token", "secret"),
    ):
        rule = rule.replace(f"<{name}>", value)
    return rule


# -- Calls and scopes ------------------------------------------------------------------------------


def test_every_route_says_which_scope_it_needs_and_nothing_else_does() -> None:
    assert sorted(CALLED) == sorted(CALLS)


@pytest.mark.parametrize("scopes", SETS, ids="+".join)
@pytest.mark.parametrize("call", CALLED)
def test_a_call_is_let_in_by_its_scope_alone(
    world: KeyedWorld, call: str, scopes: frozenset[Scope]
) -> None:
    method, rule = call.split(" ")
    world.use(*scopes)
    answer = world.call(method, target(rule))
    needs = CALLS[call]
    if needs is OPEN or needs in scopes or Scope.ADMIN in scopes:
        assert answer.status not in {401, 403}
    else:
        assert (answer.status, answer.body["needs"]) == (403, needs)
        assert answer.body["type"] == "urn:everstep:problem:missing-scope"
        assert f"needs the scope {needs}" in answer.body["detail"]


@pytest.mark.parametrize("call", CALLED)
def test_without_a_key_only_open_calls_are_let_in(world: KeyedWorld, call: str) -> None:
    method, rule = call.split(" ")
    answer = world.call(method, target(rule))
    assert (answer.status == 401) == (CALLS[call] is not OPEN)
    if answer.status == 401:
        assert answer.body["type"] == "urn:everstep:problem:no-key"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_head_needs_what_get_needs(world: KeyedWorld) -> None:
    world.use("trigger")
    assert world.call("HEAD", "/runs").status == 403
    world.use("read")
    assert world.call("HEAD", "/runs").status == 200


def test_nobody_is_asked_where_keys_are_off() -> None:
    world = World()
    assert gate_of(world.engine, "IAM", lambda: KeyedWorld().keys) is None
    assert gate_of(world.engine, "NONE", lambda: KeyedWorld().keys) is None
    told = {"authorizer": {"key_id": "0" * 12}}
    assert world.call("GET", "/runs", requestContext=told).status == 200


# -- Workflows -------------------------------------------------------------------------------------


def test_a_limited_key_starts_its_workflows_only(world: KeyedWorld) -> None:
    world.use("trigger", workflows=("bare",))
    assert world.start("bare").status == 202
    refused = world.start("anything", 1)
    assert (refused.status, refused.body["type"]) == (
        403,
        "urn:everstep:problem:workflow-not-allowed",
    )
    assert refused.body["detail"] == "the key is limited to the workflows: bare"


@pytest.mark.parametrize(
    "call",
    [each for each in CALLED if "<run_id>" in each and CALLS[each] is not Scope.ADMIN],
    ids=lambda call: call,
)
def test_a_run_of_another_workflow_is_not_there_for_a_limited_key(
    world: KeyedWorld, call: str
) -> None:
    method, rule = call.split(" ")
    world.use("trigger", "read", "control")
    run_id = world.started("shop", ORDER)
    world.use("trigger", "read", "control", workflows=("bare",))
    foreign = world.call(method, rule.replace("<run_id>", run_id).replace("<name>", "paid"))
    missing = world.call(method, rule.replace("<run_id>", "nobody").replace("<name>", "paid"))
    assert (foreign.status, missing.status) == (404, 404)
    assert foreign.body["detail"].replace(run_id, "nobody") == missing.body["detail"]


def test_a_run_of_its_workflow_is_there_for_a_limited_key(world: KeyedWorld) -> None:
    world.use("trigger", "read", "control", workflows=("shop", "bare"))
    run_id = world.started("shop", ORDER)
    assert world.get(f"/runs/{run_id}").status == 200
    assert world.post(f"/runs/{run_id}/cancel").status == 202


def test_a_list_shows_the_runs_of_the_one_workflow_of_a_key(world: KeyedWorld) -> None:
    world.use("trigger")
    world.started("bare")
    run_id = world.started("shop", ORDER)
    world.use("read", workflows=("shop",))
    assert [each["run_id"] for each in world.get("/runs").body["runs"]] == [run_id]
    assert [each["run_id"] for each in world.get("/runs?workflow=shop").body["runs"]] == [run_id]
    assert world.get("/runs?workflow=bare").status == 403


def test_a_list_names_one_of_several_workflows_of_a_key(world: KeyedWorld) -> None:
    world.use("read", workflows=("shop", "bare"))
    refused = world.get("/runs")
    assert (refused.status, refused.body["detail"]) == (
        400,
        "name the workflow, the key is limited to: bare, shop",
    )
    assert world.get("/runs?workflow=bare").status == 200


def test_a_limited_key_sees_its_workflows(world: KeyedWorld) -> None:
    world.use("read", workflows=("shop",))
    assert [each["name"] for each in world.get("/workflows").body["workflows"]] == ["shop"]


# -- Rates -----------------------------------------------------------------------------------------


def test_a_key_with_a_rate_makes_so_many_calls_a_minute(world: KeyedWorld) -> None:
    world.use("read", rate=2)
    world.clock.advance(MINUTE - world.clock.now() % MINUTE + 18_500)
    assert [world.get("/runs").status for _ in range(3)] == [200, 200, 429]
    refused = world.get("/workflows")
    assert (refused.body["type"], refused.headers["Retry-After"]) == (
        "urn:everstep:problem:rate-exceeded",
        "42",
    )
    world.clock.advance(41_500)
    assert world.get("/runs").status == 200


def test_a_call_that_is_refused_for_its_scope_does_not_count(world: KeyedWorld) -> None:
    world.use("read", rate=1)
    assert world.post("/keys").status == 403
    assert world.get("/runs").status == 200


def test_a_key_without_a_rate_costs_nothing_to_count(world: KeyedWorld) -> None:
    world.use("read")
    assert world.get("/runs").status == 200
    assert vars(world.keys.store)["_calls"] == {}


# -- Who -------------------------------------------------------------------------------------------


def test_the_audit_names_the_key_whatever_the_caller_says(world: KeyedWorld) -> None:
    key_id = world.use("trigger", "read", "control")
    run_id = world.started("shop", ORDER)
    paused = world.call(
        "POST",
        f"/runs/{run_id}/pause",
        json.dumps({"by": "the boss", "reason": "a look"}),
        {"Everstep-Actor": "the boss"},
    )
    assert paused.status == 200
    entry = world.get(f"/runs/{run_id}/audit").body["audit"][-1]
    assert (entry["by"], entry["reason"]) == (f"ci ({key_id})", "a look")


def test_no_line_of_a_log_holds_a_key(world: KeyedWorld) -> None:
    stream = io.StringIO()
    logger = logging.getLogger("everstep")
    before = logger.handlers, logger.level, logger.propagate
    logs.configure("DEBUG", stream)
    try:
        world.use("read", "admin")
        for call in CALLED:
            method, rule = call.split(" ")
            headers = {"Authorization": f"Bearer {world.key}", "X-Api-Key": str(world.key)}
            world.call(method, target(rule), "{", headers)
    finally:
        logger.handlers, logger.level, logger.propagate = before
    assert "/runs/<run_id>" in stream.getvalue()
    assert str(world.key).rpartition("_")[2] not in stream.getvalue()
