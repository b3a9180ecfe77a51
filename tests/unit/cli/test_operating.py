"""What is asked of runs, and told to them, over both transports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.operating import TRANSPORTS, operated

if TYPE_CHECKING:
    from tests.unit.cli.operating import Operated


@pytest.fixture(params=TRANSPORTS)
def at(request: pytest.FixtureRequest) -> Operated:
    return operated(request.param)


def test_a_run_is_paused_and_resumed(at: Operated) -> None:
    run_id = at.started()
    assert (
        at.typed("runs", "pause", run_id, "--reason", "wait").out
        == "run run-0-00000001 is paused\n"
    )
    assert at.data("runs", "inspect", run_id)["status"] == "PAUSED"
    assert at.typed("runs", "resume", run_id).out == "run run-0-00000001 goes on\n"
    entries = at.world.engine.runs.audit(run_id)
    assert [(each.action, each.who, each.why) for each in entries] == [
        ("paused", "ada", "wait"),
        ("resumed", "ada", None),
    ]


def test_a_run_is_cancelled_or_ended_by_force(at: Operated) -> None:
    first, second = at.started(), at.started()
    at.world.work()
    assert (
        at.typed("runs", "cancel", first, "--reason", "no").out == f"run {first} is told to end\n"
    )
    assert at.typed("runs", "cancel", second, "--force").out == f"run {second} is ended\n"
    at.world.work()
    assert {each["status"] for each in at.data("runs", "list")} == {"CANCELLED"}


def test_what_the_state_of_a_run_does_not_allow_ends_with_1(at: Operated) -> None:
    run_id = at.completed()
    for verb in ("pause", "resume", "cancel", "retry"):
        seen = at.typed("runs", verb, run_id)
        assert (seen.code, seen.out) == (1, "")
        assert "COMPLETED" in seen.err


def test_a_failed_run_is_retried(at: Operated) -> None:
    run_id = at.failed()
    made = at.data("runs", "retry", run_id, "--reason", "again")
    assert (made["run_id"] == run_id, made["status"]) == (False, "RUNNING")
    assert at.typed("runs", "retry", run_id).out.endswith(f" goes on from {run_id}\n")
    assert f"goes on from  {run_id} (charge#1)" in at.typed("runs", "inspect", made["run_id"]).out


def test_a_run_is_forked_from_a_step_with_another_input(at: Operated) -> None:
    run_id = at.completed()
    fork = ("runs", "fork", run_id, "--from-step", "charge#1")
    made = at.data(*fork, "--input", '{"id": "B", "total": 7}')["run_id"]
    assert at.data("runs", "result", made)["result"] == {"receipt": "charged 7"}
    assert at.typed(*fork).out.endswith(f" goes on from {run_id} at charge#1\n")
    assert at.typed("runs", "fork", run_id, "--from-step", "nothing#1").code in (1, 2)


# --- Messages


def test_an_event_is_sent_once_with_its_payload(at: Operated) -> None:
    run_id = str(at.data("trigger", "awaiting")["run_id"])
    send = ("events", "send", run_id, "accepted", "--payload", '{"minutes": 20}')
    for _ in range(2):
        seen = at.typed(*send, "--idempotency-key", "k")
        assert (seen.code, seen.out) == (0, "accepted is kept\n")
    assert at.data("runs", "result", run_id)["result"] == {"minutes": 20}
    assert at.typed(*send).code == 1


def test_a_callback_is_kept_alive_completed_or_failed_and_its_token_is_not_repeated(
    at: Operated,
) -> None:
    seen = at.typed("callbacks", "complete", "no-such-token", "--payload", "1")
    assert (seen.code, seen.out) == (3, "")
    assert "no-such-token" not in seen.err
    assert at.typed("callbacks", "heartbeat", "no-such-token").code == 3
    assert at.typed("callbacks", "fail", "no-such-token", "--type", "Gone").code == 3
    assert at.typed("callbacks", "fail", "no-such-token").code == 2


# --- What is deployed


def test_workflows_are_listed_with_their_versions(at: Operated) -> None:
    lines = [each.split(maxsplit=1) for each in at.typed("workflows", "list").out.splitlines()]
    assert ["shop", "1.0.0, 1.1.0"] in lines
    names = [each["name"] for each in at.data("workflows", "list")]
    assert "shop" in names
    told = at.typed("workflows", "list", "--json-lines").out.splitlines()
    assert [json.loads(each)["name"] for each in told] == names


def test_a_workflow_is_shown_with_what_it_takes_and_gives(at: Operated) -> None:
    shown = at.data("workflows", "show", "shop")
    assert [each["version"] for each in shown["versions"]] == ["1.0.0", "1.1.0"]
    assert shown["versions"][0]["input_schema"]["required"] == ["id", "total"]
    assert at.typed("workflows", "show", "shop").out.startswith("shop version 1.0.0\n  input   {")


def test_a_workflow_that_is_nearly_one_is_proposed(at: Operated) -> None:
    seen = at.typed("workflows", "show", "shopp")
    assert (seen.code, seen.err) == (
        3,
        "error: there is no workflow shopp; did you mean shop?\n",
    )
    assert "there are" in at.typed("workflows", "show", "zzz").err


def test_health_says_whether_the_deployment_answers(at: Operated) -> None:
    assert at.typed("health").out.startswith("ok (version")
    assert at.data("health")["status"] == "ok"
    at.world.is_throttled()
    assert at.typed("health").code == 1
