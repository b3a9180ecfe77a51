"""``everstep trigger`` over both transports: what is started, waited for, and refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.operating import INPUT, TRANSPORTS, operated
from tests.unit.http.world import ORDER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.cli.operating import Operated


@pytest.fixture(params=TRANSPORTS)
def at(request: pytest.FixtureRequest) -> Operated:
    return operated(request.param)


def test_a_run_is_started_and_its_id_printed(at: Operated) -> None:
    seen = at.typed("trigger", "shop", "--input", INPUT)
    assert (seen.code, seen.out, seen.err) == (0, "run run-0-00000001 is PENDING\n", "")
    assert at.data("trigger", "bare") == {"run_id": "run-0-00000002", "status": "PENDING"}


def test_the_input_comes_from_a_file_or_standard_input(at: Operated, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(INPUT, encoding="utf-8")
    assert at.typed("trigger", "shop", "-i", f"@{tmp_path}/order.json").code == 0
    assert at.typed("trigger", "shop", "-i", "-", stdin=INPUT).code == 0
    for run_id in ("run-0-00000001", "run-0-00000002"):
        assert at.data("runs", "inspect", run_id)["input"] == ORDER


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("{", "--input is not JSON: Expecting property name"),
        ("Ann", """text stands in quotes: '"text"'"""),
        ("", "--input is empty; null is written null"),
        ("@nothing.json", "nothing.json cannot be read: No such file"),
        ("-", "--input from standard input is not JSON"),
        ("NaN", "NaN is no JSON number"),
    ],
)
def test_an_input_that_is_no_json_is_refused_before_anything_is_sent(
    at: Operated, given: str, says: str
) -> None:
    seen = at.typed("trigger", "shop", "--input", given, stdin="nothing")
    assert (seen.code, seen.out, seen.err.count("\n")) == (2, "", 1)
    assert says in seen.err
    assert at.data("runs", "list") == []


def test_every_option_of_a_start_is_recorded(at: Operated) -> None:
    run_id = at.started(
        *("--reference-id", "order-7", "--version", "1.0.0", "--delay", "5m"),
        *("--tag", "customer=4711", "--tag", "sum=a=b", "--timeout", "1h", "--retention", "7d"),
        *("--budget", "0.05"),
    )
    run = at.data("runs", "inspect", run_id)
    assert (run["reference_id"], run["version"]) == ("order-7", "1.0.0")
    assert run["tags"] == {"customer": "4711", "sum": "a=b"}
    assert (run["status"], run["starts_at"]) == ("PENDING", "2026-01-01T00:05:00.000Z")
    assert run["deadline"] == "2026-01-01T01:05:00.000Z"
    head = at.world.engine.runs.head(run_id)
    assert head is not None
    assert (head.retention, head.budget) == (7 * 24 * 3600 * 1000, 50_000_000)


def test_a_budget_that_is_none_is_refused(at: Operated) -> None:
    seen = at.typed("trigger", "shop", "--input", INPUT, "--budget", "0")
    assert (seen.code, seen.out, seen.err.count("\n")) == (2, "", 1)
    assert "budget must be dollars above 0" in seen.err


def test_a_run_begins_at_a_time(at: Operated) -> None:
    run_id = at.started("--at", "2026-01-02T08:00+01:00")
    assert at.data("runs", "inspect", run_id)["starts_at"] == "2026-01-02T07:00:00.000Z"


def test_an_idempotency_key_starts_one_run_and_another_input_is_a_conflict(at: Operated) -> None:
    assert at.started("--idempotency-key", "k") == at.started("--idempotency-key", "k")
    seen = at.typed("trigger", "shop", "-i", '{"id": "B", "total": 1}', "--idempotency-key", "k")
    assert (seen.code, seen.out) == (1, "")
    assert "run-0-00000001" in seen.err


def test_a_reference_that_is_taken_is_a_conflict_or_gives_the_run_that_has_it(
    at: Operated,
) -> None:
    first = at.started("--reference-id", "r")
    assert at.typed("trigger", "shop", "-i", INPUT, "--reference-id", "r").code == 1
    assert at.started("--reference-id", "r", "--existing") == first


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("shoop",), 3, "there is no workflow shoop"),
        (("shop", "-i", '{"id": 1}'), 2, "total"),
        (("shop", "--delay", "soon"), 2, "--delay must be seconds such as 90, or a duration"),
        (("shop", "--at", "noon"), 2, "--at must be a time with its zone such as"),
        (("shop", "--at", "2026-01-02T08:00"), 2, "--at must be a time with its zone such as"),
        (("shop", "--at", "2026-01-02", "--delay", "1"), 2, "give --delay or --at, not both"),
        (("shop", "--tag", "x"), 2, "--tag must be name=value, not 'x'"),
        (("shop", "--tag", "x=1", "--tag", "x=2"), 2, "--tag x was given two values"),
        (("shop", "--version", "9"), 3, "9"),
        ((), 2, "missing argument 'WORKFLOW'"),
    ],
)
def test_a_start_that_is_refused_says_why(
    at: Operated, arguments: tuple[str, ...], code: int, says: str
) -> None:
    seen = at.typed("trigger", *arguments)
    assert (seen.code, seen.out, seen.err.count("\n")) == (code, "", 1), seen
    assert says in seen.err


def test_waiting_prints_the_result_and_says_on_standard_error_what_is_waited_for(
    at: Operated,
) -> None:
    seen = at.typed("trigger", "shop", "-i", INPUT, "--wait")
    assert (seen.code, seen.err) == (0, "run run-0-00000001 is PENDING\n")
    assert json.loads(seen.out) == {"receipt": "charged 20"}
    seen = at.typed("trigger", "shop", "-i", INPUT, "--wait", "--json")
    assert json.loads(seen.out) == {
        "run_id": "run-0-00000002",
        "status": "COMPLETED",
        "result": {"receipt": "charged 20"},
    }


def test_waiting_for_a_run_that_fails_ends_with_4(at: Operated) -> None:
    seen = at.typed("trigger", "shop", "-i", '{"id": "A", "total": -1}', "--wait", "--json")
    assert seen.code == 4
    assert json.loads(seen.out) == {
        "run_id": "run-0-00000001",
        "status": "FAILED",
        "error": {
            "type": "StepFailed",
            "message": "step charge#1 failed after 2 attempts: ValueError: cannot charge -1",
            "operation": "charge#1",
        },
    }
    assert seen.err.splitlines()[-1].startswith("error: run run-0-00000001 is FAILED: StepFailed")


def test_waiting_no_longer_than_is_said_ends_with_1(at: Operated) -> None:
    seen = at.typed("trigger", "shop", "-i", INPUT, "--wait", "--wait-timeout", "30s")
    assert (seen.code, seen.out) == (1, "")
    assert "run run-0-00000001 has not ended within 30 s; it is SLEEPING" in seen.err
