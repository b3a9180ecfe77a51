"""Runs that are cancelled over HTTP, and how runs show what they belong to and why they end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from everstep import Context, step, workflow
from tests.unit.http.world import World


@step
def note(text: str) -> str:
    return text


@workflow
async def child(ctx: Context) -> str:
    return await ctx.wait_for_event("go", str)


@workflow
async def parent(ctx: Context) -> str:
    async with ctx.saga() as saga:
        saga.compensate(note, "undone")
        other = await ctx.start(child)
        called = await ctx.call(child)
        return called + await other.result()
    return ""


@workflow
async def waits(ctx: Context) -> tuple[Any, ...]:
    async def approval(ctx: Context) -> Any:  # noqa: ANN401 - JSON
        return await ctx.callback(name="approval")

    return await ctx.gather(ctx.wait_for_event("paid"), ctx.sleep(60), approval(ctx))


@pytest.fixture
def world() -> World:
    return World(workflows=(child, parent, waits))


def shown(world: World, run_id: str) -> Any:  # noqa: ANN401 - JSON
    return world.get(f"/runs/{run_id}").body


def test_a_cancelled_run_says_who_why_and_what_it_ended_as(world: World) -> None:
    run_id = world.started("child")
    world.work()
    body = json.dumps({"by": "ann", "reason": "out of stock"})
    answer = world.call("POST", f"/runs/{run_id}/cancel", body)
    assert (answer.status, answer.body) == (202, {"run_id": run_id, "status": "RUNNING"})
    ending = {
        "status": "CANCELLED",
        "at": "2026-01-01T00:00:00.000Z",
        "by": "ann",
        "reason": "out of stock",
    }
    assert shown(world, run_id)["ending"] == ending
    world.work()
    run = shown(world, run_id)
    assert (run["status"], run["ending"]) == ("CANCELLED", ending)
    assert run["error"]["message"] == "the run was cancelled by ann: out of stock"
    assert [each["status"] for each in run["steps"]] == ["CANCELLED"]
    audit = world.get(f"/runs/{run_id}/audit").body["audit"]
    assert [(each["action"], each["by"]) for each in audit] == [
        ("created", None),
        ("started", "everstep"),
        ("cancel_requested", "ann"),
        ("cancelled", "ann"),
    ]


def test_cancelling_again_changes_nothing(world: World) -> None:
    run_id = world.started("child")
    target = f"/runs/{run_id}/cancel"
    first = world.call("POST", target, headers={"Everstep-Actor": "ann"})
    second = world.call("POST", target, '{"by":"bob"}')
    assert (first.status, second.status) == (202, 202)
    world.work()
    assert world.call("POST", target).body == {"run_id": run_id, "status": "CANCELLED"}
    assert shown(world, run_id)["ending"]["by"] == "ann"


def test_force_ends_a_run_at_once(world: World) -> None:
    run_id = world.started("parent")
    world.work()
    answer = world.call("POST", f"/runs/{run_id}/cancel", '{"force":true}')
    assert (answer.status, answer.body["status"]) == (202, "CANCELLED")
    run = shown(world, run_id)
    assert (run["status"], run["error"]["type"]) == ("CANCELLED", "RunTerminated")
    assert "note#1" not in [each["key"] for each in run["steps"]]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"force":1}', "force must be a valid boolean"),
        ('{"force":null}', "force must be a valid boolean"),
        ('{"hard":true}', "by, force, reason"),
        ('{"by":""}', "by must have at least 1 character"),
    ],
)
def test_a_wish_that_makes_no_sense_changes_nothing(world: World, body: str, says: str) -> None:
    run_id = world.started("child")
    before = world.store.head(run_id)
    answer = world.call("POST", f"/runs/{run_id}/cancel", body)
    assert (answer.status, says in answer.body["detail"]) == (400, True)
    assert world.store.head(run_id) == before


def test_a_run_that_has_ended_otherwise_cannot_be_cancelled(world: World) -> None:
    run_id = world.started("child")
    world.call("POST", f"/runs/{run_id}/events/go", '"x"')
    world.work()
    for body in ("{}", '{"force":true}'):
        answer = world.call("POST", f"/runs/{run_id}/cancel", body)
        assert (answer.status, "is COMPLETED" in answer.body["detail"]) == (409, True)


@pytest.mark.parametrize("body", ["{}", '{"force":true}'])
def test_a_run_that_is_not_there_cannot_be_cancelled(world: World, body: str) -> None:
    assert world.call("POST", "/runs/nobody/cancel", body).status == 404


def test_parents_show_their_children_and_children_their_parent(world: World) -> None:
    run_id = world.started("parent")
    world.work()
    started, called = shown(world, run_id)["steps"]
    assert (started["kind"], started["status"]) == ("start", "DONE")
    assert (called["kind"], called["status"]) == ("child", "WAITING")
    assert (started["child"]["status"], called["child"]["status"]) == (None, None)
    for each in (started, called):
        run = shown(world, each["child"]["run_id"])
        assert run["parent"] == {"run_id": run_id, "operation": each["key"]}
    world.call("POST", f"/runs/{called['child']['run_id']}/events/go", '"a"')
    world.call("POST", f"/runs/{started['child']['run_id']}/cancel")
    world.work()
    run = shown(world, run_id)
    ended = [each["child"]["status"] for each in run["steps"] if each["kind"] == "child"]
    assert ended == ["COMPLETED", "CANCELLED"]
    assert (run["status"], run["error"]["type"]) == ("FAILED", "ChildRunFailed")
    assert run["parent"] is None


def test_what_waits_shows_as_waiting_and_branches_show_their_join_when_it_is_closed(
    world: World,
) -> None:
    run_id = world.started("waits")
    world.call("POST", f"/runs/{run_id}/pause")
    before = shown(world, run_id)["steps"]
    assert [(each["kind"], each["status"]) for each in before] == [
        ("wait", "WAITING"),
        ("sleep", "WAITING"),
        ("callback", "WAITING"),
    ]
    world.call("POST", f"/runs/{run_id}/resume")
    world.work()
    run = shown(world, run_id)
    assert run["status"] == "WAITING"
    world.call("POST", f"/runs/{run_id}/cancel")
    world.work()
    run = shown(world, run_id)
    statuses = {each["key"]: each["status"] for each in run["steps"]}
    assert run["status"] == "CANCELLED"
    assert statuses["gather#1"] == "DONE"
    assert {statuses[key] for key in statuses if key != "gather#1"} == {"CANCELLED"}
