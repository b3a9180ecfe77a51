"""The command line on the deployed stack: over HTTP, and on its table, queue and bucket."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep.cli.session import real
from tests.e2e.stack import PARAMETERS, STACK
from tests.unit.cli.typed import Seen, typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.stack import Stack

USER: Final = json.dumps({"name": "Ada", "email": "ada@example.org", "pause": 1})
STARTED: Final = ["send_email#1", "settle-in#1", "send_email#2"]


def over_http(stack: Stack) -> dict[str, str]:
    return {"EVERSTEP_URL": str(stack.http.base_url), "EVERSTEP_API_KEY": stack.key}


def on_aws(stack: Stack) -> dict[str, str]:
    return {
        "EVERSTEP_STACK": STACK,
        "EVERSTEP_WORKFLOWS": PARAMETERS["Workflows"],
        "EVERSTEP_ENDPOINT_URL": stack.server.endpoint_url,
        "EVERSTEP_REGION": str(stack.server.session().region_name),
    }


@pytest.fixture(params=[over_http, on_aws], ids=["http", "aws"])
def everstep(
    request: pytest.FixtureRequest, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Seen]:
    """Type a command at the stack."""
    credentials = stack.server.session().get_credentials()
    assert credentials is not None
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", credentials.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", credentials.secret_key)
    environment = {"EVERSTEP_CONFIG": "/dev/null", **request.param(stack)}
    by = replace(real(), environment=environment)
    return lambda *arguments: typed(*arguments, by=by)


def test_a_run_is_started_waited_for_and_looked_at(everstep: Callable[..., Seen]) -> None:
    def data(*arguments: str) -> Any:  # noqa: ANN401 - JSON
        seen = everstep(*arguments, "--json")
        assert seen.code == 0, seen
        return json.loads(seen.out)

    assert data("health")["status"] == "ok"
    waited = data("trigger", "welcome-email", "--input", USER, "--wait", "--wait-timeout", "60")
    run_id = waited["run_id"]
    assert waited["result"]["welcome"] == f"mail-{run_id}:send_email#1"
    assert [each["key"] for each in data("runs", "history", run_id)] == STARTED
    assert run_id in [each["run_id"] for each in data("runs", "list", "--status", "COMPLETED")]
    assert data("doctor", run_id)["cause"] == "ended"
    assert everstep("runs", "logs", run_id).code == 0
    assert everstep("runs", "pause", run_id).code == 1
    assert everstep("runs", "inspect", "01ARZ3NDEKTSV4RRFFQ69G5FAV").code == 3


def test_a_run_that_begins_later_is_diagnosed_and_ended(everstep: Callable[..., Seen]) -> None:
    seen = everstep("trigger", "welcome-email", "--input", USER, "--delay", "20s", "--json")
    run_id = json.loads(seen.out)["run_id"]
    told = json.loads(everstep("doctor", run_id, "--json").out)
    assert (told["cause"], told["status"]) == ("begins-later", "PENDING")
    assert everstep("runs", "cancel", run_id, "--force", "--reason", "tested").code == 0
    assert json.loads(everstep("runs", "inspect", run_id, "--json").out)["status"] == "CANCELLED"


def test_a_run_that_fails_ends_with_4(everstep: Callable[..., Seen]) -> None:
    given = json.dumps({"effects": "http://127.0.0.1:9", "steps": 1})
    seen = everstep("trigger", "e2e-steps", "--input", given, "--wait")
    assert (seen.code, seen.out) == (4, "")
    assert "is FAILED: StepFailed" in seen.err
