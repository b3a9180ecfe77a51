"""Every single fault, pairs of faults, and no fault at all, for every scenario."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from everstep.core.model import OpStatus, RunStatus
from everstep.testing.simulation.deployment import START
from everstep.testing.simulation.explore import pairs_of_faults, single_faults
from everstep.testing.simulation.faults import Meanwhile
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.outcomes import BUDGETS, check_budget, check_outcome, check_usual, outcome
from tests.simulation.scenarios import LIMITS, MIXED, SCENARIOS, SMALL
from tests.simulation.workflows import rewritten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from everstep.testing.simulation.explore import Plan, Scenario

DAY: Final = 24 * 3600 * 1000

# Every two faults of these are played by `make check`, of these by `make test`; the others take
# too long and are played by `make soak`.
QUICK: Final = SMALL
SLOW: Final = ("three_steps", "short_sleep", "large_payload", "fails", "gives_up")
each_scenario = pytest.mark.parametrize("name", SCENARIOS)


@each_scenario
def test_without_faults_a_scenario_costs_what_the_budget_says(name: str) -> None:
    world = SCENARIOS[name].play()

    check_usual(name, world)
    check_budget(name, world)


@each_scenario
def test_one_fault_at_any_call_changes_no_outcome(name: str) -> None:
    changes_no_outcome(name, single_faults)


@pytest.mark.parametrize("name", QUICK)
def test_two_faults_at_any_calls_change_no_outcome(name: str) -> None:
    changes_no_outcome(name, pairs_of_faults)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SLOW)
def test_two_faults_at_any_calls_change_no_outcome_of_longer_scenarios(name: str) -> None:
    changes_no_outcome(name, pairs_of_faults)


def changes_no_outcome(
    name: str, explore: Callable[[Scenario], Iterator[tuple[Plan, World]]]
) -> None:
    scenario = SCENARIOS[name]
    usual = scenario.play()

    played = 0
    for plan, world in explore(scenario):
        check_outcome(scenario, usual, world, plan)
        played += 1
    assert played > sum(BUDGETS[name].values())


def test_a_long_sleep_ends_within_a_sweep_and_a_redelivery_whatever_fails_once() -> None:
    for plan, world in single_faults(SCENARIOS["long_sleep"]):
        late = world.time - START - 3 * DAY
        assert 0 <= late <= LIMITS.grace + 10 * 60 * 1000, plan


def test_code_that_disagrees_stalls_the_run_and_the_right_code_resumes_it_at_any_point() -> None:
    calls = SCENARIOS["three_steps"].play().calls
    stalled = 0
    for call in calls:
        with World(MIXED) as world:
            world.faults = Meanwhile(call.number, partial(world.deploy, [rewritten]))
            world.trigger("three_steps", 1, "key")
            world.run()
            if "subtract#1" not in world.history().records:
                world.deploy(MIXED)
            world.check()

            if world.history().head.status is RunStatus.STALLED:
                stalled += 1
                reason = world.history().head.stall
                assert reason is not None
                assert reason.reason.type == "NonDeterminismError"
                world.resume(world.store.run_ids[0])
                world.run()
                world.check()
                assert all(count == 1 for count in world.facts.effects.values()), call

        records = world.history().records.values()
        assert world.history().head.status is RunStatus.COMPLETED, call
        assert [record.status for record in records] == [OpStatus.DONE] * 3, call
    assert stalled > len(calls) // 2


@pytest.mark.parametrize(
    "name", ["three_steps", "retries", "short_sleep", "long_sleep", "sleeps_first"]
)
def test_a_version_missing_at_any_point_stalls_the_run_until_it_is_back(name: str) -> None:
    expected = outcome(SCENARIOS[name].play())
    for call in SCENARIOS[name].play().calls[1:]:
        with World(MIXED, settings=Settings(limits=LIMITS)) as world:
            world.faults = Meanwhile(call.number, partial(world.deploy, []))
            world.trigger(name, 1, "key")
            world.run()
            world.deploy(MIXED)
            world.check()
            if world.history().head.status is RunStatus.STALLED:
                world.resume(world.store.run_ids[0])
                world.run()
                world.check()

        assert outcome(world) == expected, call
