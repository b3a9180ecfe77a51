"""Small workflows with child runs, callbacks, and an end before their own: see ``scenarios``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep import (
    CallbackFailed,
    CallbackTimeout,
    ChildRunFailed,
    Context,
    EventNotSent,
    OperationTimeout,
    workflow,
)
from tests.simulation.workflows import DAY, HOUR, add, refuse, subtract

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow


@workflow
async def helps(ctx: Context, number: int) -> int:
    """Do something for a parent."""
    return await ctx.step(add, number, 1)


@workflow
async def lets_down(ctx: Context, number: int) -> int:
    """Fail a parent."""
    return await ctx.step(refuse, number)


@workflow
async def hands_on(ctx: Context, number: int) -> int:
    """Have a child of its own do what a parent wants."""
    return await ctx.call(helps, number)


@workflow
async def delegates(ctx: Context, number: int) -> int:
    """Start children, wait for them in another order, and get over one that fails."""
    first = await ctx.start(helps, number)
    second = await ctx.call(hands_on, number)
    try:
        await ctx.call(lets_down, number)
    except ChildRunFailed as failed:
        return await first.result() + second + len(failed.status)
    return 0


@workflow
async def listens(ctx: Context, number: int) -> int:
    """Wait for a word."""
    return number + await ctx.wait_for_event("word", int)


@workflow
async def talks(ctx: Context, number: int) -> int:
    """Tell a child something, call another one off, and talk to nobody."""
    child = await ctx.start(listens, number)
    await child.send_event("word", 5)
    told = await child.result()
    idle = await ctx.start(listens, number)
    await idle.cancel()
    try:
        return await idle.result()
    except ChildRunFailed:
        pass
    try:
        await ctx.send_event("01ARZ3NDEKTSV4RRFFQ69G5FAV", "word", 1)
    except EventNotSent:
        return told
    return 0


@workflow
async def is_answered(ctx: Context, number: int) -> int:
    """Wait for somebody who shows signs of life, and then for one who cannot do it."""
    callback = ctx.callback(int, timeout=DAY, heartbeat=HOUR)
    failing = ctx.callback(int, name="failing")
    await ctx.step(add, number, 1)
    answer = await callback
    try:
        return await failing
    except CallbackFailed:
        return answer


@workflow
async def is_not_answered(ctx: Context, number: int) -> int:
    """Give up on somebody after a short and a long time."""
    missed = 0
    for callback in (lambda: ctx.callback(int, timeout=60), lambda: ctx.callback(heartbeat=7200)):
        try:
            await callback()
        except CallbackTimeout:
            missed += 1
    return await ctx.step(add, number, missed)


@workflow
async def is_limited(ctx: Context, number: int) -> int:
    """Wait for something, but not for ever."""
    try:
        await ctx.wait_for(ctx.wait_for_event("nothing"), 60)
    except OperationTimeout:
        return number
    return 0


@workflow
async def sleeps_too_long(ctx: Context, number: int) -> int:
    """Undo what was done when it is called off."""
    async with ctx.saga() as saga:
        saga.compensate(subtract, await ctx.step(add, number, 1), 1)
        await ctx.sleep(30 * DAY)
    return 1


@workflow
async def waits_for_many(ctx: Context, number: int) -> int:
    """Have every branch undo what it did, and every child end, when it is called off."""

    async def branch(ctx: Context) -> int:
        async with ctx.saga() as saga:
            saga.compensate(subtract, await ctx.step(add, number, 1), 1)
            return await ctx.wait_for_event("word", int)

    await ctx.start(listens, number)
    return sum(
        await ctx.gather(branch(ctx), ctx.call(listens, number), ctx.callback(int), short(ctx))
    )


@workflow(timeout=1200)
async def runs_short_of_time(ctx: Context, number: int) -> int:
    """Undo what was done when time is up, of which a message of its own tells."""
    async with ctx.saga() as saga:
        saga.compensate(subtract, await ctx.step(add, number, 1), 1)
        await ctx.wait_for_event("word")
    return 1


@workflow(timeout=20 * HOUR)
async def runs_out_of_time(ctx: Context, number: int) -> int:
    """Have a child end when time is up, of which the sweeper tells."""
    async with ctx.saga() as saga:
        saga.compensate(subtract, await ctx.step(add, number, 1), 1)
        await ctx.call(listens, number)
    return 1


async def short(ctx: Context) -> int:
    await ctx.sleep(600)
    return 1


OF_RUNS: Final[tuple[Workflow[Any, Any], ...]] = (
    helps,
    lets_down,
    hands_on,
    delegates,
    listens,
    talks,
    is_answered,
    is_not_answered,
    is_limited,
    sleeps_too_long,
    waits_for_many,
    runs_short_of_time,
    runs_out_of_time,
)
