"""Branches that end at the same moment: what follows happens, and happens once."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import pytest

from everstep import Context, workflow
from everstep.core.model import MessageKind, RunStatus
from everstep.testing.simulation.explore import Scenario, interleavings
from everstep.testing.simulation.faults import FaultKind, Once
from everstep.testing.simulation.policies import InOrder
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.plays import end
from tests.simulation.workflows import add

if TYPE_CHECKING:
    from everstep.testing.simulation.step_queue import Letter


@workflow
async def joins(ctx: Context, number: int) -> int:
    left, right = await ctx.gather(ctx.step(add, number, 1), ctx.step(add, number, 2))
    return await ctx.step(add, left, right)


BRANCHES: Final = ("gather#1/0/add#1", "gather#1/1/add#1")


def both_messages(world: World) -> list[Letter]:
    """Let everything happen until both branches can go on; return their messages."""
    world.trigger("joins", 1, "key")
    world.next_message(BRANCHES[1])
    return [
        next(letter for letter in world.queue.letters if letter.message.op == op) for op in BRANCHES
    ]


def at_once() -> Scenario:
    def begin(world: World) -> None:
        path, world.policy = world.policy, InOrder()
        letters = both_messages(world)
        world.policy = path
        for letter in letters:
            world.execute(letter)

    return Scenario(begin=begin, workflows=[joins], settings=lambda: Settings(executors=2))


@pytest.mark.slow
def test_branches_that_end_at_once_are_followed_by_one_step_without_any_fault() -> None:
    played = 0
    for _, world in interleavings(at_once()):
        assert world.history().head.status is RunStatus.COMPLETED
        assert set(world.facts.attempts.values()) == {1}
        assert world.facts.recovered == 0
        played += 1
    assert played > 100


@pytest.mark.parametrize("kind", [FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER])
@pytest.mark.parametrize("name", ["runs.put", "queue.send", "ack"])
def test_whoever_dies_when_branches_end_at_once_what_follows_happens(
    name: str, kind: FaultKind
) -> None:
    for _, world in islice(interleavings(at_once(), lambda: Once(name, kind, nth=3)), 100):
        assert world.history().head.status is RunStatus.COMPLETED
        assert world.facts.recovered == 0


def test_who_comes_a_moment_too_late_to_close_looks_again_and_finds_all_well() -> None:
    with World([joins], settings=Settings(executors=2)) as world:
        first, second = both_messages(world)
        late = world.execute(first)
        world.go_on_until(late, "attempt")
        world.go_on_until(late, "runs.load")
        world.finish(world.execute(second))
        world.finish(late)

        kinds = [letter.message.kind for letter in world.queue.sent]
        assert kinds.count(MessageKind.CHECK) == 1
        assert end(world).status is RunStatus.COMPLETED
    assert set(world.facts.attempts.values()) == {1}


def test_a_look_goes_on_for_whoever_closed_and_died_unnoticed() -> None:
    """Its message was deleted by a duplicate: only the one who came too late remembers."""
    with World([joins], settings=Settings(executors=2)) as world:
        first, second = both_messages(world)
        late = world.execute(first)
        world.go_on_until(late, "attempt")
        world.go_on_until(late, "runs.load")
        world.faults = Once("queue.send", FaultKind.CRASH_BEFORE)
        world.finish(world.execute(second))
        world.queue.delete(second)
        world.facts.disturbances += 1
        world.finish(late)
        assert end(world).status is RunStatus.COMPLETED
    assert world.facts.recovered == 0
