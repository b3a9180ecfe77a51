"""Code that is missing, wrong or deadly, results that cannot be recorded, runs that stand still."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from everstep import Context, step, workflow
from everstep.app.engine import Limits
from everstep.core import messages
from everstep.core.audit import Action
from everstep.core.durations import SECOND
from everstep.core.model import HEAD, RunStatus
from everstep.testing.simulation.faults import Always, FaultKind, Once
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.tasks import Killed
from everstep.testing.simulation.world import World
from tests.simulation.plays import (
    ONCE_EACH,
    effects,
    end,
)
from tests.simulation.scenarios import MIXED
from tests.simulation.workflows import add

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow

# --- Code that is missing, broken or deadly


def test_a_missing_version_stalls_the_run_and_says_so_until_it_is_deployed_and_resumed() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        world.deploy([])
        world.run()
        stall = world.history().head.stall
        assert stall is not None
        assert stall.reason.type == "WorkflowMissingError"

        world.deploy(MIXED)
        world.resume(world.store.run_ids[0])
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world) == ONCE_EACH


@workflow(name="three_steps")
async def deadly(_ctx: Context, _number: int) -> int:
    """Kill the process whenever it is replayed."""
    raise Killed


def test_a_message_that_kills_the_process_becomes_a_dead_letter_and_stalls_its_run() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        poison = world.next_message("add#2")
        world.deploy([deadly])
        world.run()

        stall = world.history().head.stall
        assert stall is not None
        assert stall.reason.type == "DeadLetter"
        assert stall.message == poison.body
        assert poison.receives == world.settings.receives
        assert not world.dead.letters

        world.deploy(MIXED)
        world.resume(world.store.run_ids[0])
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world) == ONCE_EACH


def test_a_step_that_kills_the_process_every_time_fails_when_its_attempts_are_used_up() -> None:
    with World(MIXED, faults=Always(frozenset({"effect"}), FaultKind.CRASH_AFTER)) as world:
        world.trigger("three_steps", 1, "key")
        head = end(world)
        assert head.status is RunStatus.FAILED
        assert head.error is not None
        assert head.error.type == "StepInterrupted"
        assert not world.dead.sent
    # The first death of an attempt leaves no trace, the second one counts.
    assert list(world.facts.attempts.values()) == [2, 2, 2]


def test_a_step_that_kills_the_process_every_time_stalls_its_run_where_receives_are_few() -> None:
    lethal = Always(frozenset({"effect"}), FaultKind.CRASH_AFTER)
    with World(MIXED, faults=lethal, settings=Settings(receives=2)) as world:
        world.trigger("three_steps", 1, "key")
        head = end(world)
        assert head.status is RunStatus.STALLED
        assert head.stall is not None
        assert "attempt 1 of add#1 began and left no result" in head.stall.reason.message
        assert effects(world)["add#1"] == 2

        lethal.on = False
        world.resume(world.store.run_ids[0])
        assert end(world).status is RunStatus.COMPLETED
    assert world.history().records["add#1"].attempt == 2


def test_a_first_step_that_never_ends_is_not_multiplied_by_the_sweeper() -> None:
    with World(MIXED, faults=Always(frozenset({"effect"}), FaultKind.CRASH_AFTER)) as world:
        world.trigger("three_steps", 1, "key")
        assert end(world).status is RunStatus.FAILED
    # Of the first attempt the sweeper may ask once more, when nothing is recorded of it yet.
    assert effects(world)["add#1"] <= 2 * 3 + 1


def test_a_dead_letter_whose_work_was_done_by_another_stalls_nothing() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#3")
        world.dead.take_in(world.queue.sent[0].body)
        assert end(world).status is RunStatus.COMPLETED


@pytest.mark.parametrize("body", ["not JSON", '{"run":"run-0-00000099","kind":"start","tok":"t"}'])
def test_a_message_of_no_run_is_kept_and_stops_nothing(body: str) -> None:
    with World(MIXED) as world:
        world.queue.take_in(body)
        world.dead.take_in(body)
        world.trigger("three_steps", 1, "key")
        assert end(world).status is RunStatus.COMPLETED
    assert [letter.body for letter in world.store.dead_letters] == [body, body]


# --- Results that cannot be recorded


@step
def unrecordable(number: int) -> Any:  # noqa: ANN401
    return object() if number else "x" * 2000


@workflow
async def impossible(ctx: Context, number: int) -> int:
    await ctx.step(unrecordable, number)
    return await ctx.step(add, number, 1)


@workflow
async def too_much(ctx: Context, number: int) -> str:
    size = await ctx.step(add, number, 2000)
    return "x" * size


@pytest.mark.parametrize(
    ("which", "number", "error"),
    [
        (impossible, 1, "SerializationError"),
        (impossible, 0, "PayloadTooLargeError"),
        (too_much, 0, "PayloadTooLargeError"),
    ],
)
def test_a_result_that_cannot_be_recorded_fails_the_run_before_anything_is_written(
    which: Workflow[Any, Any], number: int, error: str
) -> None:
    with World([which], settings=Settings(limits=Limits(inline=100, payload=1000))) as world:
        world.trigger(which.name, number, "key")
        head = end(world)
    assert head.status is RunStatus.FAILED
    assert head.error is not None
    assert head.error.type == error or f": {error}: " in head.error.message
    assert sum(world.facts.effects.values()) == 1
    assert world.counts["blobs.put"] == 0


# --- Standing still


def test_messages_of_a_run_that_stands_still_do_nothing_and_are_not_missed_later() -> None:
    with World(MIXED) as world:
        world.trigger("short_sleep", 1, "key")
        timer = world.next_message("sleep#1")
        world.deploy([])
        world.finish(world.execute(world.duplicate(world.queue.sent[0])))
        world.deploy(MIXED)
        before = world.history()
        assert before.head.status is RunStatus.STALLED
        world.hold_up(90 * SECOND)
        world.finish(world.execute(timer))
        assert world.history() == before

        world.resume(before.head.run_id)
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world) == {"add#1": 1, "add#2": 1}


def test_resuming_twice_is_resuming_once() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        world.deploy([])
        world.run()
        world.deploy(MIXED)
        run_id = world.store.run_ids[0]
        world.finish(world.resume(run_id))
        world.finish(world.resume(run_id))
        recoveries = [each for each in world.queue.sent if each.message.op == HEAD][1:]
        assert len(recoveries) == 1
        assert messages.decode(recoveries[0].body).take
        assert end(world).status is RunStatus.COMPLETED
        trail = [entry.action for entry in world.store.audit(run_id)]
        assert trail.count(Action.RESUMED) == 1
    assert effects(world) == ONCE_EACH


def test_a_resumption_that_dies_before_it_sends_is_made_up_for_by_the_sweeper() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        world.deploy([])
        world.run()
        world.deploy(MIXED)
        world.faults = Once("queue.send", FaultKind.CRASH_BEFORE)
        world.resume(world.store.run_ids[0])
        assert end(world).status is RunStatus.COMPLETED
    assert effects(world) == ONCE_EACH
