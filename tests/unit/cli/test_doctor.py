"""``everstep doctor``: what it asks, what it says, and how it ends."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from everstep.core.errors import UnavailableError
from tests.unit.cli.typed import NOW, Seen, Verifier, report, session, typed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

BROKEN = (
    report("run-1", "a_rule", "b_rule"),
    report(
        "run-2",
        "a_rule",
        violations=(("a_rule", "done twice"), ("a_rule", "and again")),
        skipped=(("b_rule", "not deployed"),),
    ),
)


@pytest.fixture(autouse=True)
def _path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the command change where modules are found, for this test."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.chdir(tmp_path)


def doctor(*arguments: str, reports: Iterable[Any] = ()) -> Seen:
    return typed("doctor", "--check", *arguments, by=session(Verifier(reports)))


def test_without_check_it_says_what_there_is() -> None:
    seen = typed("doctor")
    assert (seen.code, seen.out) == (2, "")
    assert "everstep doctor --check checks the runs" in seen.err


def test_where_every_invariant_holds_it_ends_with_0() -> None:
    seen = doctor(reports=[report("run-1", "a_rule")])
    assert seen.code == 0
    assert seen.out.splitlines()[-1] == "1 run checked: every invariant holds"


def test_violations_are_counted_told_and_end_with_1() -> None:
    seen = doctor(reports=BROKEN)
    assert seen.code == 1
    lines = [" ".join(each.split()) for each in seen.out.splitlines()]
    assert lines == [
        "invariant checked violations notes skipped",
        "a_rule 2 2 0 0",
        "b_rule 1 0 0 1",
        "",
        "skipped: b_rule in 1 run",
        "not deployed",
        "",
        "run run-2: a_rule",
        "done twice",
        "",
        "run run-2: a_rule",
        "and again",
        "",
        "2 runs checked: 2 violations in 1 run, 1 check skipped",
    ]


def test_a_reason_is_told_once_for_all_that_it_skipped() -> None:
    why = "shop version 1 is not deployed"
    skipped = (("a_rule", why), ("b_rule", why))
    seen = doctor(reports=[report(f"run-{number}", skipped=skipped) for number in range(2)])
    assert seen.code == 0
    assert f"skipped: a_rule in 2 runs, b_rule in 2 runs\n  {why}\n" in seen.out
    # What nobody looked at does not hold, as far as anybody knows.
    assert seen.out.endswith("2 runs checked: no violation, 4 checks skipped\n")


def test_a_table_without_runs_is_in_order() -> None:
    assert (doctor().code, doctor().out) == (0, "no runs to check\n")


def test_json_is_all_there_is_on_standard_output() -> None:
    seen = doctor("--json", reports=BROKEN)
    assert seen.code == 1
    assert json.loads(seen.out) == {
        "runs": 2,
        "complete": True,
        "faults": [],
        "invariants": [
            {"name": "a_rule", "checked": 2, "violations": 2, "notes": 0, "skipped": []},
            {
                "name": "b_rule",
                "checked": 1,
                "violations": 0,
                "notes": 0,
                "skipped": [{"reason": "not deployed", "runs": 1}],
            },
        ],
        "violations": [
            {"run_id": "run-2", "invariant": "a_rule", "detail": "done twice"},
            {"run_id": "run-2", "invariant": "a_rule", "detail": "and again"},
        ],
        "notes": [],
    }


def test_what_replayed_code_prints_does_not_mix_with_the_answer() -> None:
    def chatty() -> Iterable[Any]:
        print("from a workflow")  # noqa: T201
        yield report("run-1", "a_rule")

    seen = doctor("--json", reports=chatty())
    assert json.loads(seen.out)["runs"] == 1
    assert "from a workflow" in seen.err


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ((), (None, None)),
        (("--run", "run-1"), ("run-1", None)),
        (("--since", "1d"), (None, NOW - 86_400_000)),
    ],
)
def test_it_looks_at_every_run_or_one_or_the_latest(
    arguments: tuple[str, ...], asked: tuple[str | None, int | None]
) -> None:
    verify = Verifier()
    assert typed("doctor", "--check", *arguments, by=session(verify)).code == 0
    assert verify.asked == asked


OTHER_CODE = "attempts_within_policy"
NOTED = (report("run-1", OTHER_CODE, violations=((OTHER_CODE, "today's code allows 2"),)),)


def test_what_other_code_may_have_brought_about_is_a_note() -> None:
    seen = doctor(reports=NOTED)
    assert seen.code == 0
    assert f"note on run run-1: {OTHER_CODE}\n  today's code allows 2\n" in seen.out
    assert seen.out.endswith("1 run checked: no violation, 1 note\n")
    answer = json.loads(doctor("--json", reports=NOTED).out)
    assert [each["invariant"] for each in answer["notes"]] == [OTHER_CODE]
    assert answer["violations"] == []


def test_strict_is_content_with_neither_notes_nor_skipped_checks() -> None:
    seen = doctor("--strict", reports=NOTED)
    assert seen.code == 1
    assert seen.out.endswith("1 run checked: 1 violation in 1 run\n")
    skipped = report("run-1", skipped=(("a_rule", "no code"),))
    assert doctor("--strict", reports=[skipped]).code == 1
    assert doctor("--strict", reports=[report("run-1", "a_rule")]).code == 0


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import not_there", "ModuleNotFoundError: No module named 'not_there'"),
        ("raise RuntimeError('token=secret')", "RuntimeError"),
    ],
)
def test_workflows_that_cannot_be_imported_end_with_1(
    tmp_path: Path, code: str, reason: str
) -> None:
    (tmp_path / "broken_flows.py").write_text(code, encoding="utf-8")
    seen = doctor("--workflows", "broken_flows", reports=[report("run-1", "a_rule")])
    assert seen.code == 1
    told = f"workflows of broken_flows were not looked at\n  it cannot be imported: {reason}\n"
    assert told in seen.out
    answer = doctor("--workflows", "broken_flows", "--json", reports=[report("run-1", "a_rule")])
    assert json.loads(answer.out)["faults"] == [
        {"module": "broken_flows", "reason": f"it cannot be imported: {reason}"}
    ]


def breaking_off(*reports: Any) -> Iterable[Any]:  # noqa: ANN401 - a report
    yield from reports
    raise UnavailableError("DynamoDB Query: ThrottlingException")


def test_where_aws_fails_on_the_way_what_was_found_is_told_before_the_error() -> None:
    seen = doctor(reports=breaking_off(*BROKEN))
    assert seen.code == 1
    assert "run run-2: a_rule\n  done twice\n" in seen.out
    assert "2 runs checked, then the check broke off: 2 violations" in seen.out
    assert seen.err.startswith("error: AWS does not answer (DynamoDB Query")
    seen = doctor(reports=breaking_off(report("run-1", "a_rule")))
    assert seen.code == 1
    assert "1 run checked, then the check broke off: no violation\n" in seen.out
    assert json.loads(doctor("--json", reports=breaking_off(*BROKEN)).out)["complete"] is False


def test_where_aws_fails_at_once_there_is_the_error_only() -> None:
    seen = doctor(reports=breaking_off())
    assert (seen.code, seen.out) == (1, "")


def test_one_run_and_a_time_together_make_no_sense() -> None:
    seen = doctor("--run", "run-1", "--since", "1d")
    assert (seen.code, seen.out) == (2, "")
    assert "--run or --since, not both" in seen.err


def test_progress_is_for_terminals_only() -> None:
    by = session(Verifier(BROKEN))
    screen = io.StringIO()
    by.err = Console(file=screen, force_terminal=True, width=80)
    typed("doctor", "--check", by=by)
    assert "2 checked, at run run-2" in screen.getvalue()
    assert "checked" not in doctor(reports=BROKEN).err
