"""Runs that were continued as new, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest

from everstep import Context, workflow
from tests.unit.http.world import World


@workflow
async def counts(ctx: Context, number: int) -> Any:  # noqa: ANN401 - JSON
    if number:
        await ctx.sleep(60)
        await ctx.continue_as_new(number - 1)
    return await ctx.wait_for_event("word")


@pytest.fixture
def world() -> World:
    return World(workflows=(counts,))


def test_a_continued_run_names_the_run_that_goes_on_in_its_place(world: World) -> None:
    run_id = world.started("counts", 1)
    world.work()
    assert world.get(f"/runs/{run_id}").body["successor"] is None
    world.advance(60)

    shown = world.get(f"/runs/{run_id}").body
    successor = shown["successor"]
    assert (shown["status"], shown["result"], shown["error"]) == ("CONTINUED", None, None)
    ended = world.get(f"/runs/{run_id}/result")
    assert (ended.status, ended.body) == (
        200,
        {"run_id": run_id, "status": "CONTINUED", "successor": successor},
    )
    assert world.get(f"/runs/{successor}").body["status"] == "WAITING"
    listed = world.get("/runs?status=CONTINUED").body["runs"]
    assert [each["run_id"] for each in listed] == [run_id]


def test_an_event_says_which_run_has_it(world: World) -> None:
    run_id = world.started("counts", 1)
    world.work()
    world.advance(60)
    successor = world.get(f"/runs/{run_id}").body["successor"]
    kept = world.call("POST", f"/runs/{run_id}/events/word", json.dumps("hello"))
    assert (kept.status, kept.body) == (
        202,
        {"run_id": successor, "event": "word", "number": 1},
    )
    world.work()
    assert world.get(f"/runs/{successor}").body["result"] == "hello"


def test_who_cancels_a_continued_run_is_told_which_one_to_cancel(world: World) -> None:
    run_id = world.started("counts", 1)
    world.work()
    world.advance(60)
    successor = world.get(f"/runs/{run_id}").body["successor"]
    answer = world.call("POST", f"/runs/{run_id}/cancel")
    assert answer.status == 409
    assert answer.body["detail"] == (
        f"run {run_id} is CONTINUED: run {successor} goes on in its place"
    )
