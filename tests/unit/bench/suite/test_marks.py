"""Figures come from the lines that steps leave, and from nothing else."""

from __future__ import annotations

from typing import Final

import pytest

from bench.peers.protocol import Item
from bench.suite import marks

MS: Final = 1_000_000


def sequence(steps: int, runs: int = 1) -> Item:
    return Item(number=0, workload="W2", shape="sequence", runs=runs, steps=steps)


def every(millis: list[float], run: str = "0") -> marks.Marks:
    """Return marks of one run, each so long after the one before."""
    at, found = 0.0, [(0, 0)]
    for number, gap in enumerate(millis, 1):
        at += gap
        found.append((number, round(at * MS)))
    return {run: found}


def test_lines_are_read_by_run_and_half_a_line_is_nothing() -> None:
    lines = ["1 0 50\n", "2 0 60\n", "1 1 70\n", "2 1"]
    assert marks.read(lines) == {"1": [(0, 50), (1, 70)], "2": [(0, 60)]}


def test_a_steps_time_is_from_its_beginning_to_the_next_ones() -> None:
    found = marks.figures(sequence(5, runs=2), {**every([2] * 4), **every([4] * 4, "1")}, 0.5)
    assert (found["p50_ms"], found["p95_ms"]) == (4, 4)
    assert found["steps_per_second"] == 20
    assert "growth" not in found


def test_growth_is_that_of_medians_and_one_slow_step_is_in_the_mean_alone() -> None:
    gaps = [1.0] * 20 + [2.0] * 60 + [3.0] * 18 + [203.0]
    found = marks.figures(sequence(100), every(gaps), 1)
    assert (found["early_ms"], found["middle_ms"], found["late_ms"]) == (1, 2, 12.95)
    assert (found["growth"], found["growth_of_means"]) == (3, 12.95)


def test_slow_steps_that_are_less_than_half_of_the_last_fifth_are_not_growth() -> None:
    gaps = [1.0] * 185 + [9.0] * 14
    assert marks.figures(sequence(200), every(gaps), 1)["growth"] == 1


def test_late_is_what_passes_beyond_the_sleep() -> None:
    item = Item(number=0, workload="W2b", shape="naps", runs=1, steps=3, seconds=1)
    found = marks.figures(item, every([1_005, 1_010, 1_250]), 4)
    assert (found["late_p50_ms"], found["late_p99_ms"]) == (10, 250)


def test_a_step_that_ran_twice_after_a_kill_is_counted_once() -> None:
    item = Item(number=0, workload="W5", shape="crash", steps=3, kill_at=2)
    begun = {"0": [(0, 1), (1, 2), (1, 3), (2, 4)]}
    found = marks.figures(item, begun, 5.5)
    assert found == {"again": 1, "finished": 1, "recovered_s": 5.5}


def test_steps_side_by_side_are_timed_together() -> None:
    item = Item(number=0, workload="W4", shape="fan", steps=4)
    begun = {"0": [(number, 1) for number in range(4)]}
    assert marks.figures(item, begun, 2) == {"seconds": 2, "ms_per_item": 500}


@pytest.mark.parametrize("shape", ["sequence", "naps", "fan", "crash"])
def test_an_engine_that_says_it_is_done_and_is_not_is_found_out(shape: str) -> None:
    item = Item(number=0, workload="W1", shape=shape, steps=4)
    with pytest.raises(marks.IncompleteError, match="3 of"):
        marks.figures(item, every([1, 1]), 1)


def test_the_median_of_rounds_leaves_out_what_a_round_does_not_have() -> None:
    rounds = [{"a": 1.0, "b": 9.0}, {"a": 5.0}, {"a": 2.0}]
    assert marks.medians(rounds) == {"a": 2, "b": 9}
