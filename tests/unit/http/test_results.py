"""Waiting for a result."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.http.world import ORDER, World


@pytest.fixture
def world() -> World:
    return World()


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


def test_a_result_is_told_as_it_is_recorded_on_request() -> None:
    world = World()
    run_id = world.started("login", {"user": "ada", "password": "s3cret"})
    world.work()
    shown = world.get(f"/runs/{run_id}/result?form=recorded").body["result"]
    assert shown == {"user": "ada", "password": {"$secret": "***"}}
    plain = world.get(f"/runs/{run_id}/result?form=plain").body["result"]
    assert plain == {"user": "ada", "password": "***"}
    answer = world.get(f"/runs/{run_id}/result?form=xml")
    assert (answer.status, answer.body["detail"]) == (
        400,
        "form must be 'plain' or 'recorded', not 'xml'",
    )
