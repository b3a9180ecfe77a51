"""What lists is shown page by page, and a run with as much beside it as is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.ids import SequenceIds
from everstep.core.ids import earliest_id
from tests.unit.http.world import ORDER, World


@pytest.fixture
def world() -> World:
    return World()


def pages(world: World, target: str, what: str) -> list[list[dict[str, Any]]]:
    """Return every page of a list."""
    found: list[list[dict[str, Any]]] = []
    cursor: str | None = ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        body = world.get(f"{target}?limit=2{more}").body
        found.append(body[what])
        cursor = body["cursor"]
    return found


def busy(world: World) -> str:
    """Return a run with operations, events and an audit of some pages."""
    run_id = world.started("shop", ORDER)
    world.work()
    for number in range(3):
        world.call("POST", f"/runs/{run_id}/events/paid", json.dumps("x" * 40 * number))
    for action in ("pause", "resume", "pause"):
        world.call("POST", f"/runs/{run_id}/{action}")
    return run_id


def test_a_history_has_every_operation_once_in_the_order_asked_for(world: World) -> None:
    run_id = busy(world)
    shown = pages(world, f"/runs/{run_id}/history", "history")
    flat = [each for page in shown for each in page]
    assert flat == world.get(f"/runs/{run_id}").body["steps"]
    assert [each["key"] for each in flat] == ["charge#1", "sleep#1"]
    assert flat[0]["attempt"] == 1
    first = world.get(f"/runs/{run_id}/history?limit=1").body
    second = world.get(f"/runs/{run_id}/history?limit=1&cursor={first['cursor']}").body
    assert [first["history"], second["history"]] == [flat[:1], flat[1:]]


def test_events_are_shown_with_what_came_with_them(world: World) -> None:
    run_id = busy(world)
    shown = pages(world, f"/runs/{run_id}/events", "events")
    assert [[each["number"] for each in page] for page in shown] == [[1, 2], [3]]
    assert [each["payload"] for page in shown for each in page] == ["", "x" * 40, "x" * 80]


def test_an_audit_is_shown_page_by_page(world: World) -> None:
    run_id = busy(world)
    shown = pages(world, f"/runs/{run_id}/audit", "audit")
    flat = [each for page in shown for each in page]
    assert {len(page) for page in shown[:-1]} == {2}
    assert flat == world.get(f"/runs/{run_id}/audit").body["audit"]
    assert [each["action"] for each in flat[-3:]] == ["paused", "resumed", "paused"]


def test_what_is_deployed_is_shown_page_by_page(world: World) -> None:
    shown = pages(world, "/workflows", "workflows")
    assert [[each["name"] for each in page] for page in shown] == [
        ["anything", "bare"],
        ["login", "shop"],
    ]


def test_keys_are_shown_page_by_page(world: World) -> None:
    for _ in range(3):
        world.call("POST", "/keys", '{"name": "ci", "scopes": ["read"]}')
    assert [len(page) for page in pages(world, "/keys", "keys")] == [2, 1]


def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    run_id = busy(world)
    cursor = world.get(f"/runs/{run_id}/events?limit=1").body["cursor"]
    answer = world.get(f"/runs/{run_id}/history?cursor={cursor}")
    assert (answer.status, answer.body["type"]) == (400, "urn:everstep:problem:invalid-request")


@pytest.mark.parametrize(
    ("include", "there"),
    [
        ("", set()),
        ("steps", {"steps"}),
        ("audit,events", {"audit", "events"}),
        ("logs", {"logs"}),
        ("steps,logs,audit,events", {"steps", "logs", "audit", "events"}),
    ],
)
def test_a_run_is_shown_with_what_is_asked_for(world: World, include: str, there: set[str]) -> None:
    run_id = busy(world)
    shown = world.get(f"/runs/{run_id}?include={include}").body
    assert shown.keys() & {"steps", "logs", "audit", "events"} == there
    for name in there - {"steps"}:
        assert shown[name] == world.get(f"/runs/{run_id}/{name}").body[name]


def test_runs_are_found_by_when_they_were_accepted(world: World) -> None:
    class Timed(SequenceIds):
        def run_id(self) -> str:
            return f"{earliest_id(world.clock.now())}{super().run_id()}"

    world.engine = replace(world.engine, ids=Timed())
    first = world.started("bare")
    world.advance(86_400)
    second = world.started("bare")

    def found(query: str) -> list[str]:
        return [each["run_id"] for each in world.get(f"/runs?{query}").body["runs"]]

    assert found("") == [second, first]
    assert found("until=2026-01-01T12:00:00Z") == [first]
    assert found("since=2026-01-01T01:00:00+01:00&until=2026-01-01T12:00:00Z") == [first]
    assert found("since=2030-01-01T00:00:00Z") == []


@pytest.mark.parametrize("at", ["noon", "2026-01-01T00:00:00", "1767225600"])
def test_a_time_without_its_zone_is_refused(world: World, at: str) -> None:
    answer = world.get(f"/runs?since={at}")
    assert answer.status == 400
    assert answer.body["errors"][0]["loc"] == ["query", "since"]
    assert "such as 2026-01-31T12:00:00Z" in answer.body["detail"]


def test_a_payload_that_is_gone_is_a_problem_and_no_fault(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    run_id = world.started("anything", "x" * 200)
    world.work()
    world.engine = replace(world.engine, blobs=MemoryBlobs())
    for target in ("", "/result", "/history"):
        answer = world.get(f"/runs/{run_id}{target}")
        assert (answer.status, answer.body["type"]) == (
            410,
            "urn:everstep:problem:payload-missing",
        )
        assert "everstep doctor" in answer.body["detail"]
    told = [each.levelname for each in caplog.records if each.msg == "not answered"]
    assert told == ["ERROR"] * 3
    assert [each["run_id"] for each in world.get("/runs").body["runs"]] == [run_id]
    assert world.get(f"/runs/{run_id}/audit").status == 200
