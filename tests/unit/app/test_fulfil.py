"""Effects that meet what they were not decided for change nothing that they should not."""

from __future__ import annotations

import pytest

from everstep import Context, workflow
from everstep.app.children import begin_child, see_child
from everstep.app.fulfil import fulfil
from everstep.core.decisions import Pending, Suspended
from everstep.core.effects import Close, Interrupt
from everstep.core.model import MessageKind, OpKind
from everstep.core.replay import Replay
from everstep.testing.callers import Callers
from tests.unit.app.definitions import napping
from tests.unit.app.world import World, message
from tests.unit.core.builders import record


@pytest.fixture
def world() -> World:
    return World(napping)


def replayed(world: World, run_id: str) -> Replay:
    history = world.store.load(run_id)
    assert history is not None
    with Replay(napping, history) as replay:
        return replay


def awaited(world: World, run_id: str) -> Pending:
    decision = replayed(world, run_id).decision
    assert isinstance(decision, Suspended)
    return decision.frontier[0]


def test_nobody_is_told_to_end_in_a_run_that_is_not_to_end(world: World) -> None:
    run_id = world.begin()
    effects = [Interrupt(pending=awaited(world, run_id))]
    news = message(run_id, MessageKind.CANCEL)
    replay = replayed(world, run_id)
    assert fulfil(world.engine, news, effects, world.head(run_id), replay) == set()
    assert world.records(run_id) == {}


def test_a_join_is_recorded_as_it_is(world: World) -> None:
    run_id = world.begin()
    join = record("gather#1", kind=OpKind.JOIN)
    news, replay = message(run_id, MessageKind.EVENT), replayed(world, run_id)
    closed = fulfil(world.engine, news, [Close(record=join)], world.head(run_id), replay)
    assert (closed, world.records(run_id)) == ({"gather#1"}, {"gather#1": join})


def test_an_operation_that_starts_no_run_starts_none(world: World) -> None:
    run_id = world.begin()
    pending = awaited(world, run_id)
    with pytest.raises(TypeError, match="starts no run"):
        begin_child(world.engine, world.head(run_id), pending, "token")
    assert see_child(world.engine, run_id, pending, "token") is None


def test_who_asks_needs_somebody_to_carry_it() -> None:
    with pytest.raises(NotImplementedError):
        Callers()._ask("somebody", lambda: None)


def test_a_child_run_of_a_paused_parent_goes_on() -> None:
    @workflow
    async def child(ctx: Context) -> None:
        await ctx.sleep(60)

    @workflow(name="wf")
    async def parent(ctx: Context) -> None:
        await ctx.call(child)

    world = World(parent, child)
    run_id = world.begin()
    (inner,) = (each for each in world.store.run_ids if each != run_id)
    world.stall(run_id)
    world.run()
    assert (world.status(inner), world.status(run_id)) == ("COMPLETED", "STALLED")
