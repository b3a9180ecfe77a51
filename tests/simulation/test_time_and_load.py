"""Throttling, delays, wrong clocks, a sweeper that is late or fails, messages that get lost."""

from __future__ import annotations

from itertools import chain, cycle, repeat

import pytest

from everstep import Context, Retry, step, step_context, workflow
from everstep.core.durations import MINUTE, SECOND
from everstep.core.model import RunStatus
from everstep.testing.crash import Crash
from everstep.testing.simulation.faults import Always, FaultKind, Meanwhile, Once
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.plays import (
    GRACE,
    WATCHDOG,
    effects,
    end,
    hidden,
    play,
    recorded,
)
from tests.simulation.scenarios import MIXED

# --- Throttling, delays and clocks


@pytest.mark.parametrize("names", [{"runs.put"}, {"queue.send"}, {"runs.load"}, {"ack"}])
def test_throttling_delays_a_run_and_changes_nothing_else(names: set[str]) -> None:
    with World(MIXED) as world:
        throttled = Always(frozenset(names), FaultKind.UNAVAILABLE)
        world.trigger("three_steps", 1, "key")
        letter = world.next_message("add#2")
        world.faults = throttled
        for _ in range(world.settings.receives - 1):
            world.finish(world.execute(letter))
            world.hold_up(world.settings.visibility)
        throttled.on = False
        assert end(world).status is RunStatus.COMPLETED
        assert not world.dead.sent
    assert effects(world)["add#3"] == 1


def test_throttling_without_end_stalls_the_run_instead_of_losing_it() -> None:
    with World(MIXED) as world:
        throttled = Always(frozenset({"runs.put"}), FaultKind.UNAVAILABLE)
        world.faults = throttled
        world.trigger("three_steps", 1, "key")
        assert end(world).status is RunStatus.STALLED
        # Once it is delivered again, nothing is executed of which nothing can be recorded.
        assert effects(world)["add#1"] < world.settings.receives

        throttled.on = False
        world.resume(world.store.run_ids[0])
        assert end(world).status is RunStatus.COMPLETED


@pytest.mark.parametrize("name", ["short_sleep", "long_sleep", "retries", "long_retry"])
def test_a_delayed_message_that_comes_early_does_not_end_the_wait_early(name: str) -> None:
    expected = play(name).time
    with World(MIXED) as world:
        world.trigger(name, 1, "key")
        world.happen_until(lambda: bool(hidden(world)))
        early = hidden(world)[0]
        world.queue.show(early)
        world.finish(world.execute(early))
        assert end(world).status is RunStatus.COMPLETED
    assert world.time >= expected
    assert world.time < expected + 2 * MINUTE


@pytest.mark.parametrize("name", ["short_sleep", "long_sleep", "retries", "long_retry"])
def test_a_delayed_message_that_comes_late_ends_the_wait_late_and_nothing_else(name: str) -> None:
    with World(MIXED) as world:
        world.trigger(name, 1, "key")
        world.happen_until(lambda: recorded(world))
        world.hold_up(100 * 3600 * SECOND)
        assert end(world).status is RunStatus.COMPLETED
    assert all(count == 1 for count in world.facts.effects.values())


@pytest.mark.parametrize("skew", [-30 * SECOND, 30 * SECOND])
@pytest.mark.parametrize("name", ["short_sleep", "long_sleep", "retries", "long_retry"])
def test_a_clock_that_is_wrong_moves_a_wait_by_its_error_and_breaks_nothing(
    name: str, skew: int
) -> None:
    expected = play(name).time
    with World(MIXED, settings=Settings(skew=2 * abs(skew))) as world:
        world.skews = cycle((skew, 0, -skew))
        world.trigger(name, 1, "key")
        assert end(world).status is RunStatus.COMPLETED
    assert abs(world.time - expected) <= 2 * abs(skew) + 2 * MINUTE


def test_a_message_put_off_by_a_slow_clock_still_owes_what_its_duplicate_committed() -> None:
    with World(MIXED, settings=Settings(executors=2, skew=MINUTE)) as world:
        world.trigger("short_sleep", 1, "key")
        timer = world.next_message("sleep#1")
        world.pass_time(timer.visible_at - world.time)
        world.skews = chain((0, -30 * SECOND), repeat(0))
        right, slow = world.execute(timer), world.execute(timer)
        world.facts.disturbances += 1
        world.go_on_until(slow, "queue.send")
        world.faults = Once("queue.send", FaultKind.CRASH_BEFORE)
        world.finish(right)
        world.finish(slow)

        assert end(world).status is RunStatus.COMPLETED
    assert world.facts.recovered == 0


# --- The sweeper


def test_a_sweep_with_a_stale_entry_of_the_index_changes_nothing() -> None:
    with World(MIXED, settings=Settings(executors=2)) as world:
        world.trigger("long_sleep", 1, "key")
        world.happen_until(lambda: recorded(world) and "sleep#1" in world.history().records)
        world.hold_up(3 * 24 * 3600 * SECOND - 13 * MINUTE)
        slow = world.sweep()
        world.go_on_until(slow, "queue.send")
        world.finish(world.sweep())
        world.happen_until(lambda: world.history().head.status is RunStatus.COMPLETED)
        ended = world.history()

        world.finish(slow)
        end(world)
        assert world.history() == ended
    assert all(count == 1 for count in world.facts.effects.values())


@pytest.mark.parametrize("name", ["long_sleep", "long_retry"])
@pytest.mark.parametrize("kind", list(FaultKind)[:4])
@pytest.mark.parametrize("call", ["queue.send", "runs.move"])
def test_a_sweeper_that_fails_at_a_timer_comes_again(name: str, kind: FaultKind, call: str) -> None:
    calls = play(name).calls
    wakes = next(each for each in calls if each.name == call and each.task == "sweeper")
    before = sum(each.name == call and each.number <= wakes.number for each in calls)
    world = play(name, Once(call, kind, nth=before))

    assert world.history().head.status is RunStatus.COMPLETED
    assert world.facts.recovered == 0


@pytest.mark.parametrize("name", ["three_steps", "fails"])
def test_a_run_that_has_ended_cannot_be_resumed(name: str) -> None:
    with World(MIXED) as world:
        world.trigger(name, 1, "key")
        before = end(world)
        world.resume(before.run_id)
        assert end(world) == before


@pytest.mark.parametrize("name", ["three_steps", "retries", "short_sleep", "long_sleep"])
def test_a_purge_of_the_queue_at_any_point_is_noticed_by_the_watchdog(name: str) -> None:
    usual = play(name)
    for call in usual.calls:
        with World(MIXED) as world:
            world.faults = Meanwhile(call.number, world.lose_messages)
            world.trigger(name, 1, "key")
            assert end(world).status is RunStatus.COMPLETED, call
        assert world.time <= usual.time + WATCHDOG + 2 * GRACE, call
        assert all(count == 1 for count in world.facts.effects.values()), call


def test_a_purge_between_a_resumption_and_its_message_is_noticed_after_the_grace() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        world.deploy([])
        world.run()
        world.deploy(MIXED)
        stalled_at = world.time
        world.finish(world.resume(world.store.run_ids[0]))
        world.lose_messages()
        assert end(world).status is RunStatus.COMPLETED
    assert world.time <= stalled_at + GRACE + MINUTE


@step(retry=Retry(max_attempts=3, initial_delay=2 * 3600, max_delay=24 * 3600, jitter=False))
def lethal_at_last() -> None:
    if step_context().attempt == 2:
        raise Crash
    raise ConnectionError("come back later")


@workflow
async def dies_after_a_long_wait(ctx: Context) -> None:
    await ctx.step(lethal_at_last)


def test_a_step_that_kills_its_process_after_a_long_wait_is_not_multiplied_by_the_sweeper() -> None:
    with World([dies_after_a_long_wait]) as world:
        world.trigger("dies_after_a_long_wait", None, "key")
        world.run()

    assert world.history().head.status is RunStatus.FAILED
    # Its message, and the one that the sweeper sends in case that got lost.
    assert world.facts.attempts["run-0-00000001", "lethal_at_last#1", 2] <= 2 * 2
