"""Small workflows with branches, events, compensations and waits: see ``scenarios``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep import Context, EventTimeout, StepFailed, step, workflow
from tests.simulation.workflows import DAY, HOUR, add, refuse, subtract

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow


@workflow
async def side_by_side(ctx: Context, number: int) -> int:
    """Join two steps and a sleep; the step after the join runs once, whoever ended last."""
    left, right, _ = await ctx.gather(
        ctx.step(add, number, 1), ctx.step(add, number, 2), ctx.sleep(60)
    )
    return await ctx.step(add, left, right)


@workflow
async def nested(ctx: Context, number: int) -> int:
    """Join what was joined before."""

    async def inner(ctx: Context) -> int:
        return sum(await ctx.gather(ctx.step(add, number, 1), ctx.step(add, number, 2)))

    left, right = await ctx.gather(inner(ctx), ctx.scope("part", inner))
    return left + right


@workflow
async def races(ctx: Context, number: int) -> int:
    """Go on with what comes first, whatever becomes of the other."""
    first, value = await ctx.race(ctx.step(add, number, 1), ctx.sleep(30 * DAY))
    return await ctx.step(add, first, value or 0)


@workflow
async def lanes(ctx: Context, number: int) -> int:
    """Begin an item when the one before it in its lane has ended."""
    batch = await ctx.map(double, range(3), max_concurrency=2)
    named = await ctx.parallel({"failing": refused, "adding": added}, tolerated_failures=1)
    return number + sum(batch.results) + named.failed


@step
def double(number: int) -> int:
    return 2 * number


async def refused(ctx: Context) -> int:
    return await ctx.step(refuse, 1)


async def added(ctx: Context) -> int:
    return await ctx.step(add, 1, 1)


@workflow
async def undoes(ctx: Context, number: int) -> int:
    """Undo what was done, when what follows fails."""
    try:
        async with ctx.saga() as saga:
            saga.compensate(subtract, await ctx.step(add, number, 1), 1)
            await ctx.step(refuse, number)
    except StepFailed:
        return 0
    return 1


@workflow
async def looks_again(ctx: Context, number: int) -> int:
    """Look until what is seen is what is waited for."""
    seen: int = await ctx.wait_for_condition(
        add, 1, until=lambda value: value == 3, every=60, initial=1
    )
    return number + seen


@workflow
async def waits(ctx: Context, number: int) -> int:
    """Wait for two events, the second of which came first."""
    first = await ctx.wait_for_event("first", int)
    second = await ctx.wait_for_event("second", int)
    return await ctx.step(add, first + number, second)


@workflow
async def waits_in_vain(ctx: Context, number: int) -> int:
    """Give up after a short and a long time."""
    missed = 0
    for timeout in (60, 2 * HOUR):
        try:
            await ctx.wait_for_event("nothing", timeout=timeout)
        except EventTimeout:
            missed += 1
    return await ctx.step(add, number, missed)


@workflow
async def shares(ctx: Context, number: int) -> int:
    """Let two branches wait for events of one name: each gets one of them."""

    async def branch(ctx: Context) -> int:
        return await ctx.wait_for_event("share", int)

    return number + sum(await ctx.gather(branch(ctx), branch(ctx)))


TOGETHER: Final[tuple[Workflow[Any, Any], ...]] = (
    side_by_side,
    nested,
    races,
    lanes,
    undoes,
    looks_again,
    waits,
    waits_in_vain,
    shares,
)
