"""What is looked at to find out why a run does not move, and what a repair writes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep import Context, workflow
from everstep.app.diagnosis import examine, repair
from everstep.app.receive import receive
from everstep.authoring.registry import Registry
from everstep.core.diagnosis import Cause, Repair
from everstep.core.durations import MINUTE
from everstep.core.errors import RunNotFoundError
from tests.unit.http.world import ORDER, WORKFLOWS, World

if TYPE_CHECKING:
    from everstep.core.model import History


@workflow
async def counts(ctx: Context, left: int) -> int:
    if left:
        await ctx.sleep(60)
        await ctx.continue_as_new(left - 1)
    return left


@workflow
async def asks(ctx: Context) -> int:
    return await ctx.call(counts, 1)


ALL: Final = (*WORKFLOWS, counts, asks)


@pytest.fixture
def world() -> World:
    return World(workflows=ALL)


def test_a_run_that_there_is_not_is_an_error(world: World) -> None:
    with pytest.raises(RunNotFoundError):
        examine(world.engine, "nothing")


def test_a_run_that_needs_no_help_gets_none(world: World) -> None:
    run_id = world.started("shop", ORDER)
    world.work()
    assert repair(world.engine, run_id).done is None
    assert world.engine.runs.audit(run_id) == []


def test_a_run_that_has_ended_is_not_replayed(world: World) -> None:
    run_id = world.started("bare")
    world.work()
    world.engine = replace(world.engine, registry=Registry(()))
    assert examine(world.engine, run_id).cause is Cause.ENDED


def test_a_version_that_is_missing_is_named(world: World) -> None:
    run_id = world.started("shop", ORDER)
    world.engine = replace(world.engine, registry=Registry(()))
    assert "shop version 1.1.0 is not deployed" in examine(world.engine, run_id).says


def test_a_run_that_waits_for_one_that_was_continued_waits_for_its_successor(
    world: World,
) -> None:
    run_id = world.started("asks")
    world.work()
    assert examine(world.engine, run_id).cause is Cause.WAITING
    world.advance(60)
    assert examine(world.engine, run_id).cause is Cause.ENDED


def test_the_news_of_a_child_that_got_lost_is_found(world: World) -> None:
    run_id = world.started("asks")
    world.work()
    world.clock.advance(MINUTE)
    while (delivery := world.queue.receive(360)) is not None:
        if delivery.message.run_id != run_id:
            receive(world.engine, delivery.message_id, delivery.body)
        world.queue.delete(delivery)
    world.clock.advance(8 * MINUTE)
    seen = examine(world.engine, run_id)
    assert (seen.cause, seen.repair) == (Cause.MESSAGE_LOST, Repair.RECOVER)
    assert repair(world.engine, run_id).done is Repair.RECOVER
    world.work()
    assert examine(world.engine, run_id).cause is Cause.ENDED


def test_what_contradicts_the_code_is_looked_at_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = world.started("shop", ORDER)
    world.work()
    loads: list[History | None] = []
    load = world.store.load

    def torn(asked: str) -> History | None:
        history = load(asked)
        loads.append(history)
        if history is None or len(loads) > 1:
            return history
        return replace(
            history,
            records={"sleep#2": replace(next(iter(history.records.values())), key="sleep#2")},
        )

    monkeypatch.setattr(world.store, "load", torn)
    assert examine(world.engine, run_id).cause is Cause.SLEEPING
    assert len(loads) == 2


def test_an_audit_entry_that_is_gone_keeps_nobody_from_looking(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = world.started("shop", ORDER)
    world.call("POST", f"/runs/{run_id}/pause")

    def gone(*_: Any) -> list[object]:  # noqa: ANN401
        return []

    monkeypatch.setattr(world.store, "audit", gone)
    seen = examine(world.engine, run_id)
    assert (seen.cause, seen.says) == (Cause.PAUSED, "it was paused")


def test_a_run_that_has_moved_on_meanwhile_is_not_taken_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = world.started("shop", ORDER)
    world.queue._kept.clear()
    world.clock.advance(8 * MINUTE)
    change = world.store.change
    head = world.store.head

    def moved(asked: str) -> object:
        found = head(asked)
        return None if found is None else replace(found, due_at=1)

    monkeypatch.setattr(world.store, "head", moved)
    assert repair(world.engine, run_id).done is None
    monkeypatch.undo()
    assert world.store.change == change
    assert world.engine.runs.audit(run_id) == []
