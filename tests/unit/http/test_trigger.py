"""``POST /triggers/{workflow}``: what is accepted, and how each refusal is answered."""

from __future__ import annotations

import json

import pytest

from everstep.adapters.errors import AdapterError
from everstep.app.engine import Limits
from everstep.app.query import inspect
from everstep.core.codec import decode
from everstep.core.errors import UnavailableError
from everstep.core.model import RunStatus
from tests.unit.http.world import ORDER, REQUEST_ID, Broken, World


@pytest.fixture
def world() -> World:
    return World()


def test_a_run_is_accepted_and_can_be_found_where_the_answer_says(world: World) -> None:
    answer = world.start("shop", ORDER)
    assert answer.status == 202
    assert answer.body == {"run_id": "run-0-00000001", "status": "PENDING"}
    assert answer.headers == {
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
        "X-Request-Id": REQUEST_ID,
        "Location": "../runs/run-0-00000001",
    }
    assert world.get("/runs/run-0-00000001").status == 200


def test_the_location_counts_a_trailing_slash(world: World) -> None:
    answer = world.call("POST", "/triggers/bare/")
    assert answer.headers["Location"] == "../../runs/run-0-00000001"


def test_the_same_key_starts_one_run_and_tells_its_status_today(world: World) -> None:
    first = world.start("shop", ORDER, key="order-1")
    world.work()
    world.advance(60)
    again = world.start("shop", ORDER, key="order-1")
    assert (first.status, again.status) == (202, 200)
    assert again.body == {"run_id": first.body["run_id"], "status": "COMPLETED"}
    assert again.headers["Location"] == first.headers["Location"]


def test_a_key_of_a_run_that_is_gone_is_answered_with_404(world: World) -> None:
    world.start("shop", ORDER, key="order-1")
    world.store._heads.clear()
    answer = world.start("shop", ORDER, key="order-1")
    assert (answer.status, answer.body["run_id"]) == (404, "run-0-00000001")


def test_the_same_key_with_another_input_is_a_conflict_that_names_the_run(world: World) -> None:
    run_id = world.start("shop", ORDER, key="order-1").body["run_id"]
    answer = world.start("shop", {**ORDER, "total": 21}, key="order-1")
    assert answer.status == 409
    assert answer.body["run_id"] == run_id
    assert answer.body["type"] == "urn:everstep:problem:idempotency-conflict"


@pytest.mark.parametrize(
    ("target", "headers", "version"),
    [
        ("/triggers/shop", {}, "1.1.0"),
        ("/triggers/shop?version=1.0.0", {}, "1.0.0"),
        ("/triggers/shop", {"everstep-VERSION": "1.0.0"}, "1.0.0"),
        ("/triggers/shop?version=1.0.0", {"Everstep-Version": "1.0.0"}, "1.0.0"),
    ],
    ids=["highest", "query", "header", "both-alike"],
)
def test_a_run_starts_on_the_version_asked_for(
    world: World, target: str, headers: dict[str, str], version: str
) -> None:
    answer = world.call("POST", target, json.dumps(ORDER), headers)
    assert inspect(world.engine, answer.body["run_id"]).head.version == version


def test_an_empty_body_starts_a_workflow_without_input(world: World) -> None:
    assert world.call("POST", "/triggers/bare", None, {"Content-Type": "text/plain"}).status == 202


def test_the_name_in_the_path_is_decoded_once(world: World) -> None:
    assert world.call("POST", "/triggers/b%61re").status == 202
    assert world.call("POST", "/triggers/b%2561re").status == 404


def test_a_body_in_base64_is_read(world: World) -> None:
    answer = world.call("POST", "/triggers/anything", '"Grüße"'.encode())
    head = inspect(world.engine, answer.body["run_id"]).head
    assert decode(head.input.text or "") == "Grüße"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf8"'],
)
def test_json_is_accepted_under_its_names(world: World, content_type: str) -> None:
    headers = {"Content-Type": content_type}
    assert world.call("POST", "/triggers/anything", "1", headers).status == 202


DEEP = "[" * 101 + "]" * 101
Refused = tuple[str, str | bytes | None, dict[str, str], int, str, str]
REFUSED: dict[str, Refused] = {
    "unknown-workflow": ("/triggers/nothing", "{}", {}, 404, "unknown-workflow", "bare"),
    "bad-name": ("/triggers/a%23b", "{}", {}, 404, "unknown-workflow", "may not contain"),
    "long-name": (f"/triggers/{'a' * 201}", "{}", {}, 404, "unknown-workflow", "at most 200"),
    "no-version": ("/triggers/shop?version=9", "{}", {}, 404, "unknown-workflow", "1.0.0, 1.1.0"),
    "no-json": ("/triggers/shop", "{", {}, 400, "malformed-body", "not JSON"),
    "nan": ("/triggers/anything", "[NaN]", {}, 400, "malformed-body", "NaN is no JSON number"),
    "infinity": ("/triggers/anything", "-Infinity", {}, 400, "malformed-body", "-Infinity"),
    "overflow": ("/triggers/anything", "1e999", {}, 400, "malformed-body", "too large a number"),
    "deep": ("/triggers/anything", DEEP, {}, 400, "malformed-body", "deeper than 100"),
    "surrogate": ("/triggers/anything", r'"\uD800"', {}, 400, "malformed-body", "surrogate"),
    "not-utf-8": ("/triggers/anything", b'"\xff"', {}, 400, "malformed-body", "byte 1"),
    "half-character": ("/triggers/anything", '"\ud800"', {}, 400, "malformed-body", "not UTF-8"),
    "unknown-query": ("/triggers/bare?verion=1", None, {}, 400, "invalid-request", "version"),
    "query-twice": (
        "/triggers/bare?version=1&version=1",
        None,
        {},
        400,
        "invalid-request",
        "2 times",
    ),
    "two-versions": (
        "/triggers/shop?version=1.0.0",
        "{}",
        {"Everstep-Version": "1.1.0"},
        400,
        "invalid-request",
        "different versions",
    ),
    "empty-key": (
        "/triggers/bare",
        None,
        {"Idempotency-Key": ""},
        400,
        "invalid-request",
        "1 char",
    ),
    "long-key": (
        "/triggers/bare",
        None,
        {"Idempotency-Key": "k" * 256},
        400,
        "invalid-request",
        "255",
    ),
    "text": (
        "/triggers/anything",
        "1",
        {"Content-Type": "text/plain"},
        415,
        "unsupported-media-type",
        "text/plain",
    ),
    "latin-1": (
        "/triggers/anything",
        "1",
        {"Content-Type": "application/json; charset=latin-1"},
        415,
        "unsupported-media-type",
        "UTF-8",
    ),
    "too-large": (
        "/triggers/anything",
        f'"{"x" * 2047}"',
        {},
        413,
        "payload-too-large",
        "the limit is 2048",
    ),
    "invalid": ("/triggers/shop", '{"id":"A-1"}', {}, 422, "invalid-input", "1 mistake"),
    "input-for-none": ("/triggers/bare", "1", {}, 422, "invalid-input", "takes no input"),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_starts_nothing_and_says_why(world: World, case: Refused) -> None:
    target, body, headers, status, name, says = case
    answer = world.call("POST", target, body, headers)
    assert (answer.status, answer.body["status"]) == (status, status)
    assert answer.body["type"] == f"urn:everstep:problem:{name}"
    assert says in answer.body["detail"]
    assert answer.body["request_id"] == answer.headers["X-Request-Id"] == REQUEST_ID
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert list(world.store.run_ids) == []


def test_invalid_input_is_told_field_by_field(world: World) -> None:
    answer = world.start("shop", {"id": 1})
    assert answer.body["errors"] == [
        {"loc": ["id"], "msg": "Input should be a valid string", "type": "string_type"},
        {"loc": ["total"], "msg": "Field required", "type": "missing"},
    ]


def test_a_payload_that_is_too_large_is_told_with_size_and_limit(world: World) -> None:
    answer = world.start("anything", "x" * 3000)
    assert (answer.body["size"], answer.body["limit"]) == (3002, 2048)


def test_a_body_that_is_not_the_base64_it_is_said_to_be_is_refused(world: World) -> None:
    answer = world.call("POST", "/triggers/anything", "***", isBase64Encoded=True)
    assert (answer.status, answer.body["type"][-14:]) == (400, "malformed-body")


def test_brackets_in_texts_and_wide_lists_are_no_deep_nesting(world: World) -> None:
    assert world.start("anything", ["[" * 200, *[[1]] * 120, {"a": {}}]).status == 202


def test_numbers_with_a_point_are_kept_as_they_are(world: World) -> None:
    run_id = world.started("anything", [1.5, 1e300])
    head = inspect(world.engine, run_id).head
    assert decode(head.input.text or "") == [1.5, 1e300]


def test_escapes_of_whole_characters_are_accepted(world: World) -> None:
    assert world.call("POST", "/triggers/anything", r'"\ud83d\ude00"').status == 202


@pytest.mark.parametrize(
    ("body", "says"),
    [("[" * 600_000, "it nests too deeply"), ("9" * 5000, "Exceeds the limit (4300 digits)")],
    ids=["nesting", "digits"],
)
def test_json_that_the_parser_gives_up_on_is_refused(body: str, says: str) -> None:
    answer = World(limits=Limits()).call("POST", "/triggers/anything", body)
    assert answer.status == 400
    assert answer.body["detail"].startswith(f"the body is not JSON: {says}")


def test_a_service_that_does_not_answer_is_503_without_its_words(world: World) -> None:
    world.is_throttled()
    answer = world.start("bare")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert answer.body["type"] == "urn:everstep:problem:unavailable"
    assert "Throttling" not in answer.text


def test_a_run_is_accepted_although_its_first_message_could_not_be_sent(world: World) -> None:
    object.__setattr__(world.engine, "queue", Broken(UnavailableError("SQS SendMessage")))
    assert world.start("bare").status == 202
    head = world.engine.runs.head("run-0-00000001")
    assert head is not None
    assert (head.status, head.due_at is not None) == (RunStatus.RUNNING, True)


@pytest.mark.parametrize(
    "error", [AdapterError("DynamoDB PutItem", "AccessDenied", "secret"), ZeroDivisionError("x")]
)
def test_anything_else_is_500_and_tells_nothing_of_the_inside(
    world: World, error: Exception
) -> None:
    world.breaks(error)
    answer = world.start("bare")
    assert answer.status == 500
    assert answer.body == {
        "type": "urn:everstep:problem:internal",
        "title": "Something went wrong on the server",
        "status": 500,
        "detail": "the cause is in the function's log, under the request id",
        "request_id": REQUEST_ID,
    }


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
def test_other_methods_are_405_and_start_nothing(world: World, method: str) -> None:
    answer = world.call(method, "/triggers/bare")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST, OPTIONS")
    assert list(world.store.run_ids) == []


def test_options_tells_the_methods(world: World) -> None:
    answer = world.call("OPTIONS", "/triggers/bare")
    assert (answer.status, answer.headers["Allow"], answer.text) == (204, "POST, OPTIONS", "")


@pytest.mark.parametrize("path", ["/triggers", "/triggers/a/b"])
def test_other_paths_are_404(world: World, path: str) -> None:
    answer = world.call("POST", path)
    assert (answer.status, answer.body["type"]) == (404, "urn:everstep:problem:not-found")
    assert path in answer.body["detail"]


def test_a_start_beyond_the_limit_is_told_what_it_is_and_when_to_come_back() -> None:
    world = World(limits=Limits(runs_of={"shop": 1}))
    first = world.start("shop", ORDER, key="order-1")
    refused = world.start("shop", ORDER, key="order-2")
    assert (refused.status, refused.headers["Retry-After"]) == (429, "10")
    assert refused.headers["Content-Type"] == "application/problem+json"
    told = ("type", "setting", "limit", "workflow", "retry_after")
    assert {name: refused.body[name] for name in told} == {
        "type": "urn:everstep:problem:too-many-runs",
        "setting": "EVERSTEP_MAX_CONCURRENT_RUNS_OF",
        "limit": 1,
        "workflow": "shop",
        "retry_after": 10,
    }
    again = world.start("shop", ORDER, key="order-1")
    assert (again.status, again.body["run_id"]) == (200, first.body["run_id"])
    assert world.start("anything", ORDER).status == 202
