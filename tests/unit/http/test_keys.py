"""Keys are managed over HTTP by whoever may; a secret goes out once, a hash never."""

from __future__ import annotations

from typing import Any, Final

import pytest

from everstep.adapters.memory.clock import VirtualClock
from everstep.core.durations import DAY
from tests.unit.http.keyed import KeyedWorld
from tests.unit.http.world import START

ASKED: Final = {"name": "ci", "scopes": ["read", "trigger"]}


@pytest.fixture
def world() -> KeyedWorld:
    made = KeyedWorld(clock=VirtualClock(START))
    made.use("admin")
    return made


def test_a_key_is_made_and_shown_once(world: KeyedWorld) -> None:
    made = world.post("/keys", ASKED)
    assert made.status == 201
    text = made.body["key"]
    assert made.body | {"key": ""} == {
        "key": "",
        "key_id": text.split("_")[1],
        "name": "ci",
        "status": "ACTIVE",
        "scopes": ["read", "trigger"],
        "workflows": [],
        "rate": None,
        "created_at": "2026-01-01T00:00:00.000Z",
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
        "former_secret_until": None,
    }
    listed = world.get("/keys")
    assert made.body["key_id"] in {each["key_id"] for each in listed.body["keys"]}
    assert text.rpartition("_")[2] not in listed.text
    assert "hash" not in listed.text
    world.key = text
    assert world.get("/runs").status == 200


def test_a_key_has_limits_that_were_asked_for(world: KeyedWorld) -> None:
    limits = {"workflows": ["shop"], "expires_in": 90 * 86_400, "rate": 100}
    made = world.post("/keys", ASKED | limits).body
    assert (made["workflows"], made["rate"]) == (["shop"], 100)
    assert made["expires_at"] == "2026-04-01T00:00:00.000Z"
    world.key = made["key"]
    world.clock.advance(90 * DAY)
    with pytest.raises(Exception, match="Unauthorized"):
        world.get("/runs")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "field name is missing"),
        ([], "may be an object"),
        (ASKED | {"admin": True}, "unknown field 'admin'"),
        (ASKED | {"name": 1}, "name must be a valid string"),
        (ASKED | {"scopes": "read"}, "scopes must be a valid list"),
        (ASKED | {"scopes": [1]}, "scopes must be a valid string"),
        (ASKED | {"scopes": ["write"]}, "scopes must be some of"),
        (ASKED | {"rate": True}, "rate must be a valid integer"),
        (ASKED | {"rate": 1.5}, "rate must be a valid integer"),
        (ASKED | {"expires_in": -1}, "expires_in must be"),
        (ASKED | {"expires_in": 10**12}, "expires_in must be"),
    ],
)
def test_what_makes_no_sense_is_refused(world: KeyedWorld, body: Any, said: str) -> None:  # noqa: ANN401 - JSON
    refused = world.post("/keys", body)
    assert refused.status == 400
    assert said in refused.body["detail"]


def test_a_key_is_revoked(world: KeyedWorld) -> None:
    made = world.post("/keys", ASKED).body
    revoked = world.call("DELETE", f"/keys/{made['key_id']}")
    assert (revoked.status, revoked.body["status"]) == (200, "REVOKED")
    assert revoked.body["revoked_at"] == "2026-01-01T00:00:00.000Z"
    world.key = made["key"]
    with pytest.raises(Exception, match="Unauthorized"):
        world.get("/runs")


def test_a_key_is_rotated_with_a_day_for_the_former_secret(world: KeyedWorld) -> None:
    made = world.post("/keys", ASKED).body
    rotated = world.post(f"/keys/{made['key_id']}/rotate")
    assert (rotated.status, rotated.body["key_id"]) == (200, made["key_id"])
    assert rotated.body["former_secret_until"] == "2026-01-02T00:00:00.000Z"
    for text in (made["key"], rotated.body["key"]):
        world.key = text
        assert world.get("/runs").status == 200


def test_a_rotation_takes_effect_at_once_if_asked(world: KeyedWorld) -> None:
    made = world.post("/keys", ASKED).body
    asked = {"overlap": 0, "expires_in": 86_400}
    rotated = world.post(f"/keys/{made['key_id']}/rotate", asked).body
    assert (rotated["former_secret_until"], rotated["expires_at"]) == (
        None,
        "2026-01-02T00:00:00.000Z",
    )
    world.key = made["key"]
    with pytest.raises(Exception, match="Unauthorized"):
        world.get("/runs")


@pytest.mark.parametrize("key_id", ["0" * 12, "nonsense"])
def test_a_key_that_is_not_there_is_not_found(world: KeyedWorld, key_id: str) -> None:
    assert world.call("DELETE", f"/keys/{key_id}").status == 404
    refused = world.post(f"/keys/{key_id}/rotate")
    assert (refused.status, refused.body["type"]) == (404, "urn:everstep:problem:key-not-found")


def test_a_revoked_key_is_not_rotated(world: KeyedWorld) -> None:
    key_id = world.post("/keys", ASKED).body["key_id"]
    world.call("DELETE", f"/keys/{key_id}")
    assert world.post(f"/keys/{key_id}/rotate").status == 409
