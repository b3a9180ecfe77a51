"""What API Gateway makes of an authorizer's answer, as the plugin does it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from everstep_localstack.plugin.policies import (
    ConfigurationError,
    MissingIdentityError,
    decision,
    identity,
    rendered,
)

ARN: Final = "arn:aws:execute-api:us-east-1:000000000000:api/v1"
HEADERS: Final = {"authorization": "Bearer x", "x-tenant": ""}
CONTEXT: Final = {
    "httpMethod": "GET",
    "resourcePath": "/runs/{id}",
    "authorizer": {"denied": "no", "flag": True},
    "empty": None,
}


def statement(effect: str, *resources: str, action: object = "execute-api:Invoke") -> Any:  # noqa: ANN401 - JSON
    return {"Effect": effect, "Action": action, "Resource": [f"{ARN}/{each}" for each in resources]}


def answer(*statements: Any, **others: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"principalId": "p", "policyDocument": {"Statement": list(statements)}, **others}


def allows(*statements: Any, call: str = "GET/runs/1") -> bool:  # noqa: ANN401 - JSON
    return decision(answer(*statements)).allows(f"{ARN}/{call}")


def test_a_call_is_allowed_by_a_statement_and_denied_by_any() -> None:
    assert allows(statement("Allow", "GET/runs/*"))
    assert allows(statement("Allow", "*"), call="POST/keys")
    assert not allows(statement("Allow", "GET/runs/*"), statement("Deny", "GET/runs/1"))
    assert not allows(statement("Allow", "POST/runs/*"))
    assert not allows()


def test_a_star_reaches_across_slashes_and_a_question_mark_is_one_letter() -> None:
    assert allows(statement("Allow", "GET/*"), call="GET/runs/1/audit")
    assert allows(statement("Allow", "GET/runs/?"))
    assert not allows(statement("Allow", "GET/runs/?"), call="GET/runs/12")
    assert not allows(statement("Allow", "GET/runs.1"))


def test_actions_other_than_invoke_allow_nothing() -> None:
    assert allows(statement("Allow", "*", action=["execute-api:*"]))
    assert not allows(statement("Allow", "*", action="s3:GetObject"))


def test_a_single_statement_need_not_be_a_list() -> None:
    single = {"principalId": "p", "policyDocument": {"Statement": statement("Allow", "*")}}
    assert decision(single).allows(f"{ARN}/GET/runs")


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"principalId": 7, "policyDocument": {"Statement": []}},
        {"principalId": "p"},
        {"principalId": "p", "policyDocument": {}},
        answer(context={"list": ["no"]}),
    ],
    ids=["nothing", "list", "empty", "number", "no-policy", "no-statement", "deep-context"],
)
def test_anything_else_is_a_wrong_configuration(wrong: object) -> None:
    with pytest.raises(ConfigurationError):
        decision(wrong)


def test_functions_get_every_value_as_text() -> None:
    told = decision(answer(context={"name": "ci", "rate": 100, "on": True}))
    assert told.context == {"name": "ci", "rate": "100", "on": "true"}


def test_answers_are_remembered_by_all_that_is_named() -> None:
    source = "method.request.header.Authorization, context.httpMethod, context.resourcePath"
    assert identity(source, HEADERS, CONTEXT) == ("Bearer x", "GET", "/runs/{id}")
    assert identity(None, HEADERS, CONTEXT) == ()


@pytest.mark.parametrize("name", ["method.request.header.X-Tenant", "context.empty"])
def test_whoever_lacks_a_part_is_not_even_asked_about(name: str) -> None:
    with pytest.raises(MissingIdentityError):
        identity(f"method.request.header.Authorization,{name}", HEADERS, CONTEXT)


def test_a_part_of_another_kind_is_not_known() -> None:
    with pytest.raises(ConfigurationError, match="stageVariables"):
        identity("stageVariables.key", HEADERS, CONTEXT)


def test_a_template_replaces_variables_and_nothing_more() -> None:
    template = '{"a":"$context.authorizer.denied","b":"$context.nothing.there","c":"$context"}'
    assert rendered(template, CONTEXT) == '{"a":"no","b":"","c":"$context"}'
    assert rendered("$context.authorizer.flag", CONTEXT) == "true"
