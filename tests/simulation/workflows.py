"""Small workflows that do one thing after the other: see ``scenarios``."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from everstep import Context, NonRetryable, Retry, StepFailed, step, workflow
from everstep.authoring.step_context import step_context

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow

HOUR: Final = 3600
DAY: Final = 24 * HOUR
_SHORT: Final = Retry(max_attempts=3, initial_delay=2, jitter=False)
_LONG: Final = Retry(max_attempts=3, initial_delay=2 * HOUR, max_delay=DAY, jitter=False)


@step
def add(number: int, more: int) -> int:
    return number + more


@step
def subtract(number: int, less: int) -> int:
    return number - less


@step(retry=_SHORT)
def flaky(number: int) -> int:
    """Fail twice, then succeed."""
    if step_context().attempt < 3:
        raise ConnectionError("not yet")
    return number


@step(retry=_LONG)
def patient(number: int) -> int:
    """Fail once, and be tried again hours later."""
    if step_context().attempt < 2:
        raise ConnectionError("come back later")
    return number


@step
def refuse(number: int) -> int:
    raise NonRetryable(f"{number} is refused")


@step(retry=Retry(max_attempts=2, initial_delay=1, jitter=False))
def hopeless(number: int) -> int:
    raise ConnectionError(f"{number} is never there")


@step
def bulky(number: int) -> str:
    return "x" * (1000 + number)


@step
def measure(text: str) -> int:
    return len(text)


@workflow
async def three_steps(ctx: Context, number: int) -> int:
    number = await ctx.step(add, number, 1)
    number = await ctx.step(add, number, 10)
    return await ctx.step(add, number, 100)


@workflow(steps_per_message=3)
async def in_one_go(ctx: Context, number: int) -> int:
    number = await ctx.step(add, number, 1)
    number = await ctx.step(add, number, 10)
    number = await ctx.step(add, number, 100)
    return await ctx.step(add, number, 1000)


@workflow
async def retries(ctx: Context, number: int) -> int:
    number = await ctx.step(flaky, number)
    return await ctx.step(add, number, 1)


@workflow
async def short_sleep(ctx: Context, number: int) -> int:
    number = await ctx.step(add, number, 1)
    await ctx.sleep(90)
    return await ctx.step(add, number, 10)


@workflow
async def long_sleep(ctx: Context, number: int) -> int:
    number = await ctx.step(add, number, 1)
    await ctx.sleep(3 * DAY)
    return await ctx.step(add, number, 10)


@workflow
async def sleeps_first(ctx: Context, number: int) -> int:
    await ctx.sleep(600)
    await ctx.sleep(HOUR)
    return await ctx.step(add, number, 1)


@workflow
async def sleeps_until(ctx: Context, number: int) -> int:
    await ctx.sleep_until(ctx.now() + timedelta(seconds=60))
    return await ctx.step(add, number, 1)


@workflow
async def naps(ctx: Context, number: int) -> int:
    await ctx.sleep(90)
    number = await ctx.step(add, number, 1)
    number = await ctx.step(add, number, 10)
    return await ctx.step(add, number, 100)


@workflow
async def long_retry(ctx: Context, number: int) -> int:
    number = await ctx.step(patient, number)
    return await ctx.step(add, number, 1)


@workflow
async def large_payload(ctx: Context, number: int) -> str:
    text = await ctx.step(bulky, number)
    await ctx.step(measure, text)
    return text + text


@workflow
async def fails(ctx: Context, number: int) -> int:
    number = await ctx.step(add, number, 1)
    return await ctx.step(refuse, number)


@workflow
async def gives_up(ctx: Context, number: int) -> int:
    return await ctx.step(hopeless, number)


@workflow
async def relents(ctx: Context, number: int) -> int:
    """Fail, unless the run is a retry."""
    number = await ctx.step(add, number, 1)
    number = await ctx.step(stubborn, number)
    return await ctx.step(add, number, 10)


@step
def stubborn(number: int) -> int:
    """Do nothing but for a run whose steps have the keys of another one."""
    context = step_context()
    if context.idempotency_key.startswith(context.run_id):
        raise NonRetryable(f"{number} is refused")
    return number


@workflow
async def recovers(ctx: Context, number: int) -> int:
    try:
        return await ctx.step(refuse, number)
    except StepFailed:
        return await ctx.step(add, number, 1)


@workflow
async def without_operations(_ctx: Context, number: int) -> int:
    return number + 1


@workflow(name="three_steps")
async def rewritten(ctx: Context, number: int) -> int:
    """Ask for another first step than ``three_steps`` does."""
    number = await ctx.step(subtract, number, 1)
    number = await ctx.step(add, number, 10)
    return await ctx.step(add, number, 100)


ONE_BY_ONE: Final[tuple[Workflow[Any, Any], ...]] = (
    three_steps,
    in_one_go,
    retries,
    short_sleep,
    long_sleep,
    sleeps_first,
    sleeps_until,
    naps,
    long_retry,
    large_payload,
    fails,
    gives_up,
    relents,
    recovers,
    without_operations,
)
