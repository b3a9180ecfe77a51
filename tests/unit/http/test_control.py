"""What people ask of runs over HTTP, and what is recorded of it."""

from __future__ import annotations

import json

import pytest

from tests.unit.http.world import ORDER, World


@pytest.fixture
def world() -> World:
    return World()


def entries(world: World, run_id: str) -> list[tuple[str, str | None, str | None]]:
    audit = world.get(f"/runs/{run_id}/audit").body["audit"]
    return [(each["action"], each["by"], each["reason"]) for each in audit]


# --- Resume


def test_a_stalled_run_is_resumed_and_goes_on(world: World) -> None:
    run_id = world.stalled()
    answer = world.call("POST", f"/runs/{run_id}/resume", "{}")
    assert (answer.status, answer.body) == (200, {"run_id": run_id, "status": "RUNNING"})
    world.work()
    world.advance(60)
    assert world.get(f"/runs/{run_id}").body["status"] == "COMPLETED"


def test_resuming_a_run_that_runs_changes_nothing(world: World) -> None:
    run_id = world.started("shop", ORDER)
    assert world.call("POST", f"/runs/{run_id}/resume").status == 200
    assert entries(world, run_id) == [("created", None, None)]


def test_a_run_that_has_ended_cannot_be_resumed(world: World) -> None:
    run_id = world.started("bare")
    world.work()
    answer = world.call("POST", f"/runs/{run_id}/resume")
    assert (answer.status, answer.body["type"]) == (409, "urn:everstep:problem:illegal-state")
    assert "COMPLETED" in answer.body["detail"]


# --- Pause


def test_a_paused_run_goes_no_further_until_it_is_resumed(world: World) -> None:
    run_id = world.started("shop", ORDER)
    answer = world.call("POST", f"/runs/{run_id}/pause")
    assert (answer.status, answer.body) == (200, {"run_id": run_id, "status": "PAUSED"})
    world.work()
    shown = world.get(f"/runs/{run_id}").body
    assert (shown["status"], [step["status"] for step in shown["steps"]]) == (
        "PAUSED",
        ["SCHEDULED"],
    )

    assert world.call("POST", f"/runs/{run_id}/resume").status == 200
    world.work()
    world.advance(60)
    assert world.get(f"/runs/{run_id}").body["status"] == "COMPLETED"


def test_what_cannot_be_paused_says_why(world: World) -> None:
    stalled = world.call("POST", f"/runs/{world.stalled()}/pause")
    assert (stalled.status, stalled.body["type"]) == (409, "urn:everstep:problem:illegal-state")
    assert "is STALLED: it goes no further until its cause is mended" in stalled.body["detail"]
    run_id = world.started("bare")
    world.work()
    ended = world.call("POST", f"/runs/{run_id}/pause")
    assert (ended.status, "is COMPLETED" in ended.body["detail"]) == (409, True)


# --- Audit


def test_the_audit_tells_who_asked_what_and_why(world: World) -> None:
    run_id = world.started("shop", ORDER)
    said = json.dumps({"by": "ann", "reason": "the bank is down\nsince noon"})
    world.call("POST", f"/runs/{run_id}/pause", said)
    world.call("POST", f"/runs/{run_id}/pause", said)
    world.call("POST", f"/runs/{run_id}/resume", headers={"Everstep-Actor": "bob"})

    assert entries(world, run_id) == [
        ("created", None, None),
        ("paused", "ann", "the bank is down\nsince noon"),
        ("resumed", "bob", None),
    ]


def test_every_audit_entry_holds_the_hash_of_the_one_before_it(world: World) -> None:
    run_id = world.started("shop", ORDER)
    world.call("POST", f"/runs/{run_id}/pause")
    world.call("POST", f"/runs/{run_id}/resume")

    audit = world.get(f"/runs/{run_id}/audit").body["audit"]
    assert [each["number"] for each in audit] == [0, 1, 2]
    assert [each["previous"] for each in audit[1:]] == [each["hash"] for each in audit[:2]]
    assert audit[0]["at"] == "2026-01-01T00:00:00.000Z"
    verified = world.get(f"/runs/{run_id}/audit?verify=true").body["verified"]
    assert verified == {
        "whole": True,
        "proven": True,
        "entries": 3,
        "hash": audit[2]["hash"],
        "breaks": [],
    }


BODIES = {
    "unknown field": ('{"force":true}', "allowed here: by, reason"),
    "no object": ("[1]", "an object with by, reason, or empty"),
    "a number": ('{"by":1}', "by must be a valid string, not 1"),
    "no text": ('{"reason":{}}', "reason must be a valid string"),
    "empty": ('{"by":""}', "by must have at least 1 character, not ''"),
    "long": (json.dumps({"by": "x" * 201}), "by must have at most 200 characters"),
    "long reason": (json.dumps({"reason": "x" * 1001}), "reason must have at most 1000"),
    "control": ('{"by":"a\\u0000b"}', "printable"),
}


@pytest.mark.parametrize(("body", "says"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("action", ["pause", "resume"])
def test_a_body_that_makes_no_sense_changes_nothing(
    world: World, action: str, body: str, says: str
) -> None:
    run_id = world.stalled() if action == "resume" else world.started("shop", ORDER)
    before = world.store.head(run_id)
    answer = world.call("POST", f"/runs/{run_id}/{action}", body)
    assert (answer.status, answer.body["type"]) == (400, "urn:everstep:problem:invalid-request")
    allowed = "budget, by, reason" if action == "resume" else "by, reason"
    assert says.replace("by, reason", allowed) in answer.body["detail"]
    assert world.store.head(run_id) == before


def test_header_and_body_must_not_name_different_people(world: World) -> None:
    run_id = world.started("shop", ORDER)
    headers = {"Everstep-Actor": "ann"}
    other = world.call("POST", f"/runs/{run_id}/pause", '{"by":"bob"}', headers)
    assert (other.status, "different people" in other.body["detail"]) == (400, True)
    assert world.call("POST", f"/runs/{run_id}/pause", '{"by":"ann"}', headers).status == 200
