"""Nobody gets more than what the template means to give: roles, policies, the HTTP API."""

from __future__ import annotations

import json
from typing import Final

import pytest

from everstep.adapters.dynamodb.keys import API_KEYS
from everstep.core.access import needed_at
from everstep.core.denials import MissingScopeError, NoKeyError
from everstep.http.openapi import GATEWAY
from everstep.http.problems import MEDIA_TYPE, TYPE, problem
from everstep.settings import API_AUTHORIZATIONS
from tests.cloudformation import Json, load, of_type, text

TEMPLATE_AS_WRITTEN: Final = load()
PARAMETERS: Final[Json] = TEMPLATE_AS_WRITTEN["Parameters"]
RESOURCES: Final[Json] = TEMPLATE_AS_WRITTEN["Resources"]
FUNCTIONS: Final = of_type(TEMPLATE_AS_WRITTEN, "AWS::Serverless::Function")
API: Final[Json] = RESOURCES["Api"]["Properties"]

TABLE: Final = "Table.Arn"
STEPS: Final = "StepQueue.Arn"
DEAD_LETTERS: Final = "DeadLetterQueue.Arn"
BUCKET: Final = "PayloadBucket.Arn"
PAYLOADS: Final = "${PayloadBucket.Arn}/runs/*"
EARLIER: Final = "${PayloadBucket.Arn}/payloads/*"
WRITE_LOGS: Final = {"logs:CreateLogStream", "logs:PutLogEvents"}
RECEIVE: Final = {
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ChangeMessageVisibility",
}
PRIVILEGES: Final[dict[str, dict[str, set[str]]]] = {
    "Trigger": {
        "TriggerLogs.Arn": WRITE_LOGS,
        TABLE: {"dynamodb:GetItem", "dynamodb:PutItem"},
        "${Table.Arn}/index/list": {"dynamodb:Query"},
        f"{TABLE} of RATE#*": {"dynamodb:UpdateItem"},
        STEPS: {"sqs:SendMessage"},
        PAYLOADS: {"s3:PutObject"},
    },
    "StepExecutor": {
        "StepExecutorLogs.Arn": WRITE_LOGS,
        TABLE: {
            "dynamodb:BatchGetItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
        STEPS: {"sqs:SendMessage"} | RECEIVE,
        BUCKET: {"s3:ListBucket"},
        PAYLOADS: {"s3:GetObject", "s3:PutObject"},
        EARLIER: {"s3:GetObject"},
    },
    "Api": {
        "ApiLogs.Arn": WRITE_LOGS,
        TABLE: {
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
        "${Table.Arn}/index/list": {"dynamodb:Query"},
        STEPS: {"sqs:SendMessage"},
        BUCKET: {"s3:ListBucket"},
        PAYLOADS: {"s3:GetObject", "s3:PutObject"},
        EARLIER: {"s3:GetObject"},
    },
    "Sweeper": {
        "SweeperLogs.Arn": WRITE_LOGS,
        TABLE: {
            "dynamodb:BatchWriteItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
        },
        "${Table.Arn}/index/due": {"dynamodb:Query"},
        STEPS: {"sqs:SendMessage"},
        BUCKET: {"s3:ListBucket"},
        PAYLOADS: {"s3:DeleteObject", "s3:GetObject"},
        EARLIER: {"s3:GetObject"},
    },
    "DeadLetter": {
        "DeadLetterLogs.Arn": WRITE_LOGS,
        TABLE: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"},
        DEAD_LETTERS: RECEIVE,
        STEPS: {"sqs:SendMessage"},
        BUCKET: {"s3:ListBucket"},
        PAYLOADS: {"s3:GetObject"},
        EARLIER: {"s3:GetObject"},
    },
    "Authorizer": {
        "AuthorizerLogs.Arn": WRITE_LOGS,
        f"{TABLE} of {API_KEYS}": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
    },
}
ROUTES: Final = {
    "POST /triggers/{workflow}": "TriggerFunction",
    "GET /runs": "ApiFunction",
    "GET /runs/{id}": "ApiFunction",
    "GET /runs/{id}/{action}": "ApiFunction",
    "POST /runs/{id}/{action}": "ApiFunction",
    "POST /runs/{id}/{action}/{name}": "ApiFunction",
    "POST /callbacks/{token}/{action}": "ApiFunction",
    "GET /workflows": "ApiFunction",
    "GET /keys": "ApiFunction",
    "POST /keys": "ApiFunction",
    "DELETE /keys/{id}": "ApiFunction",
    "POST /keys/{id}/rotate": "ApiFunction",
    "GET /health": "ApiFunction",
    "GET /openapi.json": "ApiFunction",
}
OPEN: Final = {"POST /callbacks/{token}/{action}", "GET /health", "GET /openapi.json"}
SIGNED_OR: Final = {"Fn::If": ["AsksForKeys", [{"key": []}], []]}
AUTHORIZER: Final[Json] = API["DefinitionBody"]["components"]["securitySchemes"]["key"]


def allowed_statements(policies: list[Json]) -> list[Json]:
    documents = [policy["PolicyDocument"] for policy in policies]
    return [s for document in documents for s in document["Statement"] if s["Effect"] == "Allow"]


def granted(name: str) -> dict[str, set[str]]:
    role = RESOURCES[f"{name}Role"]["Properties"]
    statements = allowed_statements(role["Policies"])
    return {f"{text(s['Resource'])}{limited(s)}": set(s["Action"]) for s in statements}


def limited(statement: Json) -> str:
    """Return to which partitions of the table a statement is limited."""
    if "Condition" not in statement:
        return ""
    ((operator, keys),) = statement["Condition"].items()
    (found,) = keys["dynamodb:LeadingKeys"]
    # Equality where nothing else may match, patterns only where the rest of a key varies.
    assert operator == f"ForAllValues:String{'Like' if '*' in found else 'Equals'}"
    return f" of {found}"


# -- Privileges ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRIVILEGES)
def test_each_function_may_do_exactly_what_it_does(name: str) -> None:
    assert text(FUNCTIONS[f"{name}Function"]["Role"]) == f"{name}Role.Arn"
    assert granted(name) == PRIVILEGES[name]


def test_what_runs_steps_can_make_no_key() -> None:
    (policy,) = RESOURCES["StepExecutorRole"]["Properties"]["Policies"]
    denied = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]

    assert [(text(s["Resource"]), s["Action"], s["Condition"]) for s in denied] == [
        (TABLE, ["dynamodb:*"], {"ForAnyValue:StringEquals": {"dynamodb:LeadingKeys": [API_KEYS]}})
    ]


@pytest.mark.parametrize("name", PRIVILEGES)
def test_shared_policies_are_attached_only_where_a_parameter_asks(name: str) -> None:
    managed = [p["Fn::If"] for p in RESOURCES[f"{name}Role"]["Properties"]["ManagedPolicyArns"]]

    # Who only lets calls in has no payload to read.
    payloads = [] if name == "Authorizer" else [("HasPayloadKey", "PayloadKeyPolicy")]
    assert [(condition, text(policy)) for condition, policy, _ in managed] == [
        ("HasKmsKey", "KeyPolicy"),
        *payloads,
        ("TracesRequests", "TracingPolicy"),
    ]


def test_the_key_for_payloads_is_used_for_this_table_only() -> None:
    (statement,) = allowed_statements([RESOURCES["PayloadKeyPolicy"]["Properties"]])
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert text(statement["Resource"]) == "PayloadKeyArn"
    ((operator, condition),) = statement["Condition"].items()
    assert (operator, list(condition)) == ("StringEquals", ["kms:EncryptionContext:everstep:table"])


def test_nothing_is_allowed_by_wildcard_but_writing_traces() -> None:
    shared = of_type(TEMPLATE_AS_WRITTEN, "AWS::IAM::ManagedPolicy")
    inline = of_type(TEMPLATE_AS_WRITTEN, "AWS::IAM::Role")
    statements = allowed_statements(list(shared.values())) + [
        s for role in inline.values() for s in allowed_statements(role["Policies"])
    ]

    assert not [a for s in statements for a in s["Action"] if "*" in a]
    assert [s["Sid"] for s in statements if text(s["Resource"]) == "*"] == ["Traces"]


# -- HTTP API --------------------------------------------------------------------------------------


def test_every_route_leads_to_its_function_and_asks_for_a_signature_or_a_key() -> None:
    found = {}
    for path, item in API["DefinitionBody"]["paths"].items():
        for method in item.keys() - {"options"}:
            otherwise = [] if f"{method.upper()} {path}" in OPEN else SIGNED_OR
            signed: list[Json] = [{"sigv4": []}]
            assert item[method]["security"] == {"Fn::If": ["SignsRequests", signed, otherwise]}
            uri = text(item[method]["x-amazon-apigateway-integration"]["uri"])
            found[f"{method.upper()} {path}"] = uri.split("${")[-1].split(".Arn}")[0]

    assert found == ROUTES


def test_browsers_may_ask_what_is_allowed_at_every_path_where_pages_are_allowed() -> None:
    for item in API["DefinitionBody"]["paths"].values():
        condition, described, without = item["options"]["Fn::If"]
        assert (condition, without) == ("AllowsCors", {"Ref": "AWS::NoValue"})
        # They send no credentials with that question.
        assert described["security"] == []
        others = [item[method] for method in item.keys() - {"options"}]
        uri = described["x-amazon-apigateway-integration"]["uri"]
        assert all(each["x-amazon-apigateway-integration"]["uri"] == uri for each in others)


def gateway_responses() -> list[Json]:
    """Return what API Gateway may answer, whatever the parameters are."""
    described = API["DefinitionBody"]["x-amazon-apigateway-gateway-responses"].values()
    return [
        each for item in described for each in (item["Fn::If"][1:] if "Fn::If" in item else [item])
    ]


def test_what_api_gateway_answers_by_itself_is_a_problem_that_is_described() -> None:
    found = set()
    for response in gateway_responses():
        told = json.loads(response["responseTemplates"]["application/json"])
        headers = response["responseParameters"]
        assert told["status"] == response["statusCode"]
        assert told["request_id"] == "$context.requestId"
        assert {"type", "title", "detail"} <= told.keys()
        assert headers["gatewayresponse.header.Content-Type"] == f"'{MEDIA_TYPE}'"
        assert headers["gatewayresponse.header.X-Request-Id"] == "context.requestId"
        assert headers["gatewayresponse.header.Access-Control-Allow-Origin"]["Fn::If"][0] == (
            "AllowsCors"
        )
        found.add((told["status"], told["type"].removeprefix(TYPE)))
    of_keys = {(401, "no-key"), (403, "missing-scope")}
    assert found == set(GATEWAY.items()) | of_keys


def test_no_page_of_another_origin_may_use_the_api_by_default() -> None:
    assert PARAMETERS["CorsOrigins"]["Default"] == ""


def test_nothing_is_public_by_default() -> None:
    assert PARAMETERS["ApiAuthorization"]["Default"] == "KEY"
    assert PARAMETERS["ApiAuthorization"]["AllowedValues"] == list(API_AUTHORIZATIONS)


def test_a_route_without_a_key_is_one_that_needs_none() -> None:
    closed = {
        example(route) for route in ROUTES if route not in OPEN and not route.startswith("GET")
    }
    assert all(needed_at(*each.split(" ")) is not None for each in closed)
    assert needed_at("GET", "/health") is None
    assert needed_at("POST", "/callbacks/secret/complete") is None


def example(route: str) -> str:
    return route.replace("{action}", "cancel").replace("{", "").replace("}", "")


def test_answers_of_the_authorizer_are_kept_by_key_and_route_or_not_at_all() -> None:
    condition, described, _ = AUTHORIZER["Fn::If"]
    authorizer = described["x-amazon-apigateway-authorizer"]
    kept, source, _ = authorizer["identitySource"]["Fn::If"]

    assert (condition, kept) == ("AsksForKeys", "RemembersKeys")
    assert authorizer["authorizerResultTtlInSeconds"]["Fn::If"][0] == "RemembersKeys"
    assert {
        each: kept_for(authorizer["authorizerResultTtlInSeconds"], each)
        for each in PARAMETERS["ApiKeyCacheSeconds"]["AllowedValues"]
    } == {"0": 0, "5": 5, "60": 60, "300": 300}
    assert source.split(", ") == [
        "method.request.header.Authorization",
        "context.httpMethod",
        "context.resourcePath",
    ]


def kept_for(value: object, seconds: str) -> object:
    """Return what a value comes to where the parameter says so many seconds."""
    holds = {
        "RemembersKeys": seconds != "0",
        "RemembersKeysBriefly": seconds == "5",
        "RemembersKeysForLong": seconds == "300",
    }
    if not isinstance(value, dict):
        return value
    condition, yes, no = value["Fn::If"]
    return kept_for(yes if holds[condition] else no, seconds)


def test_what_api_gateway_refuses_looks_like_any_other_problem() -> None:
    responses = API["DefinitionBody"]["x-amazon-apigateway-gateway-responses"]
    unauthorized = json.loads(responses["UNAUTHORIZED"]["responseTemplates"]["application/json"])
    denied = responses["ACCESS_DENIED"]["Fn::If"][1]["responseTemplates"]["application/json"]

    told = problem(NoKeyError(), "$context.requestId")
    assert unauthorized == told.body
    told = problem(MissingScopeError("$context.authorizer.needs", []), "$context.requestId")
    said = {"detail": "$context.authorizer.denied"}
    assert json.loads(denied) == told.body | said


@pytest.mark.parametrize("name", ["Function", "Logs", "Role", "Permission", "ErrorsAlarm"])
def test_there_is_an_authorizer_only_where_keys_are_asked_for(name: str) -> None:
    assert RESOURCES[f"Authorizer{name}"]["Condition"] == "AsksForKeys"


def test_only_this_api_may_ask_the_authorizer() -> None:
    permission = RESOURCES["AuthorizerPermission"]["Properties"]

    assert text(permission["FunctionName"]) == "AuthorizerFunction"
    assert text(permission["SourceArn"]).endswith(":${Api}/authorizers/*")


def test_access_logs_tell_the_route_and_not_the_path_where_tokens_stand() -> None:
    setting = API["AccessLogSetting"]["Fn::If"][1]

    assert "$context.resourcePath" in setting["Format"]
    assert "$context.path" not in setting["Format"]


def test_the_api_limits_its_callers() -> None:
    (limits,) = API["MethodSettings"]

    assert (limits["ResourcePath"], limits["HttpMethod"]) == ("/*", "*")
    assert limits["ThrottlingRateLimit"] == {"Ref": "ApiThrottlingRate"}


@pytest.mark.parametrize("name", ["Trigger", "Api"])
def test_only_this_api_may_call_the_functions_behind_it(name: str) -> None:
    permission = RESOURCES[f"{name}Permission"]["Properties"]

    assert text(permission["FunctionName"]) == f"{name}Function"
    assert text(permission["SourceArn"]).endswith(":${Api}/*")
