"""Nobody gets more than what the template means to give: roles, policies, the HTTP API."""

from __future__ import annotations

from typing import Final

import pytest

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
PAYLOADS: Final = "${PayloadBucket.Arn}/payloads/*"
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
        PAYLOADS: {"s3:GetObject"},
    },
    "DeadLetter": {
        "DeadLetterLogs.Arn": WRITE_LOGS,
        TABLE: {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"},
        DEAD_LETTERS: RECEIVE,
        STEPS: {"sqs:SendMessage"},
        BUCKET: {"s3:ListBucket"},
        PAYLOADS: {"s3:GetObject"},
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
    "GET /health": "ApiFunction",
}


def allowed_statements(policies: list[Json]) -> list[Json]:
    documents = [policy["PolicyDocument"] for policy in policies]
    return [s for document in documents for s in document["Statement"] if s["Effect"] == "Allow"]


def granted(name: str) -> dict[str, set[str]]:
    role = RESOURCES[f"{name}Role"]["Properties"]
    return {text(s["Resource"]): set(s["Action"]) for s in allowed_statements(role["Policies"])}


# -- Privileges ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PRIVILEGES)
def test_each_function_may_do_exactly_what_it_does(name: str) -> None:
    assert text(FUNCTIONS[f"{name}Function"]["Role"]) == f"{name}Role.Arn"
    assert granted(name) == PRIVILEGES[name]


@pytest.mark.parametrize("name", PRIVILEGES)
def test_shared_policies_are_attached_only_where_a_parameter_asks(name: str) -> None:
    managed = [p["Fn::If"] for p in RESOURCES[f"{name}Role"]["Properties"]["ManagedPolicyArns"]]

    assert [(condition, text(policy)) for condition, policy, _ in managed] == [
        ("HasKmsKey", "KeyPolicy"),
        ("TracesRequests", "TracingPolicy"),
    ]


def test_nothing_is_allowed_by_wildcard_but_writing_traces() -> None:
    shared = of_type(TEMPLATE_AS_WRITTEN, "AWS::IAM::ManagedPolicy")
    inline = of_type(TEMPLATE_AS_WRITTEN, "AWS::IAM::Role")
    statements = allowed_statements(list(shared.values())) + [
        s for role in inline.values() for s in allowed_statements(role["Policies"])
    ]

    assert not [a for s in statements for a in s["Action"] if "*" in a]
    assert [s["Sid"] for s in statements if text(s["Resource"]) == "*"] == ["Traces"]


# -- HTTP API --------------------------------------------------------------------------------------


def test_every_route_leads_to_its_function_and_asks_for_a_signature() -> None:
    found = {}
    for path, item in API["DefinitionBody"]["paths"].items():
        for method in item:
            assert item[method]["security"] == {"Fn::If": ["SignsRequests", [{"sigv4": []}], []]}
            uri = text(item[method]["x-amazon-apigateway-integration"]["uri"])
            found[f"{method.upper()} {path}"] = uri.split("${")[-1].split(".Arn}")[0]

    assert found == ROUTES


def test_nothing_is_public_by_default() -> None:
    assert PARAMETERS["ApiAuthorization"]["Default"] == "AWS_IAM"


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
