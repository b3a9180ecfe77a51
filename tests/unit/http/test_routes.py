"""What requests say is read by the models that routes name."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field

from everstep.core.errors import InvalidRequestError
from everstep.http.contract import Asked, Nothing, Payload, read_body, read_headers, read_query
from everstep.http.requests import Request
from everstep.http.routes import Reply, Route
from tests.unit.http.world import FakeContext


class Wanted(Asked):
    number: int
    text: str = Field("", max_length=3)


class Headers(Asked):
    some_name: str | None = None


def request(**changes: Any) -> Request:  # noqa: ANN401 - fields
    fields: dict[str, Any] = {
        "path": "/",
        "parameters": {},
        "query": {},
        "headers": {},
        "body": b"",
        "context": FakeContext(),
    }
    return Request(**fields | changes)


def test_a_query_that_must_say_something_says_what_is_missing() -> None:
    with pytest.raises(InvalidRequestError, match="query parameter number is missing") as told:
        read_query(Wanted, {})
    assert told.value.errors == [
        {"loc": ["query", "number"], "msg": "Field required", "type": "missing"}
    ]


def test_every_mistake_is_told_to_programs_and_the_first_to_people() -> None:
    with pytest.raises(InvalidRequestError, match=r"^number must be a valid integer") as told:
        read_body(Wanted, {"number": "x", "text": "long", "other": 1})
    assert [each["loc"] for each in told.value.errors] == [
        ["body", "number"],
        ["body", "text"],
        ["body", "other"],
    ]
    assert not any("input" in each for each in told.value.errors)


def test_what_was_given_is_repeated_only_if_it_is_short() -> None:
    with pytest.raises(InvalidRequestError) as told:
        read_body(Wanted, {"number": 1, "text": "x" * 5000})
    assert len(str(told.value)) < 200


@pytest.mark.parametrize("data", [None, {}])
def test_no_body_says_the_same_as_an_empty_object(data: object) -> None:
    assert read_body(Nothing, data) == Nothing()
    with pytest.raises(InvalidRequestError, match="field number is missing"):
        read_body(Wanted, data)


@pytest.mark.parametrize("data", [(), 1, "x", False])
def test_a_body_that_is_no_object_is_refused(data: object) -> None:
    with pytest.raises(InvalidRequestError, match=r"an object with number, text$"):
        read_body(Wanted, data)
    with pytest.raises(InvalidRequestError, match="there must be no body"):
        read_body(Nothing, data)


def test_a_payload_is_whatever_it_is() -> None:
    payloads: tuple[object, ...] = (None, [], {"a": 1})
    for data in payloads:
        read = read_body(Payload, data)
        assert isinstance(read, Payload)
        assert read.root is data


def test_headers_that_a_model_does_not_know_mean_nothing() -> None:
    assert read_headers(Headers, {"x-other": "1"}).some_name is None
    assert read_headers(Headers, {"some-name": "a", "x-other": "1"}).some_name == "a"


def test_a_call_gets_what_its_route_names_and_nothing_else() -> None:
    seen: list[object] = []

    def call(asked: Request) -> Reply:
        seen.append(asked.given(Wanted).number)
        with pytest.raises(LookupError, match="does not name Headers"):
            asked.given(Headers)
        return Reply()

    route = Route(method="GET", rule="/", call=call, summary="Try.", answers={}, query=Wanted)
    route.answer(request(query={"number": ["5"]}))
    assert seen == [5]
