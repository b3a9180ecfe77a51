"""Small workflows that go on as new runs, or as new code: see ``scenarios``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep import Context, RunCancelled, workflow
from tests.simulation.workflows import DAY, add

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow

LAST: Final = 3


@workflow
async def goes_on(ctx: Context, number: int) -> int:
    """Hand over twice, together with what was sent until then, and take that in the end."""
    total = await ctx.step(add, number, 1)
    if number < LAST:
        # One event comes before it ends, and one just when it does.
        await ctx.sleep(31)
        await ctx.continue_as_new(number + 1)
    return total + await ctx.wait_for_event("word", int) + await ctx.wait_for_event("word", int)


@workflow
async def passes_on(ctx: Context, number: int) -> int:
    """Hand over from within a branch, whatever the others are doing."""

    async def branch(ctx: Context) -> int:
        return await ctx.continue_as_new(await ctx.step(add, number, 1))

    if number < LAST:
        await ctx.gather(ctx.sleep(600), ctx.wait_for_event("word"), branch(ctx))
    return number


@workflow
async def waits_for_the_last(ctx: Context, number: int) -> int:
    """Wait for a child whose work another run ends."""
    return await ctx.call(passes_on, number)


@workflow
async def insists(ctx: Context, number: int) -> int:
    """Want to go on although the run is to end."""
    try:
        await ctx.sleep(30 * DAY)
    except RunCancelled:
        await ctx.continue_as_new(number)
    return number


@workflow
async def is_patched(ctx: Context, number: int) -> int:
    """Come by changes of the code, in branches and outside of them."""

    async def branch(ctx: Context, more: int) -> int:
        total = await ctx.step(add, number, more) if ctx.patched("more") else 0
        return total + 1 if ctx.patched("one more") else total

    found = (await ctx.map(branch, [1, 2], name="branch")).results
    return sum(found) if ctx.patched("sum") else 0


CONTINUED: Final[tuple[Workflow[Any, Any], ...]] = (
    goes_on,
    passes_on,
    waits_for_the_last,
    insists,
    is_patched,
)
