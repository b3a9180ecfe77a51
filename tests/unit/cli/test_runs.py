"""``everstep runs``, over both transports: how people and programs see runs."""

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


def test_a_list_shows_runs_newest_first(at: Operated) -> None:
    at.completed()
    at.started("--reference-id", "order-7", "--tag", "customer=4711")
    seen = at.typed("runs", "list")
    assert (seen.code, seen.err) == (0, "")
    assert [each.split() for each in seen.out.splitlines()] == [
        ["run", "workflow", "version", "status", "created", "ended", "reference", "tags"],
        [
            "run-0-00000002",
            "shop",
            "1.1.0",
            "PENDING",
            "2026-01-01T00:01:00Z",
            "order-7",
            "customer=4711",
        ],
        [
            "run-0-00000001",
            "shop",
            "1.1.0",
            "COMPLETED",
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:01:00Z",
        ],
    ]


def test_lists_for_scripts_are_arrays_or_lines(at: Operated) -> None:
    for _ in range(3):
        at.started()
    assert [each["run_id"] for each in at.data("runs", "list")] == [
        "run-0-00000003",
        "run-0-00000002",
        "run-0-00000001",
    ]
    lines = at.typed("runs", "list", "--json-lines", "--limit", "2").out.splitlines()
    assert [json.loads(each)["run_id"] for each in lines] == ["run-0-00000003", "run-0-00000002"]
    first = json.loads(lines[0])
    assert (first["created_at"], first["ended_at"]) == ("2026-01-01T00:00:00.000Z", None)


def test_a_list_says_when_there_is_more(at: Operated) -> None:
    for _ in range(3):
        at.started()
    seen = at.typed("runs", "list", "-n", "2")
    assert len(seen.out.splitlines()) == 3
    assert seen.err == "there are more than these 2: --limit, --all\n"
    assert len(at.typed("runs", "list", "-n", "2", "--all").out.splitlines()) == 4


def test_runs_are_found_by_workflow_status_tag_and_reference(at: Operated) -> None:
    done, tagged = at.completed(), at.started("--tag", "a=1", "--reference-id", "r")
    at.data("trigger", "bare")
    assert [each["run_id"] for each in at.data("runs", "list", "--workflow", "bare")] == [
        "run-0-00000003"
    ]
    assert [each["run_id"] for each in at.data("runs", "list", "--tag", "a=1")] == [tagged]
    assert [each["run_id"] for each in at.data("runs", "list", "--reference-id", "r")] == [tagged]
    both = at.data("runs", "list", "--status", "completed,PENDING", "--workflow", "shop")
    assert [each["run_id"] for each in both] == [tagged, done]
    seen = at.typed("runs", "list", "--status", "FAILED")
    assert (seen.code, seen.out, seen.err) == (0, "", "no such runs\n")


def test_a_status_that_there_is_not_is_refused(at: Operated) -> None:
    seen = at.typed("runs", "list", "--status", "DONE")
    assert seen.code == 2
    assert seen.err.startswith("error: --status must be one of PENDING, RUNNING, SLEEPING")


def test_a_run_is_shown_with_its_steps(at: Operated) -> None:
    run_id = at.completed()
    seen = at.typed("runs", "inspect", run_id)
    assert (seen.code, seen.err) == (0, "")
    lines = [" ".join(each.split()) for each in seen.out.splitlines()]
    assert lines[:3] == ["run run-0-00000001", "workflow shop version 1.1.0", "status COMPLETED"]
    assert 'input {"id": "A-1", "total": 20}' in lines
    assert 'result {"receipt": "charged 20"}' in lines
    assert lines[-2].startswith("charge#1 step DONE 1 2026-01-01T00:00:00Z 0 ms")
    assert lines[-1].startswith("sleep#1 sleep DONE 2026-01-01T00:00:00Z 1 min")
    data = at.data("runs", "inspect", run_id)
    assert [each["key"] for each in data["steps"]] == ["charge#1", "sleep#1"]
    assert data["status"] == "COMPLETED"


def test_a_failed_run_shows_its_error(at: Operated) -> None:
    seen = at.typed("runs", "inspect", at.failed())
    assert "StepFailed: step charge#1 failed after 2 attempts" in seen.out
    assert "(charge#1)" in seen.out


def test_secrets_are_not_shown(at: Operated) -> None:
    run_id = at.data("trigger", "login", "-i", '{"user": "ada", "password": "hunter2"}')["run_id"]
    at.world.work()
    for command in (("inspect",), ("result",), ("history",), ("inspect", "--json")):
        seen = at.typed("runs", command[0], run_id, *command[1:])
        assert seen.code == 0
        assert "hunter2" not in seen.out + seen.err


def test_a_history_is_shown_in_the_order_of_the_code(at: Operated) -> None:
    run_id = at.completed()
    assert [each["key"] for each in at.data("runs", "history", run_id)] == ["charge#1", "sleep#1"]
    lines = at.typed("runs", "history", run_id, "--json-lines").out.splitlines()
    assert [json.loads(each)["kind"] for each in lines] == ["step", "sleep"]
    assert at.typed("runs", "history", run_id).out.startswith("operation  kind")


def test_a_result_is_waited_for(at: Operated) -> None:
    run_id = at.started()
    assert json.loads(at.typed("runs", "result", run_id).out) == {"receipt": "charged 20"}
    assert at.data("runs", "result", run_id)["status"] == "COMPLETED"


def test_a_result_that_is_not_there_yet_need_not_be_waited_for(at: Operated) -> None:
    seen = at.typed("runs", "result", at.started(), "--timeout", "0")
    assert (seen.code, seen.out) == (1, "")
    assert "has not ended within 0 s; it is PENDING" in seen.err


@pytest.mark.parametrize("command", ["inspect", "result", "history", "cancel", "pause", "retry"])
def test_a_run_that_there_is_not_ends_with_3(at: Operated, command: str) -> None:
    seen = at.typed("runs", command, "nothing")
    assert (seen.code, seen.out, seen.err) == (3, "", "error: there is no run nothing\n")
