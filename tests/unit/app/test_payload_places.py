"""Large payloads stand below the run that they belong to, and nothing refers to another run's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from everstep import Context, step, workflow
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.app.children import has_ended
from everstep.app.engine import Limits
from everstep.app.fork import fork
from everstep.app.payloads import move
from everstep.core.decisions import Suspended
from everstep.core.model import Payload
from everstep.core.places import digest_of, moved, owner, place
from everstep.core.replay import Replay
from everstep.testing import TestEngine
from tests.unit.app.definitions import one_step, sizeable
from tests.unit.app.world import World

if TYPE_CHECKING:
    from everstep.core.model import History

SMALL = Limits(inline=100)
SIZE = 1000


@step
def large() -> str:
    return "x" * SIZE


@workflow
async def child(ctx: Context) -> str:
    return await ctx.step(large)


@workflow
async def parent(ctx: Context) -> int:
    result = await ctx.call(child)
    return len(result)


@workflow
async def waits(ctx: Context) -> int:
    text = await ctx.wait_for_event("text", str)
    return len(text)


def refs(history: History) -> set[str]:
    payloads = [
        history.head.input,
        history.head.result,
        *(each.result for each in history.records.values()),
        *(each.payload for each in history.events),
    ]
    return {each.ref for each in payloads if each is not None and each.ref is not None}


def check_places(engine: TestEngine) -> dict[str, int]:
    """Check that every reference is of its own run and leads somewhere; count them by run."""
    store, blobs = engine._world.store, engine._world.inside.blobs
    assert isinstance(blobs, MemoryBlobs)
    counted = {}
    for run_id in store.run_ids:
        history = store.load(run_id)
        assert history is not None
        assert {owner(each) for each in refs(history)} <= {run_id}
        assert refs(history) <= blobs.refs
        counted[run_id] = len(refs(history))
    return counted


def test_what_a_run_records_stands_below_it() -> None:
    world = World(sizeable, limits=SMALL)
    run_id = world.start(value=SIZE).run_id
    world.run()
    history = world.store.load(run_id)
    assert history is not None
    assert {owner(each) for each in refs(history)} == {run_id}


def test_a_parent_has_a_copy_of_what_its_child_came_to() -> None:
    engine = TestEngine([parent, child], limits=SMALL)
    run = engine.start(parent)
    engine.run_until_idle()
    assert run.result == SIZE
    counted = check_places(engine)
    assert counted[run.id] == 1
    assert len(counted) == 2


def test_a_fork_has_copies_of_what_it_keeps() -> None:
    world = World(sizeable, limits=SMALL)
    run_id = world.start(value=SIZE).run_id
    world.run()
    made = fork(world.engine, run_id, from_step="large#1")
    world.run()
    for each in (run_id, made.run_id):
        history = world.store.load(each)
        assert history is not None
        assert {owner(ref) for ref in refs(history)} == {each}
    assert world.engine.blobs.clear(run_id)
    history = world.store.load(made.run_id)
    assert history is not None
    assert all(world.engine.blobs.get(ref) for ref in refs(history))


def test_what_earlier_releases_have_kept_for_all_runs_stays_where_it_is() -> None:
    world = World(one_step)
    old = Payload(ref="payloads/abc", size=3)
    assert move(world.engine, old, "one", "other") == old
    assert (owner("payloads/abc"), moved("payloads/abc", "run")) == (None, "payloads/abc")
    assert digest_of(old) == "abc"


def test_a_place_says_whose_it_is_and_moves_with_its_content() -> None:
    ref = place("run-1", b"text")
    assert owner(ref) == "run-1"
    assert moved(ref, "run-2") == place("run-2", b"text")


def test_a_sweep_copies_nothing() -> None:
    engine = TestEngine([parent, child], limits=SMALL)
    run = engine.start(parent)
    history = engine._world.store.load(run.id)
    assert history is not None
    with Replay(parent, history) as replay:
        assert isinstance(replay.decision, Suspended)
        (pending,) = replay.decision.frontier
    assert not has_ended(engine._world.inside, pending)
    assert not has_ended(engine._world.inside, replace(pending, record=None))


# --- How long runs are kept that say nothing


def test_a_run_is_kept_as_long_as_the_deployment_says_if_nobody_else_does() -> None:
    hour = 3_600_000
    world = World(one_step, limits=Limits(retention=24 * hour))
    assert world.head(world.start(value=1).run_id).retention == 24 * hour
    said = world.start(value=1, retention=timedelta(hours=2)).run_id
    assert world.head(said).retention == 2 * hour
