"""Recording a call changes nothing about it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from io import BytesIO
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from bench.metering.recorder import Recorder, body_size, facts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PUT = {"TableName": "t", "Item": {"PK": {"S": "RUN#r1"}, "SK": {"S": "#HEAD"}}}


@dataclass
class Service:
    """Stands in for the SDK: a call makes HTTP requests, then answers or raises."""

    recorder: Recorder
    answer: dict[str, Any] = field(default_factory=dict)
    error: Exception | None = None
    requests: int = 1

    def call(self, operation: str, parameters: dict[str, Any], service: str = "dynamodb") -> object:
        send = self.recorder.transfer(
            lambda _session, _request: SimpleNamespace(headers={"Content-Length": "7"})
        )

        def api_call(_client: object, _operation: str, _parameters: object) -> dict[str, Any]:
            for _ in range(self.requests):
                send(None, SimpleNamespace(body=b"12345"))
            if self.error is not None:
                raise self.error
            return self.answer

        model = SimpleNamespace(service_model=SimpleNamespace(service_name=service))
        client = SimpleNamespace(meta=model)
        return self.recorder.call(api_call)(client, operation, parameters)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path / "calls.jsonl")


def lines(recorder: Recorder) -> list[dict[str, Any]]:
    return [json.loads(line) for line in recorder.path.read_text(encoding="utf-8").splitlines()]


def test_a_call_answers_what_it_would_and_leaves_one_line(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "stack-trigger")
    answer: dict[str, Any] = {"ResponseMetadata": {}}
    assert Service(recorder, answer=answer).call("PutItem", PUT) is answer
    (line,) = lines(recorder)
    assert line["function"] == "stack-trigger"
    assert (line["service"], line["operation"], line["error"]) == ("dynamodb", "PutItem", None)
    assert (line["requests"], line["sent"], line["received"]) == (1, 5, 7)
    assert line["writes"] == [{"Item": PUT["Item"]}]


def test_retries_are_requests_of_the_same_call(recorder: Recorder) -> None:
    Service(recorder, requests=3).call("PutItem", PUT)
    (line,) = lines(recorder)
    assert (line["requests"], line["sent"], line["received"]) == (3, 15, 21)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem"),
            "ConditionalCheckFailedException",
        ),
        (EndpointConnectionError(endpoint_url="http://x"), "EndpointConnectionError"),
    ],
)
def test_an_error_is_passed_on_and_its_code_recorded(
    recorder: Recorder, error: Exception, code: str
) -> None:
    with pytest.raises(type(error)):
        Service(recorder, error=error).call("PutItem", PUT)
    assert lines(recorder)[0]["error"] == code


def test_a_call_belongs_to_the_message_that_was_read_last(recorder: Recorder) -> None:
    decode: Callable[[str], Any] = recorder.decoding(json.loads)
    assert decode('{"run": "r1", "kind": "step"}') == {"run": "r1", "kind": "step"}
    Service(recorder).call("PutItem", PUT)
    with pytest.raises(json.JSONDecodeError):
        decode("no message")
    Service(recorder).call("PutItem", PUT)
    assert [line["message"] for line in lines(recorder)] == [{"run": "r1", "kind": "step"}, None]


def test_a_request_outside_of_any_call_is_let_through(recorder: Recorder) -> None:
    send = recorder.transfer(lambda _session, request: request)
    request = SimpleNamespace(body=None)
    assert send(None, request) is request


@pytest.mark.parametrize(
    ("body", "size"), [(None, 0), (b"12", 2), ("123", 3), (BytesIO(b"1234"), 4)]
)
def test_the_body_of_a_request_may_be_a_stream(body: object, size: int) -> None:
    request = SimpleNamespace(body=body, headers={"Content-Length": "4"})
    assert body_size(request) == size


def facts(operation: str, parameters: dict[str, Any], **answer: object) -> dict[str, Any]:
    return facts_of("dynamodb", operation, parameters, answer)


def test_a_query_leaves_the_sizes_of_its_items_and_the_run() -> None:
    values = {":partition": {"S": "RUN#r1"}}
    found = facts(
        "Query",
        {"ConsistentRead": True, "ExpressionAttributeValues": values},
        Items=[{"a": {"S": "bc"}}, {"a": {"S": ""}}],
    )
    assert found == {"run": "r1", "index": None, "consistent": True, "read": [3, 1]}


def test_a_query_of_an_index_is_about_no_run() -> None:
    found = facts("Query", {"IndexName": "due", "ExpressionAttributeValues": {}}, Items=[])
    assert found == {"run": None, "index": "due", "consistent": False, "read": []}


def test_reading_one_item_leaves_its_size_or_nothing() -> None:
    parameters = {"Key": {"PK": {"S": "RUN#r1"}, "SK": {"S": "#HEAD"}}}
    assert facts("GetItem", parameters, Item={"a": {"S": "bc"}})["read"] == [3]
    assert facts("GetItem", parameters)["read"] == []
    assert facts("GetItem", parameters)["run"] == "r1"


def test_a_transaction_leaves_each_of_its_writes() -> None:
    found = facts("TransactWriteItems", {"TransactItems": [{"Put": PUT}, {"Put": PUT}]})
    assert found == {"writes": [{"Item": PUT["Item"]}] * 2}


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("SendMessage", {"MessageBody": "x"}),
        ("SendMessageBatch", {"Entries": [{"Id": "0", "MessageBody": "x"}]}),
    ],
)
def test_a_send_leaves_its_bodies(operation: str, parameters: dict[str, Any]) -> None:
    assert facts_of("sqs", operation, parameters, {}) == {"bodies": ["x"]}


def test_other_services_leave_the_call_alone() -> None:
    assert facts_of("s3", "PutObject", {"Body": b"x"}, {}) == {}


def test_a_batch_notes_its_run_and_each_item_also_one_that_is_missing() -> None:
    keys = [{"PK": {"S": "RUN#r1"}, "SK": {"S": name}} for name in ("#HEAD", "OP#a#1")]
    asked = {"RequestItems": {"t": {"Keys": keys, "ConsistentRead": True}}}
    facts = facts_of("dynamodb", "BatchGetItem", asked, {"Responses": {"t": keys[:1]}})
    assert facts == {
        "run": "r1",
        "index": None,
        "consistent": True,
        "read": [15, 0],
        "one_by_one": True,
    }
