"""Code that changes after the last recorded operation just works, whatever is in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from everstep import Context, step, workflow
from everstep.testing import TestEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from everstep import Workflow


@step
def first() -> int:
    return 1


@step
def second() -> int:
    return 2


@step
def third() -> int:
    return 3


def versioned(fn: Callable[[Context], Coroutine[Any, Any, Any]]) -> Workflow[None, Any]:
    return workflow(name="changing")(fn)


async def naps_then_second(ctx: Context) -> int:
    await ctx.step(first)
    await ctx.sleep(10)
    return await ctx.step(second)


async def other_nap(ctx: Context) -> int:
    await ctx.step(first)
    await ctx.sleep(20, name="rest")
    return await ctx.step(second)


async def no_nap(ctx: Context) -> int:
    await ctx.step(first)
    return await ctx.step(third)


async def longer_nap(ctx: Context) -> int:
    await ctx.step(first)
    await ctx.sleep(30)
    return await ctx.step(second)


async def very_long_nap(ctx: Context) -> int:
    await ctx.step(first)
    await ctx.sleep(5000)
    return await ctx.step(second)


async def at_once(ctx: Context) -> int:
    return await ctx.step(first)


async def gives_up(ctx: Context) -> int:
    await ctx.step(first)
    raise ValueError("no more")


@pytest.mark.parametrize(
    ("after", "seconds", "status", "result"),
    [
        (other_nap, 25, "COMPLETED", 2),
        (no_nap, 11, "COMPLETED", 3),
        (longer_nap, 31, "COMPLETED", 2),
        (very_long_nap, 5001, "COMPLETED", 2),
        (at_once, 11, "COMPLETED", 1),
        (gives_up, 11, "FAILED", None),
    ],
)
def test_what_the_new_code_asks_takes_the_place_of_what_was_sent_for(
    after: Callable[[Context], Coroutine[Any, Any, int]],
    seconds: int,
    status: str,
    result: int | None,
) -> None:
    engine = TestEngine([versioned(naps_then_second)])
    run = engine.start(versioned(naps_then_second))
    engine.run_until_idle()
    assert run.status == "SLEEPING"
    engine.deploy([versioned(after)])
    engine.advance(seconds)
    assert (run.status, run.result) == (status, result)
    assert run.executions("first") == 1
