"""The Runtime API hands out invocations and hears how they ended."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING, Final

import pytest

from everstep_localstack.plugin.runtime_api import (
    MAX_RESPONSE_BYTES,
    Answered,
    Exited,
    InitFailed,
    Invocation,
    RuntimeApi,
    Started,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.network

ROOT: Final = "/2018-06-01/runtime"
INVOCATION: Final = Invocation(
    request_id="r-1", function_arn="arn", trace_id="trace", payload=b'{"a": 1}', deadline_ms=123
)


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    api = RuntimeApi()
    yield api
    api.close()


@pytest.fixture
def process(api: RuntimeApi) -> Iterator[http.client.HTTPConnection]:
    """Return a connection such as a function process has."""
    connection = http.client.HTTPConnection(api.address, timeout=10)
    yield connection
    connection.close()


def _call(
    process: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    process.request(method, ROOT + path, body=body)
    response = process.getresponse()
    return response, response.read()


def test_next_gives_the_invocation_with_its_headers(
    api: RuntimeApi, process: http.client.HTTPConnection
) -> None:
    api.submit(INVOCATION)

    response, body = _call(process, "GET", "/invocation/next")

    assert body == INVOCATION.payload
    assert response.headers["Lambda-Runtime-Aws-Request-Id"] == "r-1"
    assert response.headers["Lambda-Runtime-Deadline-Ms"] == "123"
    assert response.headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn"
    assert api.started.result(0) == Started()


@pytest.mark.parametrize(("kind", "is_error"), [("response", False), ("error", True)])
def test_an_answer_reaches_who_waits_for_it(
    api: RuntimeApi, process: http.client.HTTPConnection, kind: str, *, is_error: bool
) -> None:
    answer = api.submit(INVOCATION)

    response, _ = _call(process, "POST", f"/invocation/r-1/{kind}", b"{}")

    assert response.status == http.client.ACCEPTED
    assert answer.result(0) == Answered(payload=b"{}", is_error=is_error)


def test_an_answer_that_is_too_large_becomes_an_error(
    api: RuntimeApi, process: http.client.HTTPConnection
) -> None:
    answer = api.submit(INVOCATION)

    _call(process, "POST", "/invocation/r-1/response", b"x" * (MAX_RESPONSE_BYTES + 1))

    result = answer.result(0)
    assert isinstance(result, Answered)
    assert result.is_error
    assert b"Function.ResponseSizeTooLarge" in result.payload


def test_an_answer_to_another_invocation_is_ignored(
    api: RuntimeApi, process: http.client.HTTPConnection
) -> None:
    answer = api.submit(INVOCATION)

    _call(process, "POST", "/invocation/r-0/response", b"{}")
    _call(process, "POST", "/invocation/r-1/response", b"[]")

    assert answer.result(0) == Answered(payload=b"[]", is_error=False)


def test_an_initialisation_error_is_the_outcome_even_if_the_process_then_exits(
    api: RuntimeApi, process: http.client.HTTPConnection
) -> None:
    _call(process, "POST", "/init/error", b'{"errorType": "X"}')
    api.exited(1)

    assert api.started.result(0) == InitFailed(payload=b'{"errorType": "X"}')


def test_the_end_of_the_process_ends_every_wait(api: RuntimeApi) -> None:
    answer = api.submit(INVOCATION)

    api.exited(-9)

    assert api.started.result(0) == Exited(status=-9)
    assert answer.result(0) == Exited(status=-9)


def test_an_unknown_path_is_not_found(api: RuntimeApi, process: http.client.HTTPConnection) -> None:
    response, _ = _call(process, "POST", "/somewhere/else", b"")

    assert response.status == http.client.NOT_FOUND
    assert not api.started.done()
