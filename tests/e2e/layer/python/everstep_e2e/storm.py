"""Workflows for the storm: between them they use whatever a run can go through."""

from __future__ import annotations

import os
import time

from pydantic import BaseModel

from everstep import Context, NonRetryable, Retry, StepFailed, step, step_context, workflow
from workflows.outgoing import request_json

HOUR = 3600
SOON = Retry(max_attempts=3, initial_delay=1, factor=1, jitter=False)
LARGE = 20_000


class Job(BaseModel):
    """Where effects go, how many seconds each step works after its effect, and a number."""

    effects: str
    work: float
    number: int


def carry_out(job: Job) -> None:
    """Have the effect of the attempt that is being made, then go on working for a while."""
    context = step_context()
    effect = {
        "run": context.run_id,
        "operation": context.operation,
        "attempt": context.attempt,
        "pid": os.getpid(),
    }
    request_json("POST", f"{job.effects}/effects/storm", effect, key=context.idempotency_key)
    time.sleep(job.work)


@step
def add(job: Job, number: int, more: int) -> int:
    """Return the sum."""
    carry_out(job)
    return number + more


@step(retry=SOON)
def flaky(job: Job) -> int:
    """Fail twice, then succeed."""
    carry_out(job)
    if step_context().attempt < SOON.max_attempts:
        raise ConnectionError("not yet")
    return job.number


@step
def refuse(job: Job) -> int:
    """Fail for good."""
    carry_out(job)
    raise NonRetryable(f"{job.number} is refused")


@step
def enlarge(job: Job) -> str:
    """Return a text that the table has no room for."""
    carry_out(job)
    return "x" * (LARGE + job.number)


@step
def measure(job: Job, text: str) -> int:
    """Return the length of a text."""
    carry_out(job)
    return len(text)


@workflow(name="storm-chain")
async def chain(ctx: Context, job: Job) -> int:
    """One step after the other."""
    number = job.number
    for more in (1000, 2000, 3000, 4000):
        number = await ctx.step(add, job, number, more)
    return number


@workflow(name="storm-retry")
async def retry(ctx: Context, job: Job) -> int:
    """A step that succeeds at its third attempt."""
    number = await ctx.step(flaky, job)
    return await ctx.step(add, job, number, 1000)


@workflow(name="storm-nap")
async def nap(ctx: Context, job: Job) -> int:
    """Sleeps that delayed messages end."""
    number = await ctx.step(add, job, job.number, 1000)
    await ctx.sleep(3)
    number = await ctx.step(add, job, number, 2000)
    await ctx.sleep(1)
    return await ctx.step(add, job, number, 3000)


@workflow(name="storm-rest")
async def rest(ctx: Context, job: Job) -> int:
    """A sleep that only the sweeper ends."""
    number = await ctx.step(add, job, job.number, 1000)
    await ctx.sleep(HOUR)
    return await ctx.step(add, job, number, 2000)


@workflow(name="storm-recovers")
async def recovers(ctx: Context, job: Job) -> int:
    """A step that fails, and something else instead."""
    try:
        return await ctx.step(refuse, job)
    except StepFailed:
        return await ctx.step(add, job, job.number, 1000)


@workflow(name="storm-fails")
async def fails(ctx: Context, job: Job) -> int:
    """A step that fails, and the run with it."""
    number = await ctx.step(add, job, job.number, 1000)
    await ctx.step(refuse, job)
    return number


@workflow(name="storm-large")
async def large(ctx: Context, job: Job) -> str:
    """Results, an argument and an output that only the bucket has room for."""
    text = await ctx.step(enlarge, job)
    size = await ctx.step(measure, job, text)
    return f"{size} {text}"
