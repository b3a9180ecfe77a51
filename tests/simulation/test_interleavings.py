"""Things that happen at the same time, in every order of their port calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest

from everstep.core.audit import Action
from everstep.core.model import RunStatus
from everstep.testing.simulation.explore import Scenario, interleavings
from everstep.testing.simulation.faults import FaultKind, Once
from everstep.testing.simulation.policies import InOrder
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.scenarios import MIXED

DAY: Final = 24 * 3600 * 1000
Meeting = Callable[[World], None]


def at_the_message(name: str, op: str, meet: Meeting) -> Scenario:
    """Return a run that goes in order to a message, where then several tasks meet."""

    def begin(world: World) -> None:
        world.trigger(name, 1, "key")
        path, world.policy = world.policy, InOrder()
        world.next_message(op)
        world.policy = path
        meet(world)

    return Scenario(begin=begin, workflows=MIXED, settings=lambda: Settings(executors=2))


def twice_at_once(op: str) -> Meeting:
    """Deliver the message for an operation twice at the same time."""

    def meet(world: World) -> None:
        letter = world.next_message(op)
        world.hold_up(max(letter.visible_at - world.time, 0))
        world.facts.disturbances += 1
        # One message received twice: whoever acknowledges first deletes it for both.
        world.execute(letter)
        world.execute(letter)

    return meet


@pytest.mark.parametrize(
    ("name", "op"),
    [
        ("three_steps", ""),
        ("three_steps", "add#1"),
        ("three_steps", "add#3"),
        ("retries", "flaky#1"),
        ("short_sleep", "sleep#1"),
        ("long_sleep", "add#1"),
        ("long_sleep", "sleep#1"),
        ("fails", "refuse#1"),
        ("without_operations", ""),
    ],
)
def test_a_message_delivered_twice_at_once_has_one_outcome(name: str, op: str) -> None:
    played = 0
    for _, world in interleavings(at_the_message(name, op, twice_at_once(op))):
        ended = RunStatus.FAILED if name == "fails" else RunStatus.COMPLETED
        assert world.history().head.status is ended
        assert world.facts.recovered == 0
        # Both may execute the attempt, and each may send on once; nothing after that is repeated.
        repeated = [key for key, count in world.facts.attempts.items() if count > 1]
        assert max(world.facts.attempts.values(), default=0) <= 2
        assert len(repeated) <= 2
        played += 1
    assert played >= 20


def test_a_duplicate_at_once_does_not_hide_a_crash_after_the_commit() -> None:
    scenario = at_the_message("three_steps", "add#2", twice_at_once("add#2"))

    def crash() -> Once:
        return Once("runs.put", FaultKind.CRASH_AFTER, detail="add#2 DONE")

    for _, world in interleavings(scenario, crash):
        assert world.history().head.status is RunStatus.COMPLETED
        assert world.facts.recovered == 0


def test_two_triggers_with_one_idempotency_key_at_once_start_one_run() -> None:
    def begin(world: World) -> None:
        world.trigger("three_steps", 1, "key")
        world.trigger("three_steps", 1, "key")

    played = 0
    for _, world in interleavings(Scenario(begin=begin, workflows=MIXED)):
        assert len(world.store.run_ids) == 1
        assert {run_id for run_id, _ in world.facts.accepted} == set(world.store.run_ids)
        assert len(world.facts.accepted) == 2
        played += 1
    assert played > 1


def test_the_sweeper_and_the_timers_message_at_the_same_time_end_the_sleep_once() -> None:
    def meet(world: World) -> None:
        letter = world.next_message("sleep#1")
        world.hold_up(max(letter.visible_at - world.time, 0) + world.settings.limits.grace)
        world.execute(letter)
        world.sweep()

    played = 0
    for _, world in interleavings(at_the_message("long_sleep", "sleep#1", meet)):
        assert world.history().head.status is RunStatus.COMPLETED
        played += 1
    assert played > 20


def test_two_sweeps_at_once_lose_and_repeat_no_step() -> None:
    def begin(world: World) -> None:
        world.trigger("long_sleep", 1, "key")
        path, world.policy = world.policy, InOrder()
        world.happen_until(
            lambda: bool(world.store.run_ids) and "sleep#1" in world.history().records
        )
        world.happen_until(lambda: not world.queue.letters and not world.tasks)
        world.policy = path
        world.hold_up(3 * DAY - 600_000)
        for sweep in (world.sweep(), world.sweep()):
            world.go_on_until(sweep, "queue.send")
        world.held.clear()

    for _, world in interleavings(Scenario(begin=begin, workflows=MIXED)):
        assert world.history().head.status is RunStatus.COMPLETED
        assert all(count == 1 for count in world.facts.effects.values())


def stalled(world: World) -> str:
    """Stall the run by taking its code away for the time of one duplicate."""
    world.deploy([])
    world.finish(world.execute(world.duplicate(world.queue.sent[0])))
    world.deploy(MIXED)
    return world.store.run_ids[0]


def test_resuming_twice_at_once_resumes_once() -> None:
    def meet(world: World) -> None:
        run_id = stalled(world)
        world.resume(run_id)
        world.resume(run_id)

    for _, world in interleavings(at_the_message("three_steps", "add#2", meet)):
        trail = [entry.action for entry in world.store.audit(world.store.run_ids[0])]
        assert trail.count(Action.RESUMED) == 1
        assert world.history().head.status is RunStatus.COMPLETED


def test_resuming_while_the_message_is_delivered_loses_nothing() -> None:
    def meet(world: World) -> None:
        letter = world.next_message("add#2")
        world.resume(stalled(world))
        world.execute(letter)

    for _, world in interleavings(at_the_message("three_steps", "add#2", meet)):
        assert world.history().head.status is RunStatus.COMPLETED
        assert world.facts.recovered == 0
        # Which of the two gets it done is open; a step in flight over a resumption may repeat.
        assert max(world.facts.attempts.values()) <= 2


@pytest.mark.parametrize("op", ["add#2", "add#3"])
def test_stalling_while_a_step_is_under_way_keeps_its_result_and_its_consequences(op: str) -> None:
    def meet(world: World) -> None:
        letter = world.next_message(op)
        world.execute(letter)
        duplicate = world.duplicate(world.queue.sent[0])
        world.dead.take_in(letter.body)
        world.queue.delete(duplicate)
        world.bury(world.dead.letters[0])

    for _, world in interleavings(at_the_message("three_steps", op, meet)):
        head = world.history().head
        if head.status is RunStatus.STALLED:
            with world:
                world.policy = InOrder()
                world.resume(head.run_id)
                world.run()
                world.check()
        assert world.history().head.status is RunStatus.COMPLETED
        assert all(count == 1 for count in world.facts.effects.values())
