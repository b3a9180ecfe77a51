"""Workflows of many branches, for processes that keep their passes: see ``test_kept_groups``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep import Context, workflow
from tests.simulation.workflows import DAY, add, refuse

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow


async def twice(ctx: Context, number: int) -> int:
    """Take two steps, one after the other."""
    return await ctx.step(add, await ctx.step(add, number, 1), 10)


async def odd_ones_fail(ctx: Context, number: int) -> int:
    """Take a step, and be refused after that if the number is odd."""
    number = await ctx.step(add, number, 0)
    if number % 2:
        await ctx.step(refuse, number)
    return number


@workflow
async def widens(ctx: Context, number: int) -> int:
    """Wait for four branches of two steps each."""
    batch = await ctx.map(twice, range(4))
    return await ctx.step(add, number, sum(batch.results))


@workflow
async def has_enough(ctx: Context, number: int) -> int:
    """Wait for three of four."""
    batch = await ctx.map(twice, range(4), min_successful=3)
    return await ctx.step(add, number, batch.succeeded)


@workflow
async def bears(ctx: Context, number: int) -> int:
    """Bear as many failures as there are, and see all of it to the end."""
    batch = await ctx.map(odd_ones_fail, range(4), tolerated_failures=2)
    return await ctx.step(add, number, batch.failed)


@workflow
async def has_too_much(ctx: Context, number: int) -> int:
    """Bear one failure, but not a second one."""
    batch = await ctx.map(odd_ones_fail, range(5), tolerated_failures=1)
    return await ctx.step(add, number, batch.failed > 1)


@workflow
async def bears_everything(ctx: Context, number: int) -> int:
    """See everything to its end, however much of it fails."""
    batch = await ctx.map(odd_ones_fail, range(4), tolerated_failure_ratio=1)
    return await ctx.step(add, number, batch.failed)


@workflow
async def in_turns(ctx: Context, number: int) -> int:
    """Run five branches, two at a time."""
    batch = await ctx.map(twice, range(5), max_concurrency=2)
    return await ctx.step(add, number, sum(batch.results))


@workflow
async def branches_out(ctx: Context, number: int) -> int:
    """Wait for groups within a group, beside a step."""

    async def inner(ctx: Context) -> int:
        return sum((await ctx.map(twice, range(2))).results)

    found = await ctx.gather(inner(ctx), ctx.step(add, number, 1), ctx.scope("part", inner))
    return await ctx.step(add, number, sum(found))


@workflow
async def first_of_three(ctx: Context, number: int) -> int:
    """Go on with the first of three branches of two steps."""
    _, value = await ctx.race(twice(ctx, 1), twice(ctx, 1), twice(ctx, 1))
    return await ctx.step(add, number, value)


async def one(ctx: Context, number: int) -> int:
    """Take one step."""
    return await ctx.step(add, number, 1)


async def last_one_sleeps(ctx: Context, number: int) -> int:
    """Take one step, or sleep for long if it is the last one."""
    if number == 2:
        await ctx.sleep(30 * DAY)
    return await ctx.step(add, number, 1)


async def last_one_sleeps_others_fail(ctx: Context, number: int) -> int:
    """Be refused, or sleep for long if it is the last one."""
    if number == 2:
        await ctx.sleep(30 * DAY)
    return await ctx.step(refuse, number)


@workflow
async def pairs(ctx: Context, number: int) -> int:
    """Wait for two steps."""
    return sum(await ctx.gather(ctx.step(add, number, 1), ctx.step(add, number, 2)))


@workflow
async def triples(ctx: Context, number: int) -> int:
    """Wait for three steps."""
    steps = (ctx.step(add, number, each) for each in range(3))
    return sum(await ctx.gather(*steps))


@workflow
async def fours(ctx: Context, number: int) -> int:
    """Wait for four branches of a step each."""
    return number + (await ctx.map(one, range(4))).succeeded


@workflow
async def needs_two(ctx: Context, number: int) -> int:
    """Need two of three, of which one takes long."""
    return number + (await ctx.map(last_one_sleeps, range(3), min_successful=2)).succeeded


@workflow
async def bears_one(ctx: Context, number: int) -> int:
    """Bear one failure of three, where two fail and the third takes long."""
    batch = await ctx.map(last_one_sleeps_others_fail, range(3), tolerated_failures=1)
    return number + batch.failed


@workflow
async def spares(ctx: Context, number: int) -> int:
    """Need two of three, and go on."""
    batch = await ctx.map(one, range(3), min_successful=2)
    return await ctx.step(add, number, batch.succeeded)


@workflow
async def hurries(ctx: Context, number: int) -> int:
    """Take four steps, one after the other."""
    for _ in range(4):
        number = await ctx.step(add, number, 1)
    return number


WIDE: Final[tuple[Workflow[Any, Any], ...]] = (
    widens,
    has_enough,
    bears,
    has_too_much,
    bears_everything,
    in_turns,
    branches_out,
    first_of_three,
)

SMALL: Final[tuple[Workflow[Any, Any], ...]] = (
    pairs,
    triples,
    fours,
    needs_two,
    bears_one,
    spares,
    hurries,
)
