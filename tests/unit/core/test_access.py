"""The policy of a key names every call that its scopes allow, and no other."""

from __future__ import annotations

from itertools import chain, combinations
from typing import TYPE_CHECKING, Final

import pytest

from everstep.core.access import CALLS, OPEN, Scope, allowed, needed, needed_at, suffices
from everstep_localstack.plugin.policies import decision

if TYPE_CHECKING:
    from collections.abc import Iterable

ARN: Final = "arn:aws:execute-api:eu-central-1:123456789012:abcdefghij/v1"
CLOSED: Final = {call: scope for call, scope in CALLS.items() if scope is not OPEN}
SETS: Final = [
    frozenset(each)
    for each in chain.from_iterable(combinations(Scope, size) for size in range(1, 5))
]


def allows(patterns: Iterable[str], method: str, path: str) -> bool:
    """Say what API Gateway makes of such a policy."""
    resources = [f"{ARN}/{each}" for each in patterns]
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}
    answer = {"principalId": "key", "policyDocument": {"Statement": [statement]}}
    return decision(answer).allows(f"{ARN}/{method}{path}")


def example(rule: str, workflow: str = "order") -> str:
    named = rule.replace("<workflow>", workflow)
    for name in ("run_id", "name", "key_id", "token"):
        named = named.replace(f"<{name}>", f"some-{name}")
    return named


@pytest.mark.parametrize("scopes", SETS, ids="+".join)
@pytest.mark.parametrize("call", CLOSED)
def test_a_policy_allows_exactly_the_calls_of_the_scopes(
    call: str, scopes: frozenset[Scope]
) -> None:
    method, rule = call.split(" ")
    granted = allows(allowed(scopes, ()), method, example(rule))
    assert granted == (Scope.ADMIN in scopes or CLOSED[call] in scopes)


def test_every_call_is_in_the_policy_whichever_was_asked_for() -> None:
    patterns = allowed([Scope.READ], ())
    paths = ["/runs", "/runs/r1", "/runs/r1/result", "/workflows"]
    assert all(allows(patterns, "GET", path) for path in paths)


def test_a_limited_key_triggers_its_workflows_and_no_other() -> None:
    patterns = allowed([Scope.TRIGGER, Scope.READ], ["order", "refund"])
    assert allows(patterns, "POST", "/triggers/order")
    assert allows(patterns, "POST", "/triggers/refund")
    assert not allows(patterns, "POST", "/triggers/orders")
    assert not allows(patterns, "POST", "/triggers/order/x")
    assert not allows(patterns, "POST", "/triggers/billing")
    assert allows(patterns, "GET", "/runs")


def test_the_policy_of_an_unlimited_admin_is_one_line() -> None:
    assert allowed([Scope.ADMIN], ()) == ["*"]
    assert allowed([Scope.ADMIN], ["order"]) != ["*"]


def test_the_call_of_a_path_is_found() -> None:
    assert needed_at("POST", "/triggers/order") is Scope.TRIGGER
    assert needed_at("GET", "/runs") is Scope.READ
    assert needed_at("POST", "/runs/r1/cancel") is Scope.CONTROL
    assert needed_at("POST", "/runs/r1/events/paid") is Scope.TRIGGER
    assert needed_at("POST", "/callbacks/secret/complete") is OPEN
    assert needed_at("POST", "/runs/r1/explode") is Scope.ADMIN


def test_a_call_that_nobody_thought_of_needs_admin() -> None:
    assert needed("DELETE", "/everything") is Scope.ADMIN
    assert suffices({Scope.ADMIN}, Scope.READ)
    assert not suffices({Scope.READ, Scope.TRIGGER, Scope.CONTROL}, Scope.ADMIN)
