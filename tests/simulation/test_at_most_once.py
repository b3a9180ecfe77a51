"""Steps that run at most once, and deaths that count: what a schedule may make of them."""

from __future__ import annotations

from typing import Final

import pytest

from everstep import Context, step, workflow
from everstep.core.durations import MINUTE
from everstep.core.model import OpStatus, RunStatus
from everstep.testing.simulation.faults import Always, FaultKind, Once
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.plays import WATCHDOG, effects, end, play, status_of
from tests.simulation.scenarios import LIMITS, MIXED
from tests.simulation.workflows_once import charge

UNKNOWN: Final = OpStatus.FAILED


@pytest.mark.parametrize(
    ("call", "kind", "times"),
    [
        ("attempt", FaultKind.CRASH_BEFORE, 0),
        ("effect", FaultKind.CRASH_AFTER, 1),
    ],
)
def test_a_step_that_died_after_it_began_stays_unknown_and_the_run_goes_on(
    call: str, kind: FaultKind, times: int
) -> None:
    world = play("once", Once(call, kind))
    assert world.history().head.status is RunStatus.COMPLETED
    assert status_of(world, "publish#1") is UNKNOWN
    assert effects(world).get("publish#1", 0) == times


@pytest.mark.parametrize(("nth", "key", "attempt"), [(1, "charge#1", 1), (2, "ship#1", 2)])
def test_the_probe_decides_what_becomes_of_a_step_that_died(
    nth: int, key: str, attempt: int
) -> None:
    world = play("probes", Once("effect", FaultKind.CRASH_AFTER, nth=nth))
    assert world.history().head.status is RunStatus.COMPLETED
    record = world.history().records[key]
    assert (record.status, record.attempt) == (OpStatus.DONE, attempt)
    assert effects(world)[key] == attempt


def test_a_duplicate_at_once_of_what_may_run_once_only_waits_and_finds_the_result() -> None:
    with World(MIXED, settings=Settings(executors=2)) as world:
        world.trigger("once", 1, "key")
        letter = world.next_message("publish#1")
        first = world.execute(letter)
        world.go_on_until(first, "effect")
        world.finish(world.execute(world.duplicate(letter)))
        assert status_of(world, "publish#1") is OpStatus.STARTED
        world.finish(first)

        assert end(world).status is RunStatus.COMPLETED
    assert status_of(world, "publish#1") is OpStatus.DONE
    assert effects(world)["publish#1"] == 1


def test_a_zombie_of_what_may_run_once_only_is_too_late() -> None:
    with World(MIXED, settings=Settings(executors=2)) as world:
        world.trigger("once", 1, "key")
        zombie = world.execute(world.next_message("publish#1"))
        world.go_on_until(zombie, "effect")
        world.hold_up(7 * MINUTE)
        world.happen_until(lambda: world.history().head.status is RunStatus.COMPLETED)
        ended = world.history()
        world.finish(zombie)

        end(world)
        assert world.history() == ended
    assert status_of(world, "publish#1") is UNKNOWN
    assert effects(world)["publish#1"] == 1


@pytest.mark.parametrize(
    ("name", "key"),
    [("once", "publish#1"), ("probes", "ship#1"), ("once_per_attempt", "call#1")],
)
def test_what_was_begun_and_has_lost_its_message_is_noticed_by_the_watchdog(
    name: str, key: str
) -> None:
    with World(MIXED, settings=Settings(limits=LIMITS)) as world:
        world.trigger(name, 1, "key")
        letter = world.next_message(key)
        world.faults = Once("effect", FaultKind.CRASH_AFTER)
        world.finish(world.execute(letter))
        assert status_of(world, key) is OpStatus.STARTED
        began = world.time
        world.lose_messages()

        assert end(world).status is RunStatus.COMPLETED
    assert world.facts.recovered == 1
    assert world.time <= began + WATCHDOG + 15 * MINUTE


@pytest.mark.parametrize("name", ["three_steps", "once"])
def test_deliveries_that_come_to_nothing_use_up_no_attempt(name: str) -> None:
    with World(MIXED) as world:
        world.trigger(name, 1, "key")
        world.next_message("publish#1" if name == "once" else "add#1")
        throttled = Always(frozenset({"runs.load"}), FaultKind.UNAVAILABLE)
        world.faults = throttled
        for _ in range(world.settings.receives - 1):
            (letter,) = world.queue.letters
            world.finish(world.execute(letter))
            world.hold_up(world.settings.visibility)
        throttled.on = False
        assert end(world).status is RunStatus.COMPLETED
    assert {record.attempt for record in world.history().records.values()} == {1}
    assert all(record.status is OpStatus.DONE for record in world.history().records.values())


def puzzled(number: int) -> int:
    raise ConnectionError(f"nobody answers about {number}")


@workflow(name="probes")
async def asks_in_vain(ctx: Context, number: int) -> int:
    return await ctx.step(charge.with_options(probe=puzzled), number)


@workflow(name="probes")
async def asks(ctx: Context, number: int) -> int:
    return await ctx.step(charge, number)


def test_a_probe_that_never_can_tell_stalls_the_run_until_it_can() -> None:
    with World([asks_in_vain], faults=Once("effect", FaultKind.CRASH_AFTER)) as world:
        world.trigger("probes", 1, "key")
        head = end(world)
        assert head.status is RunStatus.STALLED
        assert head.stall is not None
        assert "attempt 1 of charge#1 began and left no result" in head.stall.reason.message

        world.deploy([asks])
        world.resume(world.store.run_ids[0])
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world)["charge#1"] == 1


@step
def deadly_at_times(number: int) -> int:
    return number


@workflow
async def dies_at_times(ctx: Context, number: int) -> int:
    return await ctx.step(deadly_at_times, number)


@pytest.mark.parametrize(("deaths", "attempt"), [(1, 1), (2, 2), (3, 2), (4, 3)])
def test_every_second_death_of_a_step_uses_up_an_attempt(deaths: int, attempt: int) -> None:
    with World([dies_at_times]) as world:
        lethal = Always(frozenset({"effect"}), FaultKind.CRASH_AFTER)
        world.faults = lethal
        world.trigger("dies_at_times", 1, "key")
        world.happen_until(lambda: sum(world.facts.effects.values()) == deaths)
        lethal.on = False
        assert end(world).status is RunStatus.COMPLETED
    assert world.history().records["deadly_at_times#1"].attempt == attempt
