"""Processes that keep their passes come to what those come to that replay for every message."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from everstep import Context, workflow
from everstep.core.model import RunStatus
from everstep.testing.simulation.choices import Kept
from everstep.testing.simulation.explore import single_faults
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.outcomes import BUDGETS, check_budget, check_outcome, check_usual
from tests.simulation.scenarios import LIMITS, MIXED, SCENARIOS
from tests.simulation.workflows import add

if TYPE_CHECKING:
    from everstep.testing.simulation.explore import Scenario

# Scenarios in which passes are kept, and which others have no say in: the first are played by
# `make check`, the others by `make test`.
QUICK: Final = ("three_steps", "retries", "short_sleep", "large_payload", "recovers", "lost_table")
SLOW: Final = (
    *("long_sleep", "sleeps_first", "sleeps_until", "naps", "long_retry", "fails", "gives_up"),
    *("undoes", "probes", "once", "once_per_attempt", "two_triggers", "lost_code", "stumbles"),
    *("pauses", "impatient", "delegates", "is_answered", "side_by_side", "races", "hands_on"),
)


def keeping(name: str) -> Scenario:
    """Return a scenario in which processes keep their passes."""
    scenario = SCENARIOS[name]
    return replace(scenario, settings=lambda: replace(scenario.settings(), keeps=True))


def changes_no_outcome(name: str) -> None:
    scenario = keeping(name)
    usual, peeks, played = scenario.play(), 0, 0
    for plan, world in single_faults(scenario):
        check_outcome(scenario, usual, world, plan)
        peeks += world.counts["runs.peek"]
        played += 1
    assert played > sum(BUDGETS[name].values())
    assert peeks > played // 2


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_is_kept_costs_no_message_and_no_write(name: str) -> None:
    world = keeping(name).play()
    check_usual(name, world)
    check_budget(name, world)
    assert world.counts["runs.load"] <= SCENARIOS[name].play().counts["runs.load"]


@pytest.mark.parametrize("name", QUICK)
def test_one_fault_at_any_call_changes_no_outcome(name: str) -> None:
    changes_no_outcome(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_one_fault_at_any_call_changes_no_outcome_of_further_scenarios(name: str) -> None:
    changes_no_outcome(name)


def in_mid_run(choices: Kept | None = None) -> World:
    """Return a world with a run of which a process keeps a pass that waits for the second step."""
    world = World(MIXED, settings=Settings(limits=LIMITS, keeps=True), choices=choices)
    world.trigger("three_steps", 1, "key")
    world.next_message("add#2")
    assert world.counts["runs.peek"] == 1
    return world


def test_a_pause_is_seen_by_whoever_keeps_a_pass() -> None:
    with in_mid_run() as world:
        run_id = world.store.run_ids[0]
        world.pause(run_id)
        world.happen_until(lambda: world.history().head.status is RunStatus.PAUSED)
        world.run()
        assert set(world.history().records) == {"add#1"}

        world.resume(run_id)
        world.run()
        world.check()
    assert world.history().head.status is RunStatus.COMPLETED


def test_two_processes_that_take_turns_repeat_nothing() -> None:
    with in_mid_run(Kept({("process", 3): 1})) as world:
        world.run()
        world.check()
    assert world.history().head.status is RunStatus.COMPLETED
    assert set(world.facts.effects.values()) == {1}
    # The second process reads everything; the first catches up with what that one has done.
    assert world.counts["runs.load"] == 2
    assert world.counts["runs.peek"] == 2


def test_two_messages_at_once_do_not_share_a_pass() -> None:
    with in_mid_run() as world:
        letter = world.next_message("add#2")
        loads = world.counts["runs.load"]
        first, second = world.execute(letter), world.execute(letter)
        world.facts.disturbances += 1
        world.go_on_until(first, "attempt")
        world.go_on_until(second, "attempt")
        assert world.counts["runs.load"] == loads + 1
        world.finish(second)
        world.finish(first)
        world.run()
        world.check()
    assert world.history().head.status is RunStatus.COMPLETED


@workflow(name="three_steps")
async def otherwise(ctx: Context, number: int) -> int:
    """Ask for another second step than ``three_steps`` does."""
    number = await ctx.step(add, number, 1)
    number = await ctx.step(add, number, 20)
    return await ctx.step(add, number, 100)


def test_what_other_code_has_recorded_answers_no_kept_pass() -> None:
    with in_mid_run(Kept({("process", 3): 1})) as world:
        world.deploy([otherwise])
        world.next_message("add#3")
        world.deploy(MIXED)
        world.run()
    head = world.history().head
    assert head.stall is not None
    assert head.stall.reason.type == "NonDeterminismError"
