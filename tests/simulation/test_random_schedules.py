"""Thousands of schedules by chance: several runs, several executors, several things wrong."""

from __future__ import annotations

import os
from collections import Counter
from typing import Final

import pytest

from everstep.core.model import RunStatus
from everstep.testing.simulation.seeds import play_seed
from tests.simulation.scenarios import MIXED

SEEDS: Final = range(500)
MORE_SEEDS: Final = range(1_000, 11_000)


def test_the_invariants_hold_whatever_happens_in_whatever_order() -> None:
    chosen = os.environ.get("SIMULATION_SEED")
    seeds = SEEDS if chosen is None else [int(chosen)]
    met: Counter[str] = Counter()
    for seed in seeds:
        world = play_seed(seed, MIXED)
        met["disturbed"] += bool(world.facts.disturbances)
        met["undisturbed"] += not world.facts.disturbances
        met["resumed"] += bool(world.facts.resumptions)
        met["recovered"] += bool(world.facts.recovered)
        for run_id in world.store.run_ids:
            met[world.history(run_id).head.status] += 1

    if chosen is None:
        # The schedules reach what they are meant to reach.
        for what in ("disturbed", "undisturbed", "resumed", RunStatus.COMPLETED, RunStatus.FAILED):
            assert met[what] > len(SEEDS) // 50, met


def test_a_seed_always_gives_the_same_schedule() -> None:
    for seed in range(20):
        once, again = play_seed(seed, MIXED), play_seed(seed, MIXED)
        assert [str(call) for call in once.calls] == [str(call) for call in again.calls]
        assert once.time == again.time


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_invariants_hold_in_many_more_schedules() -> None:
    for seed in MORE_SEEDS:
        play_seed(seed, MIXED)
