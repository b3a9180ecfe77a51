"""Workflows and steps for tests of the use cases."""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel

from everstep import Context, NonRetryable, Retry, step, step_context, workflow

seen_deadlines: Final[list[datetime | None]] = []
seen_keys: Final[list[str]] = []


class Order(BaseModel):
    """An input."""

    id: str
    total: int = 0


@step(retry=Retry(jitter=False))
def double(value: int) -> int:
    """Return the double."""
    return 2 * value


@step(retry=Retry(max_attempts=2, jitter=False))
def fail(message: str) -> int:
    """Fail."""
    raise ValueError(message)


@step(retry=Retry(max_attempts=2, initial_delay=86_400, max_delay=86_400, jitter=False))
def fail_for_long(message: str) -> int:
    """Fail, and wait a day."""
    raise ValueError(message)


@step
def give_up() -> None:
    """Fail for good."""
    raise NonRetryable("enough")


@step
def large(size: int) -> str:
    """Return a text of so many characters."""
    return "x" * size


@step
def unfit() -> int:
    """Return what does not fit the annotation."""
    unfit: Any = "text"
    return unfit  # type: ignore[no-any-return]


@step
def observe() -> int:
    """Note what a step may know."""
    context = step_context()
    seen_deadlines.append(context.deadline)
    seen_keys.append(context.idempotency_key)
    return context.attempt


@step
def extend(items: list[int]) -> int:
    """Change the argument."""
    items.append(1)
    return len(items)


@workflow(name="wf")
async def one_step(ctx: Context, value: int) -> int:
    """Run one step."""
    return await ctx.step(double, value)


@workflow(name="wf")
async def two_steps(ctx: Context, value: int) -> int:
    """Run two steps."""
    return await ctx.step(double, await ctx.step(double, value))


@workflow(name="wf")
async def failing(ctx: Context) -> int:
    """Run a step that fails twice."""
    return await ctx.step(fail, "no")


@workflow(name="wf")
async def failing_slowly(ctx: Context) -> int:
    """Run a step that fails twice, with a day in between."""
    return await ctx.step(fail_for_long, "no")


@workflow(name="wf")
async def giving_up(ctx: Context) -> None:
    """Run a step that fails for good."""
    await ctx.step(give_up)


@workflow(name="wf")
async def sizeable(ctx: Context, size: int) -> str:
    """Run a step with a large result, and return that."""
    return await ctx.step(large, size)


@workflow(name="wf")
async def talkative(_ctx: Context, size: int) -> str:
    """Return a large output without any step."""
    return "x" * size


@workflow(name="wf")
async def misfit(ctx: Context) -> int:
    """Run a step whose result does not fit."""
    return await ctx.step(unfit)


@workflow(name="wf")
async def observing(ctx: Context) -> int:
    """Run a step that looks around."""
    return await ctx.step(observe)


@workflow(name="wf")
async def extending(ctx: Context) -> int:
    """Hand the same list to two steps that change it."""
    items: list[int] = []
    await ctx.step(extend, items)
    await ctx.step(extend, items)
    return len(items)


@workflow(name="wf")
async def napping(ctx: Context) -> None:
    """Sleep for a minute."""
    await ctx.sleep(60)


@workflow(name="wf")
async def hibernating(ctx: Context) -> int:
    """Sleep for a day, then run a step."""
    await ctx.sleep(86_400)
    return await ctx.step(double, 1)


@workflow(name="wf")
async def inserted(ctx: Context, value: int) -> int:
    """Run another operation before the step."""
    await ctx.sleep(1)
    return await ctx.step(double, value)


@workflow(name="wf")
async def empty(_ctx: Context, order: Order) -> str:
    """Return at once."""
    return order.id


@workflow(name="wf")
async def anything(_ctx: Context, value: Any) -> Any:  # noqa: ANN401 - that is the point
    """Return the input."""
    return value


@workflow(name="wf", version="2")
async def second_version(ctx: Context, value: int) -> int:
    """Run one step, in another version."""
    return await ctx.step(double, value + 1)
