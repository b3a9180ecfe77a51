"""Runs that are told to end while messages get lost, and callbacks that are awaited again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from everstep import Context, OperationTimeout, RunCancelled, step, workflow
from everstep.app.callbacks import complete_callback
from everstep.app.cancel import cancel
from everstep.app.control import pause
from everstep.core.errors import UnavailableError
from everstep.core.model import MessageKind, OpStatus, RunStatus
from everstep.core.tokens import make_token
from tests.unit.app.world import MINUTE, World

if TYPE_CHECKING:
    from everstep import Workflow
    from everstep.core.model import Message, OpRecord


@step
def add(first: int, second: int) -> int:
    return first + second


@step(at_most_once=True)
def dies() -> int:
    raise KeyboardInterrupt


@workflow(name="wf")
async def adds_twice(ctx: Context) -> int:
    return await ctx.step(add, await ctx.step(add, 1, 2), 3)


@workflow(name="wf")
async def dies_at_it(ctx: Context) -> None:
    await ctx.step(dies)


@workflow
async def listens(ctx: Context) -> int:
    return await ctx.wait_for_event("word", int)


@workflow(name="wf")
async def starts(ctx: Context) -> int:
    return await (await ctx.start(listens)).result()


@workflow(name="wf")
async def calls(ctx: Context) -> int:
    return await ctx.call(listens)


@workflow(name="wf")
async def starts_and_fails(ctx: Context) -> None:
    await ctx.start(listens)
    try:
        await ctx.sleep(60)
    except RunCancelled:
        raise ValueError("not like this") from None


@workflow(name="wf")
async def gives_up_waiting(ctx: Context) -> int:
    callback = ctx.callback(int, timeout=60)
    try:
        return await ctx.wait_for(callback, 30)
    except OperationTimeout:
        return await ctx.step(add, 1, 2)


@workflow(name="wf")
async def asks_twice(ctx: Context) -> int:
    callback = ctx.callback(int)
    first = await ctx.step(add, await callback, 1)
    return await ctx.step(add, first, await callback)


@workflow(name="wf")
async def asks_late(ctx: Context) -> int:
    callback = ctx.callback(int)
    try:
        await ctx.wait_for(callback, 30)
    except OperationTimeout:
        await ctx.step(add, 1, 2)
    return await callback


def let_hours_pass(world: World, hours: int) -> None:
    for _ in range(hours * 4):
        world.run()
        world.clock.advance(15 * MINUTE)
        world.sweep()
    world.run()


def taken(world: World) -> dict[str, Message]:
    messages = {each.message.op: each.message for each in world.outbox.sent}
    world.lose()
    return messages


def test_a_run_that_is_told_to_end_is_taken_over_when_its_message_got_lost() -> None:
    world = World(adds_twice)
    run_id = world.begin()
    world.advance(world.take())
    world.lose()
    cancel(world.engine, run_id)
    let_hours_pass(world, 13)
    assert world.status(run_id) is RunStatus.CANCELLED


def test_a_paused_run_that_is_cancelled_ends_although_nobody_hears_of_it() -> None:
    world = World(adds_twice)
    run_id = world.begin()
    world.advance(world.take())
    pause(world.engine, run_id)
    world.advance(world.take())
    world.outbox.down = True
    with pytest.raises(UnavailableError):
        cancel(world.engine, run_id)
    world.outbox.down = False
    let_hours_pass(world, 13)
    assert world.status(run_id) is RunStatus.CANCELLED


def test_an_attempt_that_died_before_a_pause_is_settled_by_the_cancellation() -> None:
    world = World(dies_at_it)
    run_id = world.begin()
    message = world.take()
    with pytest.raises(KeyboardInterrupt):
        world.advance(message)
    pause(world.engine, run_id)
    world.advance(message, receives=2)
    cancel(world.engine, run_id)
    world.run()
    assert world.records(run_id)["dies#1"].status is OpStatus.FAILED
    assert world.status(run_id) is RunStatus.FAILED


@pytest.mark.parametrize("parent", [starts, calls])
def test_a_child_run_ends_with_a_parent_that_died_before_it_recorded_the_start(
    parent: Workflow[None, int],
) -> None:
    world = World(parent, listens)
    run_id = world.start().run_id
    message = world.take()

    def die(_record: OpRecord) -> None:
        raise KeyboardInterrupt

    world.store.before_put.append(die)
    with pytest.raises(KeyboardInterrupt):
        world.advance(message)
    cancel(world.engine, run_id)
    world.advance(message, receives=2)
    world.run()
    assert {world.status(each) for each in world.store.run_ids} == {RunStatus.CANCELLED}


def test_child_runs_end_with_a_parent_that_makes_a_failure_of_its_cancellation() -> None:
    world = World(starts_and_fails, listens)
    run_id = world.begin()
    cancel(world.engine, run_id)
    world.run()
    child = next(each for each in world.store.run_ids if each != run_id)
    assert world.status(run_id) is RunStatus.FAILED
    assert world.status(child) is RunStatus.CANCELLED


def test_the_timer_of_a_callback_that_nobody_awaits_any_more_sends_nothing_again() -> None:
    world = World(gives_up_waiting)
    world.begin()
    timers = taken(world)
    given_up = timers["wait_for#1/1/timeout#1"]
    world.clock.set(given_up.due)
    world.advance(given_up)
    assert list(taken(world)) == ["add#1"]
    world.clock.set(timers["callback#1"].due)
    world.advance(timers["callback#1"])
    assert not world.outbox.sent


def test_code_that_awaits_a_callback_again_goes_on_at_once() -> None:
    world = World(asks_twice)
    run_id = world.begin()
    token = make_token(run_id, "callback#1", world.head(run_id).secret)
    complete_callback(world.engine, token, 4)
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED


def test_code_that_comes_back_to_a_callback_finds_what_it_was_completed_with() -> None:
    world = World(asks_late)
    run_id = world.begin()
    given_up = world.take()
    world.clock.set(given_up.due)
    world.advance(given_up)
    work = world.take()
    token = make_token(run_id, "callback#1", world.head(run_id).secret)
    complete_callback(world.engine, token, 4)
    news = world.take()
    assert news.kind is MessageKind.EVENT
    world.advance(news)
    assert world.status(run_id) is RunStatus.RUNNING
    world.advance(work)
    assert world.status(run_id) is RunStatus.COMPLETED
