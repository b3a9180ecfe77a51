"""Retries and forks over HTTP."""

from __future__ import annotations

import json
import re

import pytest

from tests.unit.http.world import ORDER, Answer, World


@pytest.fixture
def world() -> World:
    return World()


def failed(world: World) -> str:
    run_id = world.started("shop", {"id": "A-1", "total": -1})
    world.work()
    world.advance(1)
    assert world.get(f"/runs/{run_id}").body["status"] == "FAILED"
    return run_id


def done(world: World) -> str:
    run_id = world.started("shop", ORDER)
    world.work()
    world.advance(60)
    return run_id


def fork(world: World, run_id: str, body: object, key: str | None = None) -> Answer:
    headers = {} if key is None else {"Idempotency-Key": key}
    return world.call("POST", f"/runs/{run_id}/fork", json.dumps(body), headers)


def test_a_retry_makes_a_run_that_says_where_it_comes_from(world: World) -> None:
    run_id = failed(world)
    answer = world.call("POST", f"/runs/{run_id}/retry", '{"by":"ann","reason":"paid"}')
    assert answer.status == 202
    origin = {"run_id": run_id, "from_step": "charge#1"}
    new_id = answer.body["run_id"]
    assert answer.body == {"run_id": new_id, "status": "RUNNING", "origin": origin}
    shown = world.get(f"/runs/{new_id}").body
    assert shown["origin"] == origin
    birth = world.get(f"/runs/{new_id}/audit").body["audit"][0]
    assert (birth["by"], birth["reason"]) == ("ann", "paid")
    assert (birth["details"]["how"], birth["details"]["from"]) == ("retry", run_id)
    noted = world.get(f"/runs/{run_id}/audit").body["audit"][-1]
    assert (noted["action"], noted["by"], noted["reason"]) == ("retried", "ann", "paid")
    assert noted["details"] == {"run_id": new_id, "from_step": "charge#1"}


def test_a_repeat_with_the_same_key_makes_nothing_new(world: World) -> None:
    run_id = failed(world)
    headers = {"Idempotency-Key": "k"}
    first = world.call("POST", f"/runs/{run_id}/retry", headers=headers)
    world.work()
    world.advance(1)
    second = world.call("POST", f"/runs/{run_id}/retry", headers=headers)
    assert (first.status, second.status) == (202, 200)
    assert second.body == first.body | {"status": "FAILED"}
    other = world.call("POST", f"/runs/{run_id}/retry", headers={"Idempotency-Key": "other"})
    assert other.body["run_id"] != first.body["run_id"]


def test_a_run_that_has_not_failed_is_not_retried(world: World) -> None:
    answer = world.call("POST", f"/runs/{done(world)}/retry")
    assert (answer.status, answer.body["type"]) == (409, "urn:everstep:problem:illegal-state")


def test_a_fork_executes_a_step_again_with_another_input(world: World) -> None:
    answer = fork(world, done(world), {"from_step": "charge#1", "input": {"id": "B", "total": 5}})
    assert answer.status == 202
    world.work()
    world.advance(60)
    shown = world.get(f"/runs/{answer.body['run_id']}").body
    assert (shown["status"], shown["result"]) == ("COMPLETED", {"receipt": "charged 5"})


def test_the_same_key_with_another_input_is_a_conflict(world: World) -> None:
    run_id = done(world)
    body = {"from_step": "charge#1", "input": {"id": "B", "total": 5}}
    first = fork(world, run_id, body, "k")
    assert fork(world, run_id, body, "k").body["run_id"] == first.body["run_id"]
    other = fork(world, run_id, {"from_step": "charge#1"}, "k")
    assert (other.status, other.body["run_id"]) == (409, first.body["run_id"])


REFUSED = {
    "no step": ({}, 400, "field from_step is missing"),
    "no text": ({"from_step": 1}, 400, "from_step must be a valid string"),
    "unknown step": ({"from_step": "ship#1"}, 400, "no operation 'ship#1'; .* charge#1, sleep#1"),
    "unknown field": ({"from_step": "charge#1", "at": 1}, 400, "by, from_step, input, reason"),
    "input": ({"from_step": "charge#1", "input": {"id": "B"}}, 422, "the input has 1 mistake"),
}


@pytest.mark.parametrize(("body", "status", "says"), REFUSED.values(), ids=REFUSED)
def test_a_fork_that_makes_no_sense_makes_nothing(
    world: World, body: object, status: int, says: str
) -> None:
    run_id = done(world)
    answer = fork(world, run_id, body)
    assert answer.status == status
    assert re.search(says, answer.body["detail"])
    assert list(world.store.run_ids) == [run_id]


@pytest.mark.parametrize("action", ["retry", "fork"])
def test_what_is_not_there_goes_on_nowhere(world: World, action: str) -> None:
    answer = world.call(
        "POST", f"/runs/run-1/{action}", '{"from_step":"a#1"}' if action == "fork" else None
    )
    assert (answer.status, answer.body["type"]) == (404, "urn:everstep:problem:run-not-found")
