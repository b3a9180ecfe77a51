"""`make soak` and `make mutants`: what they play, and what they report."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tests.simulation import mutants as weakened
from tests.simulation.scenarios import MIXED, SCENARIOS
from tests.simulation.workflows import three_steps
from tools import mutants, soak

if TYPE_CHECKING:
    from pathlib import Path


TWICE = frozenset({"result_never_changes", "what_is_told_happened_once"})


def piece(kind: str, number: int = 0) -> soak.Work:
    return [work for work in soak.exhaustive() if work[0] == kind][number]


@pytest.mark.timeout(120)
def test_a_soak_reports_what_it_played_to_the_terminal_and_as_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "reports" / "soak.json"
    arguments = ["--minutes", "0.02", "--jobs", "1", "--seed-from", "7", "--report", str(report)]
    assert soak.main(arguments) == 0
    told = json.loads(report.read_text())
    assert told["plays"]["one fault"] > 50
    assert told["seeds"] == [7, 7]
    assert told["failures"] == []
    assert not told["exhaustive_part_finished"]
    assert told["faults"]["crash after"] > 5
    assert told["reached"]["COMPLETED"] > 50
    assert "all held" in capsys.readouterr().out


def test_the_part_that_has_an_end_takes_in_every_scenario_and_every_message() -> None:
    kinds = [kind for kind, _ in soak.exhaustive()]
    assert kinds.count(soak.ONE_FAULT) == len(SCENARIOS)
    assert kinds.count(soak.INTERLEAVINGS) > 2 * len(MIXED)
    assert kinds.count(soak.TWO_FAULTS) > 20 * len(SCENARIOS)
    assert soak.SEEDS not in kinds


@pytest.mark.parametrize("kind", [soak.TWO_FAULTS, soak.INTERLEAVINGS])
def test_a_piece_of_work_counts_its_plays(kind: str) -> None:
    tally = soak.done(piece(kind))
    assert tally.plays.keys() == {kind}
    assert tally.plays[kind] > 10
    assert tally.seconds[kind] > 0
    assert not tally.failures


def test_seeds_go_on_where_the_part_with_an_end_is_over() -> None:
    tally = soak.Tally()
    soak.play_seeds(range(3), tally)
    assert tally.plays == {soak.SEEDS: 3}


def test_what_fails_is_told_with_the_least_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    weakened.any_result_replaces_another(monkeypatch)
    # What a seed draws from does not change with every new scenario.
    monkeypatch.setattr(soak, "MIXED", (three_steps,))
    tally = soak.done((soak.SEEDS, partial(soak.play_seeds, range(7, 8))))
    tally.add(soak.done(piece(soak.ONE_FAULT)))
    drawn, planned = tally.failures[0], tally.failures[1]
    assert (drawn["kind"], planned["kind"]) == (soak.SEEDS, soak.ONE_FAULT)
    # Whoever replaces a result has told of it twice.
    assert {drawn["invariant"], planned["invariant"]} <= TWICE
    assert "SIMULATION_SEED=7" in drawn["told"]
    assert "plan: {" in planned["told"]

    console = Console(record=True, width=200)
    soak.show(console, soak.Soak(minutes=0, jobs=1, first_seed=0, tally=tally), 1)
    assert f"{len(tally.failures)} failed" in console.export_text()


def test_a_soak_that_is_interrupted_ends_with_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(soak, "wait", interrupted)
    ended = soak.Soak(minutes=1, jobs=1, first_seed=0)
    ended.run()
    assert ended.interrupted
    assert not ended.exhausted
    assert soak.document(ended, 1)["interrupted"]


def test_a_mutant_is_judged_by_the_first_schedule_that_notices_it() -> None:
    verdict = mutants.judge("any_result_replaces_another", seeds=0)
    assert verdict.invariant in TWICE
    assert verdict.kind == mutants.ONE_FAULT
    assert verdict.schedule.startswith("three_steps: executor of message 2")
    assert verdict.plays > len(SCENARIOS)
    assert verdict.accidents == 0


def test_an_error_that_nobody_meant_catches_no_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    def a_broken_mutant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr("everstep.app.fulfil.message_for", lambda: None)

    monkeypatch.setattr(mutants, "MUTANTS", (a_broken_mutant,))
    monkeypatch.setattr(mutants, "SMALL", ())
    verdict = mutants.judge("a_broken_mutant", seeds=0)
    assert verdict.invariant is None
    assert verdict.accidents >= len(SCENARIOS) - 1
