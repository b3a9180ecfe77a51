"""Over the network: what is sent, what is repeated, for how long, and what gateways say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

import httpx
import pytest

from everstep import Client
from everstep.adapters.errors import AdapterError
from everstep.app.capacity import TooManyRunsError
from everstep.client.over_http import ATTEMPTS, HttpTransport
from everstep.client.transport import Call
from everstep.core.errors import InvalidRequestError, RunNotFoundError, UnavailableError
from everstep.http.problems import problem
from tests.unit.client.deployments import URL

Reply = httpx.Response | httpx.TransportError
STARTED: Final = httpx.Response(202, json={"run_id": "run-1", "status": "PENDING"})
READ: Final = Call(method="GET", path="/health")
FORK: Final = Call(method="POST", path="/runs/a/fork", repeatable=False)


class Network:
    """Answer with the given replies, the last one for ever; remember requests and pauses."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, httpx.TransportError):
            raise reply
        return reply

    def transport(self, **options: Any) -> HttpTransport:  # noqa: ANN401
        settings: dict[str, Any] = {"headers": {"Everstep-Actor": "ada"}, "timeout": 30} | options
        network = httpx.MockTransport(self.answer)
        return HttpTransport(URL, network=network, sleep=self.pauses.append, **settings)

    @property
    def client(self) -> Client:
        return Client.over(self.transport())


def status(code: int, **headers: str) -> httpx.Response:
    return httpx.Response(code, headers={k.replace("_", "-"): v for k, v in headers.items()})


@pytest.mark.parametrize(
    "trouble",
    [
        status(429),
        status(502),
        status(503),
        status(504),
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("hung up"),
    ],
    ids=repr,
)
def test_a_start_is_repeated_with_the_same_key_until_it_is_answered(trouble: Reply) -> None:
    network = Network(trouble, trouble, STARTED)
    assert network.client.start("shop", {"id": "A"}).id == "run-1"
    assert len(network.requests) == 3
    assert len({each.headers["Idempotency-Key"] for each in network.requests}) == 1
    assert {each.content for each in network.requests} == {b'{"id":"A"}'}
    assert len(network.pauses) == 2
    assert all(0 <= each <= 10 for each in network.pauses)


def test_a_start_for_which_there_is_no_room_is_not_repeated_and_says_when_to() -> None:
    error = TooManyRunsError("EVERSTEP_MAX_CONCURRENT_RUNS", 5, None, 10)
    network = Network(httpx.Response(429, json=problem(error, "r").body))
    with pytest.raises(TooManyRunsError) as raised:
        network.client.start("shop", {"id": "A"})
    assert len(network.requests) == 1
    assert (raised.value.limit, raised.value.retry_after) == (5, 10)
    assert (raised.value.setting, raised.value.workflow) == (error.setting, None)
    assert str(raised.value) == str(error)


def test_pauses_grow_and_differ_by_chance() -> None:
    longest = [0.0] * (ATTEMPTS - 1)
    for _ in range(200):
        network = Network(status(503))
        with pytest.raises(UnavailableError):
            network.transport().send(READ)
        longest = [max(both) for both in zip(longest, network.pauses, strict=True)]
    assert longest == sorted(longest)
    assert longest[-1] > 4 * longest[0]


@pytest.mark.parametrize(
    ("header", "lowest", "highest"),
    [
        ("7", 7, 10),
        ("3600", 60, 60),
        ("soon", 0, 10),
        (format_datetime(datetime(2020, 1, 1, tzinfo=UTC)), 0, 10),
        (format_datetime(datetime.now(UTC) + timedelta(minutes=30)), 60, 60),
    ],
    ids=["seconds", "an hour", "no time", "a time gone by", "a time to come"],
)
def test_who_says_when_to_come_back_is_heard_up_to_a_minute(
    header: str, lowest: float, highest: float
) -> None:
    network = Network(status(503, Retry_After=header), STARTED)
    network.transport().send(READ)
    (pause,) = network.pauses
    assert lowest <= pause <= highest


def test_it_gives_up_at_last_and_says_what_was_the_matter() -> None:
    network = Network(httpx.Response(503, json={"detail": "nothing is known"}))
    with pytest.raises(UnavailableError, match="GET /health: 503: nothing is known"):
        network.transport().send(READ)
    assert len(network.requests) == ATTEMPTS
    network = Network(httpx.ConnectError("refused"))
    with pytest.raises(UnavailableError, match="GET /health: ConnectError: refused"):
        network.transport().send(READ)


@pytest.mark.parametrize(
    ("trouble", "repeated"),
    [
        (status(429), True),
        (httpx.ConnectError("refused"), True),
        (status(503), False),
        (httpx.ReadTimeout("slow"), False),
    ],
    ids=repr,
)
def test_what_must_not_happen_twice_is_repeated_only_if_it_cannot_have_happened(
    trouble: Reply, *, repeated: bool
) -> None:
    network = Network(trouble, STARTED)
    if repeated:
        assert network.transport().send(FORK).status == 202
    else:
        with pytest.raises(UnavailableError):
            network.transport().send(FORK)
    assert len(network.requests) == (2 if repeated else 1)


@pytest.mark.parametrize(
    ("reply", "code", "text"),
    [
        (httpx.Response(403, json={"message": "Forbidden"}), "403", "Forbidden"),
        (httpx.Response(401, json={"Message": "no key"}), "401", "no key"),
        (httpx.Response(500, text="<html>"), "500", ""),
        (httpx.Response(400, json=["what"]), "400", ""),
        (
            httpx.Response(
                500,
                json={
                    "type": "urn:everstep:problem:internal",
                    "detail": "see the log",
                    "request_id": "7",
                },
            ),
            "internal",
            "see the log (request 7)",
        ),
    ],
    ids=["forbidden", "unauthorized", "page", "no object", "internal"],
)
def test_what_no_repetition_mends_is_raised_at_once(
    reply: httpx.Response, code: str, text: str
) -> None:
    network = Network(reply)
    with pytest.raises(AdapterError) as failure:
        network.transport().send(READ)
    assert (failure.value.operation, failure.value.code) == ("GET /health", code)
    assert str(failure.value) == f"GET /health: {code}: {text}"
    assert len(network.requests) == 1


def test_a_problem_without_its_details_is_still_the_right_error() -> None:
    problem = {"type": "urn:everstep:problem:run-not-found"}
    with pytest.raises(RunNotFoundError):
        Network(httpx.Response(404, json=problem)).transport().send(READ)


def test_every_call_says_who_asks_and_has_a_time_out() -> None:
    network = Network(httpx.Response(200, json={"run_id": "a", "status": "COMPLETED", "result": 1}))
    network.client.handle("a").result(timeout=60)
    (request,) = network.requests
    assert request.headers["Everstep-Actor"] == "ada"
    assert str(request.url) == f"{URL}/runs/a/result?wait=20"
    assert request.extensions["timeout"] == {"connect": 5, "read": 50, "write": 50, "pool": 50}


def test_the_key_and_the_name_of_the_client_go_with_every_call() -> None:
    with Client(f"{URL}/", api_key="k-1", actor="ada", timeout=3) as client:
        headers = sent_by(client)
    assert headers["Authorization"] == "Bearer k-1"
    assert headers["Everstep-Actor"] == "ada"
    assert headers["User-Agent"].startswith("everstep-python/")
    with Client(URL) as plain:
        assert {"Authorization", "Everstep-Actor"} & set(sent_by(plain)) == set()


def sent_by(client: Client) -> httpx.Headers:
    transport: Any = client._connection.transport
    headers: httpx.Headers = transport._request(READ).headers
    return headers


def test_requests_are_signed_anew_each_time_they_are_sent() -> None:
    import boto3  # noqa: PLC0415 - only here

    from everstep.client.signing import SignedByAws  # noqa: PLC0415 - only here

    session = boto3.Session("AKIDEXAMPLE", "secret", "token", "eu-west-1")
    network = Network(status(503), STARTED)
    client = Client.over(network.transport(auth=SignedByAws(session)))
    client.start("shop", {"id": "A"}, idempotency_key="k")
    for request in network.requests:
        signature = request.headers["Authorization"]
        assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        assert "/eu-west-1/execute-api/aws4_request" in signature
        signed = "content-type;everstep-actor;host;idempotency-key;x-amz-date;x-amz-security-token"
        assert f"SignedHeaders={signed}" in signature
        assert request.headers["X-Amz-Security-Token"] == "token"
    with pytest.raises(InvalidRequestError, match="credentials and a region"):
        SignedByAws(NoCredentials())


def test_a_session_given_to_the_client_signs() -> None:
    import boto3  # noqa: PLC0415 - only here

    client = Client(URL, session=boto3.Session("AKIDEXAMPLE", "secret", region_name="eu-west-1"))
    transport: Any = client._connection.transport
    assert type(transport._http.auth).__name__ == "SignedByAws"


class NoCredentials:
    region_name = None

    def get_credentials(self) -> None:
        return None


@pytest.mark.parametrize("url", ["", "api.example.org", "ftp://api.example.org"])
def test_an_address_that_is_none_of_http_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequestError, match="http:// or https://"):
        Client(url)
