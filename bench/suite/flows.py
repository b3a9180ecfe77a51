"""The workloads as workflows of Everstep: the same in memory, on moto and on LocalStack.

On LocalStack this module lies in the workflows layer, by itself: it imports nothing of `bench`.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from everstep import Context, step, workflow

if TYPE_CHECKING:
    from everstep import Workflow


class Given(BaseModel):
    """What a run is to do; the attributes are those of `bench.peers.protocol.Item`."""

    marks: str
    run: int
    steps: int = 1
    seconds: float = 0
    millis: int = 0


@step
def work(marks: str, run: int, number: int, millis: int) -> int:
    """Leave a mark, and return a number."""
    os.write(_opened(marks), f"{run} {number} {time.monotonic_ns()}\n".encode())
    if millis:
        time.sleep(millis / 1_000)
    return number


@cache
def _opened(path: str) -> int:
    return os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)


@workflow(name="bench-sequence")
async def sequence(ctx: Context, given: Given) -> int:
    """Run steps one after another."""
    total = 0
    for number in range(given.steps):
        total += await ctx.step(work, given.marks, given.run, number, given.millis)
    return total


@workflow(name="bench-naps")
async def naps(ctx: Context, given: Given) -> int:
    """Sleep between steps."""
    await ctx.step(work, given.marks, given.run, 0, 0)
    for number in range(given.steps):
        await ctx.sleep(timedelta(seconds=given.seconds))
        await ctx.step(work, given.marks, given.run, number + 1, 0)
    return given.steps


@step
def work_on(item: Given) -> int:
    """Do the work of one item, whose number is in place of its steps."""
    os.write(_opened(item.marks), f"{item.run} {item.steps} {time.monotonic_ns()}\n".encode())
    return item.steps


@workflow(name="bench-fan")
async def fan(ctx: Context, given: Given) -> int:
    """Run a step for each item, side by side."""
    items = [given.model_copy(update={"steps": number}) for number in range(given.steps)]
    batch = await ctx.map(work_on, items)
    return batch.succeeded


WORKFLOWS: Final[dict[str, Workflow[Any, Any]]] = {
    "sequence": sequence,
    "crash": sequence,
    "naps": naps,
    "fan": fan,
}
