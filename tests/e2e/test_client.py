"""The Python client on the deployed stack: over HTTP, and on its table, queue and bucket."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from everstep import Client, RunFailed
from everstep.core.errors import IdempotencyConflictError, InvalidInputError
from everstep.core.model import RunStatus
from tests.e2e.stack import PARAMETERS, STACK
from workflows.welcome_email import Greeted, NewUser, welcome_email

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.stack import Stack

USER: Final = NewUser(name="Ada", email="ada@example.org", pause=timedelta(seconds=1))


def over_http(stack: Stack) -> Client:
    return Client(str(stack.http.base_url), api_key=stack.key, actor="tests")


def on_aws(stack: Stack) -> Client:
    return Client.on_aws(
        stack=STACK,
        workflows=PARAMETERS["Workflows"],
        session=stack.server.session(),
        endpoint_url=stack.server.endpoint_url,
        actor="tests",
    )


@pytest.fixture(params=[over_http, on_aws], ids=["http", "aws"])
def client(request: pytest.FixtureRequest, stack: Stack) -> Iterator[Client]:
    with request.param(stack) as made:
        yield made


@pytest.fixture
def other(request: pytest.FixtureRequest, stack: Stack) -> Iterator[Client]:
    """Give the client of the other kind."""
    make = on_aws if "[http]" in request.node.name else over_http
    with make(stack) as made:
        yield made


def test_a_typed_run_is_started_by_one_client_and_waited_for_by_either(
    client: Client, other: Client
) -> None:
    run = client.start(welcome_email, USER)
    result = run.result(timeout=60)
    assert result == Greeted(
        welcome=f"mail-{run.id}:send_email#1", follow_up=f"mail-{run.id}:send_email#2"
    )
    assert other.get(run.id, welcome_email).result(timeout=5) == result
    assert [each.key for each in other.handle(run.id).history()] == [
        "send_email#1",
        "settle-in#1",
        "send_email#2",
    ]


def test_a_run_is_paused_and_resumed_and_both_clients_see_it(client: Client, other: Client) -> None:
    run = client.start(welcome_email, USER)
    run.pause(reason="wait")
    same = other.get(run.id)
    assert same.status() is RunStatus.PAUSED
    same.resume()
    run.result(timeout=60)
    told = [each for each in run.audit() if each.action != "started"]
    assert [(each.action, who(each.by), each.reason) for each in told] == [
        ("created", "tests", None),
        ("paused", "tests", "wait"),
        ("resumed", "tests", None),
        ("completed", "everstep", None),
    ]
    assert run.verify_audit().whole


def who(by: str | None) -> str | None:
    """Return a name without the id of the key that goes with it over HTTP."""
    return None if by is None else by.partition(" (")[0]


def test_refusals_are_the_same_for_either_client(client: Client, other: Client) -> None:
    key = client.start(welcome_email, USER).id
    started = client.start(welcome_email, USER, idempotency_key=key)
    assert other.start(welcome_email, USER, idempotency_key=key).id == started.id
    with pytest.raises(IdempotencyConflictError) as conflict:
        other.start("welcome-email", {"name": "Eve", "email": "e@e"}, idempotency_key=key)
    assert conflict.value.run_id == started.id
    errors = []
    for each in (client, other):
        with pytest.raises(InvalidInputError) as refused:
            each.start("welcome-email", {"name": ""})
        errors.append((str(refused.value), refused.value.errors))
    assert errors[0] == errors[1]


def test_a_run_that_fails_says_why(client: Client) -> None:
    with pytest.raises(RunFailed, match="is FAILED") as failure:
        client.start("e2e-steps", {"effects": "http://127.0.0.1:9", "steps": 1}).result(timeout=90)
    assert failure.value.error_type == "StepFailed"


def test_runs_are_listed(client: Client, other: Client) -> None:
    run = client.start(welcome_email, USER)
    run.result(timeout=60)
    listed = next(iter(other.runs(workflow="welcome-email", status="COMPLETED")))
    assert listed.id == run.id
    assert "welcome-email" in [each.name for each in client.workflows()]
