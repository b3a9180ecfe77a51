"""The authorizer says what a key allows, as API Gateway wants to hear it."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any, Final

import pytest

from everstep.adapters.memory.api_keys import MemoryKeys
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.app.keys import KeyRequest, Keys, create_key, revoke_key
from everstep.core.access import Scope
from everstep.http.authorizer import Unauthorized, authorize
from everstep_localstack.plugin.policies import LARGEST_ANSWER, decision

ARN: Final = "arn:aws:execute-api:eu-central-1:123456789012:abcdefghij/v1"
READ: Final = KeyRequest(name="ci", scopes=["read"])


@pytest.fixture
def keys() -> Keys:
    return Keys(store=MemoryKeys(), clock=VirtualClock(1_000_000), ids=SequenceIds())


def request(
    headers: dict[str, str] | None, method: str = "GET", path: str = "/runs"
) -> dict[str, Any]:
    return {
        "type": "REQUEST",
        "methodArn": f"{ARN}/{method}{path}",
        "httpMethod": method,
        "path": path,
        "headers": headers,
        "multiValueHeaders": headers and {name: [value] for name, value in headers.items()},
    }


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize("header", ["Authorization", "authorization"])
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "Bearer  "])
def test_a_key_comes_as_a_bearer_token(keys: Keys, header: str, scheme: str) -> None:
    issued = create_key(keys, READ)
    told = decision(authorize(keys, request({header: f"{scheme}{issued.text}"})))
    assert told.principal == issued.key.key_id
    assert told.allows(f"{ARN}/GET/runs")


def test_a_key_may_come_in_a_header_of_its_own(keys: Keys) -> None:
    issued = create_key(keys, READ)
    event = request({"X-Api-Key": issued.text})
    assert authorize(keys, event)["principalId"] == issued.key.key_id
    del event["multiValueHeaders"]
    assert authorize(keys, event)["principalId"] == issued.key.key_id


def test_a_good_key_in_one_header_does_not_help_a_bad_one_in_the_other(keys: Keys) -> None:
    text = create_key(keys, READ).text
    for wrong in ("nonsense", "Basic xyz", f"Bearer evs_{'0' * 12}_{'0' * 32}"):
        with pytest.raises(Unauthorized):
            authorize(keys, request({"Authorization": wrong, "X-Api-Key": text}))


def test_of_two_keys_none_is_chosen(keys: Keys) -> None:
    text = create_key(keys, READ).text
    event = request(bearer(text))
    event["multiValueHeaders"] = {"Authorization": [f"Bearer {text}", f"Bearer {text}"]}
    with pytest.raises(Unauthorized):
        authorize(keys, event)


@pytest.mark.parametrize(
    "headers",
    [
        None,
        {},
        {"Authorization": ""},
        bearer(""),
        bearer("nonsense"),
        bearer(f"evs_{'0' * 12}_{'0' * 32}"),
        {"X-Api-Key": "nonsense"},
    ],
)
def test_whoever_has_no_key_is_told_one_word(keys: Keys, headers: dict[str, str] | None) -> None:
    with pytest.raises(Unauthorized) as told:
        authorize(keys, request(headers))
    assert str(told.value) == "Unauthorized"
    assert told.value.__cause__ is None


def test_a_revoked_key_is_refused_and_the_log_says_which_and_why_but_no_secret(
    keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    issued = create_key(keys, READ)
    revoke_key(keys, issued.key.key_id)
    with caplog.at_level(logging.DEBUG), pytest.raises(Unauthorized):
        authorize(keys, request(bearer(issued.text)))
    (record,) = caplog.records
    assert (vars(record)["reason"], vars(record)["key"]) == ("revoked", issued.key.key_id)
    assert issued.text.rpartition("_")[2] not in json.dumps(vars(record), default=str)


def test_the_answer_holds_for_every_call_of_the_key_and_none_else(keys: Keys) -> None:
    text = create_key(keys, replace(READ, scopes=["read", "control"])).text
    told = decision(authorize(keys, request(bearer(text), "GET", "/runs/r1/result")))
    assert all(
        told.allows(f"{ARN}/{call}")
        for call in ("GET/runs", "GET/runs/r2", "GET/workflows", "POST/runs/r3/cancel")
    )
    assert not any(
        told.allows(f"{ARN}/{call}") for call in ("POST/triggers/order", "GET/keys", "POST/keys")
    )
    assert not told.allows(f"{ARN.replace('/v1', '/v2')}/GET/runs")


def test_functions_are_told_who_calls(keys: Keys) -> None:
    asked = KeyRequest(name="ci", scopes=["trigger", "read"], workflows=["b", "a"], rate=100)
    issued = create_key(keys, asked)
    context = authorize(keys, request(bearer(issued.text)))["context"]
    assert context == {
        "key_id": issued.key.key_id,
        "name": "ci",
        "scopes": "read,trigger",
        "workflows": "a,b",
        "rate": "100",
        "needs": "",
        "denied": "the key is limited to other workflows",
    }


def test_whoever_lacks_a_scope_can_be_told_which(keys: Keys) -> None:
    text = create_key(keys, READ).text
    context = authorize(keys, request(bearer(text), "POST", "/runs/r1/cancel"))["context"]
    assert context["needs"] == "control"
    assert context["denied"] == "this call needs the scope control; the key has: read"


def test_the_largest_answer_is_one_that_api_gateway_takes(keys: Keys) -> None:
    scopes = [each.value for each in Scope if each is not Scope.ADMIN]
    workflows = [f"{n:02}{'w' * 98}" for n in range(16)]
    largest = KeyRequest(name="n" * 100, scopes=scopes, workflows=workflows, rate=100_000)
    text = create_key(keys, largest).text
    answer = authorize(keys, request(bearer(text), "POST", "/keys"))
    assert len(json.dumps(answer)) <= LARGEST_ANSWER
