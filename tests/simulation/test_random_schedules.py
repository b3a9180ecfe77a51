"""Thousands of schedules by chance: several runs, several executors, several things wrong.

A seed that fails is shown with the least that has to go wrong for it. ``SIMULATION_SEED=17`` in
the environment plays that seed alone.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from everstep.core.invariants import ViolationError
from everstep.core.model import RunStatus
from everstep.testing.simulation import invariants
from everstep.testing.simulation.choices import Kept
from everstep.testing.simulation.seeds import (
    cut_down,
    draw,
    find_failure,
    play,
    play_seed,
    setup_of,
)
from tests.simulation import mutants
from tests.simulation.scenarios import MIXED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from everstep.testing.simulation.world import World

SEEDS: Final = range(400)
MORE_SEEDS: Final = range(1_000, 6_000)
# The first seed that fails here takes more plays to be cut down than are made for that.
OTHER_SEEDS: Final = range(12, 500)
# Of a play with fewer choices a quarter is hardly enough to get anywhere at all.
_MUCH: Final = 100


def plays(seeds: Iterable[int]) -> Iterator[World]:
    """Play seeds; the first one that violates an invariant fails the test with its least form."""
    for seed in seeds:
        try:
            world = play_seed(seed, MIXED)
        except ViolationError:
            pytest.fail(str(find_failure(seed, MIXED)))
        yield world


def test_the_invariants_hold_whatever_happens_in_whatever_order() -> None:
    chosen = os.environ.get("SIMULATION_SEED")
    met: Counter[str] = Counter()
    for world in plays(SEEDS if chosen is None else [int(chosen)]):
        met["disturbed"] += bool(world.facts.disturbances)
        met["undisturbed"] += not world.facts.disturbances
        met["resumed"] += bool(world.facts.resumptions)
        met.update(world.history(run_id).head.status for run_id in world.store.run_ids)

    if chosen is None:
        # The schedules reach what they are meant to reach.
        for what in ("disturbed", "undisturbed", "resumed", RunStatus.COMPLETED, RunStatus.FAILED):
            assert met[what] > len(SEEDS) // 50, met


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_invariants_hold_in_many_more_schedules() -> None:
    assert sum(1 for _ in plays(MORE_SEEDS)) == len(MORE_SEEDS)


def calls_of(world: World) -> list[str]:
    return [str(call) for call in world.calls]


def test_a_seed_always_gives_the_same_schedule() -> None:
    for seed in range(10):
        once, again = draw(seed), draw(seed)
        first = play(setup_of(seed, MIXED), MIXED, once)
        second = play(setup_of(seed, MIXED), MIXED, again)
        assert once.schedule == again.schedule
        assert calls_of(first) == calls_of(second)
        assert first.time == second.time


def test_a_drawn_schedule_that_is_played_again_makes_exactly_the_same_calls() -> None:
    for seed in range(30):
        drawn = draw(seed)
        first = play(setup_of(seed, MIXED), MIXED, drawn)
        second = play_seed(seed, MIXED, drawn.schedule)
        assert calls_of(first) == calls_of(second)
        assert first.time == second.time


def test_without_a_single_choice_everything_goes_as_usual() -> None:
    for seed in range(10):
        world = play(setup_of(seed, MIXED), MIXED, Kept())
        assert not world.facts.disturbances
        assert not world.facts.resumptions


def fails_after_much(seed: int) -> bool:
    """Say whether a seed fails, and not after a few choices."""
    choices = draw(seed)
    try:
        play(setup_of(seed, MIXED), MIXED, choices)
    except ViolationError:
        return len(choices.schedule) >= _MUCH
    return False


def test_a_failing_seed_of_a_weakened_engine_is_cut_down_to_what_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mutants.any_result_replaces_another(monkeypatch)
    # What is told twice can be so in many ways, of which none is the least.
    monkeypatch.setattr(invariants, "what_is_told_happened_once", lambda _facts: None)
    failure = find_failure(next(filter(fails_after_much, OTHER_SEEDS)), MIXED)
    assert failure is not None

    def fails(schedule: dict[tuple[str, int], int]) -> bool:
        try:
            play(failure.setup, MIXED, Kept(schedule))
        except AssertionError as error:
            return getattr(error, "invariant", None) == failure.violation.invariant
        return False

    assert fails(failure.schedule)
    for choice in failure.schedule:
        assert not fails({each: n for each, n in failure.schedule.items() if each != choice})
    assert len(failure.schedule) * 4 < failure.drawn
    assert cut_down(failure, MIXED).schedule == failure.schedule
    shown = str(failure)
    assert f"SIMULATION_SEED={failure.seed}" in shown
    assert f"setup={failure.setup}," in shown
    assert f"schedule={failure.schedule}," in shown
    assert failure.violation.__notes__[-1] in shown
