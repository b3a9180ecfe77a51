"""Keys on the deployed stack: who is let in by the authorizer, and what the functions see of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from tools.local_key import make_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.stack import Stack

USER: Final = {"name": "Ada", "email": "ada@example.org", "pause": "PT0S"}


@pytest.fixture
def nobody(stack: Stack) -> Iterator[httpx.Client]:
    """Give a client without a key."""
    with httpx.Client(base_url=stack.http.base_url, timeout=40) as made:
        yield made


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def make(stack: Stack, *scopes: str, **others: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    answer = stack.http.post("/keys", json={"name": "made", "scopes": list(scopes), **others})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_without_a_good_key_only_open_calls_are_answered(
    stack: Stack, nobody: httpx.Client
) -> None:
    unknown = bearer(f"evs_{'0' * 12}_{'0' * 32}")
    for headers in ({}, unknown, {"Authorization": stack.key}, {"X-Api-Key": stack.key}):
        refused = nobody.get("/runs", headers=headers)
        assert refused.status_code == 401
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["www-authenticate"] == "Bearer"
        assert refused.json()["type"] == "urn:everstep:problem:no-key"
    assert nobody.get("/health").status_code == 200
    assert nobody.post("/callbacks/nobodys/complete").status_code == 404


def test_the_first_key_is_made_at_the_table(stack: Stack, nobody: httpx.Client) -> None:
    key = make_key(stack.server, stack.outputs["TableName"], "first", ["admin"])
    names = [each["name"] for each in nobody.get("/keys", headers=bearer(key)).json()["keys"]]
    assert {"first", "tests"} <= set(names)


def test_what_is_remembered_of_one_call_holds_for_no_other(
    stack: Stack, nobody: httpx.Client
) -> None:
    reader = bearer(make(stack, "read")["key"])
    for _ in range(2):
        assert nobody.get("/runs", headers=reader).status_code == 200
        assert nobody.get("/workflows", headers=reader).status_code == 200
        for path, needs in (("/triggers/welcome-email", "trigger"), ("/runs/x/cancel", "control")):
            refused = nobody.post(path, json=USER, headers=reader)
            assert (refused.status_code, refused.json()["needs"]) == (403, needs)
            assert (
                refused.json()["detail"] == f"this call needs the scope {needs}; the key has: read"
            )
        assert nobody.post("/keys", json={}, headers=reader).status_code == 403


def test_a_limited_key_starts_and_sees_its_workflow_only(
    stack: Stack, nobody: httpx.Client
) -> None:
    other = stack.trigger("welcome-email", USER)
    limited = make(stack, "trigger", "read", workflows=["order"])
    headers = bearer(limited["key"])
    assert nobody.post("/triggers/order", json={}, headers=headers).status_code == 422
    refused = nobody.post("/triggers/welcome-email", json=USER, headers=headers)
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "the key is limited to other workflows",
    )
    assert nobody.get(f"/runs/{other}", headers=headers).status_code == 404
    listed = nobody.get("/runs", headers=headers).json()["runs"]
    assert {each["workflow"] for each in listed} <= {"order"}


def test_a_key_with_a_rate_is_told_when_to_come_again(stack: Stack, nobody: httpx.Client) -> None:
    headers = bearer(make(stack, "read", rate=3)["key"])
    answers = [nobody.get("/runs", headers=headers) for _ in range(7)]
    refused = [each for each in answers if each.status_code == 429]
    # A minute may turn meanwhile, and gives three more.
    assert refused
    assert 0 < int(refused[0].headers["retry-after"]) <= 60
    assert refused[0].json()["type"] == "urn:everstep:problem:rate-exceeded"


def test_a_revoked_key_is_refused_once_it_is_forgotten(stack: Stack, nobody: httpx.Client) -> None:
    made = make(stack, "read")
    headers = bearer(made["key"])
    assert nobody.get("/runs", headers=headers).status_code == 200
    revoked = stack.http.request("DELETE", f"/keys/{made['key_id']}")
    assert revoked.json()["status"] == "REVOKED"
    deadline = time.monotonic() + 20
    while nobody.get("/runs", headers=headers).status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_rotated_key_has_two_secrets_for_a_while(stack: Stack, nobody: httpx.Client) -> None:
    made = make(stack, "read")
    rotated = stack.http.post(f"/keys/{made['key_id']}/rotate", json={"overlap": 3600}).json()
    assert rotated["key"] != made["key"]
    for key in (made["key"], rotated["key"]):
        assert nobody.get("/runs", headers=bearer(key)).status_code == 200


def test_the_audit_names_the_key(stack: Stack, nobody: httpx.Client) -> None:
    made = make(stack, "trigger", "read", "control")
    headers = bearer(made["key"])
    run_id = stack.trigger("welcome-email", USER | {"pause": "PT1H"})
    forged = {"by": "the boss"}
    cancelled = nobody.post(f"/runs/{run_id}/cancel", json=forged, headers=headers)
    assert cancelled.status_code == 202
    audit = nobody.get(f"/runs/{run_id}/audit", headers=headers).json()["audit"]
    assert audit[-1]["by"] == f"made ({made['key_id']})"
