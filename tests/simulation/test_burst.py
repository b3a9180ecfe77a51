"""A message that carries out several steps comes to what a message per step comes to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from everstep import Context, step, workflow
from everstep.core.model import RunStatus
from everstep.testing.crash import Crash
from everstep.testing.simulation.explore import pairs_of_faults, pairs_with, played, single_faults
from everstep.testing.simulation.faults import FaultKind
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.outcomes import check_outcome, check_usual
from tests.simulation.scenarios import LIMITS, MIXED, SCENARIOS
from tests.simulation.workflows import add

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.app.engine import Execution
    from everstep.testing.simulation.explore import Plan, Scenario

BURST: Final = replace(LIMITS, steps_per_message=4)
# The first are played by `make check`, the others by `make test`.
QUICK: Final = ("three_steps", "retries", "short_sleep", "once", "undoes", "lanes")
SLOW: Final = tuple(name for name in SCENARIOS if name not in QUICK)
SMALL: Final = ("three_steps", "short_sleep", "gives_up", "once")


def bursting(name: str, *, keeps: bool = False) -> Scenario:
    """Return a scenario in which a message carries out up to four steps."""
    scenario = SCENARIOS[name]
    return replace(
        scenario, settings=lambda: replace(scenario.settings(), limits=BURST, keeps=keeps)
    )


def changes_no_outcome(scenario: Scenario) -> None:
    usual = scenario.play()
    for plan, world in single_faults(scenario):
        check_outcome(scenario, usual, world, plan)


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_comes_to_the_same_with_no_more_messages_reads_or_writes(name: str) -> None:
    world, one_by_one = bursting(name).play(), SCENARIOS[name].play()
    check_usual(name, world)
    assert len(world.queue.sent) <= len(one_by_one.queue.sent)
    for call in ("runs.load", "runs.put", "runs.change", "attempt"):
        assert world.counts[call] <= one_by_one.counts[call]


def test_steps_that_follow_one_another_take_one_message() -> None:
    world = bursting("three_steps").play()
    assert len(world.queue.sent) == 1
    assert world.counts["runs.load"] == 1
    assert world.counts["runs.put"] == 3


@pytest.mark.parametrize("name", QUICK)
def test_one_fault_at_any_call_changes_no_outcome(name: str) -> None:
    changes_no_outcome(bursting(name))


@pytest.mark.slow
@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("name", SLOW)
def test_one_fault_at_any_call_changes_no_outcome_of_further_scenarios(
    name: str,
    keeps: bool,  # noqa: FBT001 - a parameter of a test
) -> None:
    changes_no_outcome(bursting(name, keeps=keeps))


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_two_faults_at_any_calls_change_no_outcome(name: str) -> None:
    scenario = bursting(name)
    usual = scenario.play()
    for plan, world in pairs_of_faults(scenario):
        check_outcome(scenario, usual, world, plan)


def test_a_duplicate_that_is_acknowledged_while_the_message_is_at_work_loses_nothing() -> None:
    scenario = bursting("three_steps")
    usual = scenario.play()
    (second,) = [call for call in usual.calls if call.name == "attempt" and call.op == "add#2"]
    # Its twin leaves the rest to it, and both are acknowledged by that.
    for plan, world in two_faults({second.number: FaultKind.TWIN}, scenario):
        check_outcome(scenario, usual, world, plan)


def two_faults(first: Plan, scenario: Scenario) -> Iterator[tuple[Plan, World]]:
    """Play the scenario with a fault and every other one after it."""
    for plan in pairs_with(first, played(scenario, first)):
        yield plan, played(scenario, plan)


def test_a_duplicate_that_comes_while_the_message_is_at_work_repeats_no_step() -> None:
    with World(MIXED, settings=Settings(limits=BURST)) as world:
        world.trigger("three_steps", 1, "key")
        letter = world.next_message()
        first = world.execute(letter)
        world.go_on_until(first, "runs.put")
        world.go_on(first)
        twin = world.execute(world.duplicate(letter))
        world.facts.disturbances += 1
        world.finish(twin)
        present = [each for each in world.queue.letters if each is not letter]
        for sent in (each for each in present if not each.message.due):
            world.finish(world.execute(sent))
        world.finish(first)
        world.run()
        world.check()
    assert set(world.facts.effects.values()) == {1}
    assert world.history().head.status is RunStatus.COMPLETED


@step
def slow(number: int) -> int:
    return number + 1


@workflow(steps_per_message=10)
async def takes_its_time(ctx: Context, number: int) -> int:
    for _ in range(4):
        number = await ctx.step(slow, number)
    return number


def taking_its_time() -> World:
    """Return a world in which a run is paused in its second step, each of which takes a while."""
    world = World([takes_its_time], settings=Settings(limits=LIMITS))

    def carry_out(execution: Execution) -> object:
        world.pass_time(800)
        if execution.key == "slow#2":
            world.finish(world.pause(world.store.run_ids[0]))
        return execution.carry_out()

    world.carry_out = carry_out
    world.trigger(takes_its_time.name, 1, "key")
    return world


def test_a_pause_is_seen_at_the_latest_a_second_and_a_step_later() -> None:
    with taking_its_time() as world:
        world.run()
        assert world.history().head.status is RunStatus.PAUSED
        assert set(world.history().records) == {"slow#1", "slow#2"}

        world.resume(world.store.run_ids[0])
        world.run()
        world.check()
    assert world.history().head.status is RunStatus.COMPLETED


@step
def deadly(number: int) -> int:
    raise Crash(number)


@workflow(steps_per_message=10)
async def dies(ctx: Context, number: int) -> int:
    number = await ctx.step(add, number, 1)
    return await ctx.step(deadly, number)


def test_a_step_that_kills_the_process_every_time_is_settled_by_messages_of_its_own() -> None:
    with World([dies], settings=Settings(limits=LIMITS)) as world:
        world.trigger(dies.name, 1, "key")
        world.run()
        world.check()
    head = world.history().head
    assert head.status is RunStatus.FAILED
    assert head.error is not None
    assert head.error.type == "StepInterrupted"
    assert world.facts.recovered == 0
    assert [each.message.op for each in world.queue.sent][:2] == ["", "deadly#1"]
