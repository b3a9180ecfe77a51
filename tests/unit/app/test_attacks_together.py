"""Ends that come while branches, child runs and large payloads are under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from everstep import (
    CallbackFailed,
    Context,
    EverstepError,
    NonRetryable,
    RunCancelled,
    step,
    workflow,
)
from everstep.app.callbacks import fail_callback
from everstep.app.cancel import cancel
from everstep.app.engine import Limits
from everstep.app.events import send_event
from everstep.core.model import OpStatus, RunStatus
from everstep.core.tokens import make_token
from tests.unit.app.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep import Workflow
    from everstep.core.model import Message, OpRecord

during: list[Callable[[], None]] = []
undone: list[str] = []
SMALL = Limits(payload=2000, inline=100)


class Padded(BaseModel):
    text: str
    padding: str = "." * 1000


@step
def works(*, well: bool) -> int:
    if during:
        during.pop()()
    if not well:
        raise NonRetryable("it does not work")
    return 1


@step
def undo(what: str) -> None:
    undone.append(what)


async def undoes(ctx: Context) -> int:
    async with ctx.saga() as saga:
        saga.compensate(undo, "first")
        saga.compensate(undo, "second")
        return await ctx.wait_for_event("word", int)
    return 0


async def undoes_within(ctx: Context) -> int:
    return (await ctx.gather(undoes(ctx)))[0]


@workflow(name="wf")
async def fails_beside(ctx: Context) -> None:
    await ctx.gather(ctx.step(works, well=False), undoes(ctx))


@workflow(name="wf")
async def fails_far_beside(ctx: Context) -> None:
    await ctx.gather(ctx.step(works, well=False), undoes_within(ctx))


@workflow(name="wf")
async def wins_beside(ctx: Context) -> None:
    await ctx.race(ctx.step(works, well=True), undoes(ctx))


@workflow(name="wf")
async def ignores_its_end(ctx: Context) -> int:
    async def branch(ctx: Context, item: int) -> int:
        try:
            await ctx.wait_for_event("word")
        except RunCancelled:
            await ctx.step(works, well=True)
        return item

    return (await ctx.map(branch, [1, 2, 3], max_concurrency=1)).succeeded


@workflow
async def listens(ctx: Context) -> int:
    return await ctx.wait_for_event("word", int)


@workflow
async def reads(ctx: Context, text: str) -> str:  # noqa: ARG001 - it comes to its input only
    return text


@workflow(name="wf")
async def calls(ctx: Context) -> int:
    return await ctx.call(listens)


@workflow(name="wf")
async def calls_with_much(ctx: Context) -> str:
    try:
        return await ctx.call(reads, "." * 3000)
    except EverstepError as error:
        return str(error)[:40]


@workflow(name="wf")
async def waits_for_much(ctx: Context) -> str:
    try:
        return (await ctx.wait_for_event("word", Padded)).text
    except EverstepError as error:
        return str(error)[:40]


@workflow(name="wf")
async def is_let_down(ctx: Context) -> list[int]:
    try:
        await ctx.callback()
    except CallbackFailed as failed:
        return [len(failed.error_type), len(failed.message)]
    return []


def cancelled_during_its_step(world: World) -> str:
    """Begin a run, and let it hear that it is to end while its step is carried out."""
    undone.clear()
    run_id = world.begin()

    def end() -> None:
        cancel(world.engine, run_id)
        world.advance(world.take())

    during.append(end)
    world.run()
    return run_id


@pytest.mark.parametrize("body", [fails_beside, fails_far_beside, wins_beside])
def test_a_branch_that_was_told_undoes_everything_whatever_becomes_of_the_one_beside_it(
    body: Workflow[None, None],
) -> None:
    world = World(body)
    run_id = cancelled_during_its_step(world)
    assert undone == ["second", "first"]
    assert world.status(run_id) is RunStatus.CANCELLED


def test_further_branches_begin_although_one_does_not_care_that_the_run_is_to_end() -> None:
    world = World(ignores_its_end)
    run_id = world.begin()
    cancel(world.engine, run_id)
    world.run()
    assert world.head(run_id).result is not None
    assert world.status(run_id) is RunStatus.COMPLETED


def child_of(world: World, run_id: str) -> str:
    return next(each for each in world.store.run_ids if each != run_id)


def test_a_child_run_that_is_started_while_its_parent_is_ended_by_force_ends_too() -> None:
    world = World(calls, listens)
    run_id = world.start().run_id
    first = world.take()
    world.store.before_put.append(lambda _record: force(world, run_id))
    world.advance(first)
    world.run()
    assert world.status(child_of(world, run_id)) is RunStatus.CANCELLED


def test_a_child_run_that_is_started_just_before_its_parent_ends_by_force_ends_too() -> None:
    world = World(calls, listens)
    run_id = world.start().run_id
    first = world.take()
    world.store.before_change.append(lambda: process(world, first))
    force(world, run_id)
    world.run()
    assert world.status(child_of(world, run_id)) is RunStatus.CANCELLED


def test_a_message_that_died_having_started_a_child_run_ends_it_if_the_parent_has_ended() -> None:
    world = World(calls, listens)
    run_id = world.start().run_id
    first = world.take()

    def die(_record: OpRecord) -> None:
        force(world, run_id)
        world.store.before_load.append(interrupt)

    def interrupt() -> None:
        raise KeyboardInterrupt

    world.store.before_put.append(die)
    with pytest.raises(KeyboardInterrupt):
        world.advance(first)
    world.advance(first, receives=2)
    world.run()
    assert world.status(child_of(world, run_id)) is RunStatus.CANCELLED


def process(world: World, message: Message) -> None:
    world.advance(message)


def force(world: World, run_id: str) -> None:
    assert cancel(world.engine, run_id, force=True) is RunStatus.CANCELLED


def test_a_run_that_was_ended_by_force_has_its_children_end_when_it_is_asked_again() -> None:
    world = World(calls, listens)
    run_id = world.begin()
    world.run()
    force(world, run_id)
    world.lose()
    force(world, run_id)
    world.run()
    assert world.status(child_of(world, run_id)) is RunStatus.CANCELLED


def test_an_input_that_is_too_large_for_a_child_run_is_an_error_of_the_operation() -> None:
    world = World(calls_with_much, reads, limits=SMALL)
    run_id = world.begin()
    assert world.records(run_id)["reads#1"].status is OpStatus.FAILED
    assert world.status(run_id) is RunStatus.COMPLETED


def test_an_event_that_its_type_makes_too_large_is_an_error_of_the_operation() -> None:
    world = World(waits_for_much, limits=SMALL)
    run_id = world.begin()
    send_event(world.engine, run_id, "word", {"text": "." * 1500})
    world.run()
    assert world.records(run_id)["word#1"].status is OpStatus.FAILED
    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_long_reason_why_a_callback_cannot_be_completed_is_cut() -> None:
    world = World(is_let_down)
    run_id = world.begin()
    token = make_token(run_id, "callback#1", world.head(run_id).secret)
    reason = "T" * 1000, "M" * 1_000_000
    assert fail_callback(world.engine, token, *reason)
    assert not fail_callback(world.engine, token, *reason)
    world.run()
    result = world.head(run_id).result
    assert result is not None
    assert result.at_hand == "[200,2022]"
