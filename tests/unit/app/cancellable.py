"""Workflows that wait in every way there is, and undo what they did, for tests of cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep import Context, NonRetryable, Retry, RunCancelled, step, step_context, workflow

if TYPE_CHECKING:
    from everstep import Workflow

HOUR: Final = 3600
during: dict[str, Any] = {}


@step
def note(text: str) -> str:
    if "call" in during:
        during.pop("call")()
    return text


@step
def undo(text: str) -> str:
    return text


@step
def cannot(text: str) -> str:
    raise NonRetryable(text)


@step(retry=Retry(max_attempts=5, initial_delay=300, factor=1, jitter=False))
def shaky() -> int:
    if step_context().attempt < 3:
        raise ConnectionError("not yet")
    return 1


@workflow
async def leaf(ctx: Context) -> int:
    async with ctx.saga() as saga:
        saga.compensate(undo, "leaf")
        return await ctx.wait_for_event("go", int)
    return 0


@workflow
async def middle(ctx: Context) -> int:
    async with ctx.saga() as saga:
        saga.compensate(undo, "middle")
        return await ctx.call(leaf)
    return 0


async def naps(ctx: Context) -> None:
    await ctx.sleep(60)


async def hibernates(ctx: Context) -> None:
    await ctx.sleep(24 * HOUR)


async def waits(ctx: Context) -> None:
    await ctx.wait_for_event("never")


async def waits_a_while(ctx: Context) -> None:
    await ctx.wait_for_event("never", timeout=600)


async def asks(ctx: Context) -> None:
    await ctx.callback(timeout=24 * HOUR)


async def calls(ctx: Context) -> None:
    await ctx.call(middle)


async def retries(ctx: Context) -> None:
    await ctx.step(shaky)


async def polls(ctx: Context) -> None:
    await ctx.wait_for_condition(note, "x", until=lambda text: text == "y", every=300)


async def gathers(ctx: Context) -> None:
    await ctx.gather(naps(ctx), waits(ctx), ctx.step(note, "z"))


KINDS: Final = (naps, hibernates, waits, waits_a_while, asks, calls, retries, polls, gathers)


@workflow
async def anything(ctx: Context, kind: int) -> str:
    async with ctx.saga() as saga:
        saga.compensate(undo, await ctx.step(note, "first"))
        await KINDS[kind](ctx)
    return "done"


@workflow
async def two_steps(ctx: Context) -> list[str]:
    try:
        return [await ctx.step(note, "one"), await ctx.step(note, "two")]
    except RunCancelled:
        await ctx.step(undo, "one")
        raise


@workflow
async def stubborn(ctx: Context) -> str:
    told = "nothing"
    try:
        await ctx.sleep(HOUR)
    except RunCancelled as error:
        told = str(error)
    await ctx.sleep(HOUR)
    await ctx.wait_for_event("go")
    return told


@workflow
async def gives_in(ctx: Context) -> str:
    try:
        await ctx.sleep(HOUR)
    except RunCancelled:
        raise ValueError("instead") from None
    return ""


@workflow
async def clumsy(ctx: Context) -> None:
    async with ctx.saga() as saga:
        saga.compensate(undo, "one")
        saga.compensate(cannot, "undo two")
        await ctx.sleep(HOUR)


@workflow
async def branches(ctx: Context) -> int:
    async def branch(ctx: Context, number: int) -> int:
        async with ctx.saga() as saga:
            saga.compensate(undo, str(number))
            await ctx.sleep(60 * number)
            await ctx.wait_for_event("never")
        return number

    batch = await ctx.map(branch, range(1, 5), max_concurrency=3, tolerated_failures=4)
    return batch.failed


@workflow
async def races(ctx: Context) -> tuple[int, Any]:
    async def branch(ctx: Context) -> None:
        async with ctx.saga() as saga:
            saga.compensate(undo, "branch")
            await ctx.sleep(HOUR)

    return await ctx.race(branch(ctx), ctx.call(middle), ctx.wait_for_event("never"))


@workflow
async def family(ctx: Context) -> int:
    await ctx.start(leaf)
    return await ctx.call(middle)


ALL: Final[tuple[Workflow[Any, Any], ...]] = (
    *(leaf, middle, anything, two_steps, stubborn, gives_in, clumsy, branches, races, family),
)
