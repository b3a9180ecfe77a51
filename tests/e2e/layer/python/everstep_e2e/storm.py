"""Workflows for the storm: between them they use whatever a run can go through."""

from __future__ import annotations

import os
import time
from uuid import uuid4

from pydantic import BaseModel

from everstep import (
    Context,
    NonRetryable,
    Retry,
    StepFailed,
    StepInterrupted,
    step,
    step_context,
    workflow,
)
from workflows.outgoing import request_json

HOUR = 3600
# More than are needed: two deaths of one attempt use it up.
SOON = Retry(max_attempts=6, initial_delay=1, factor=1, jitter=False)
GOOD_AT = 3
LARGE = 20_000
SLOW_OF_256 = 96
SLOW_SECONDS = 0.5
# Longer than the queue waits for an answer: the message is delivered again meanwhile.
LATE_OF_256 = 24
LATE_SECONDS = 4.0


class Job(BaseModel):
    """Where effects go, how many seconds most steps work after it, and a number."""

    effects: str
    work: float
    number: int


class Sum(BaseModel):
    """A number, and which execution of a step it comes from.

    No two executions give the same, though they add the same numbers: that a result was replaced
    shows wherever somebody saw the other one.
    """

    number: int
    execution: str = ""


def carry_out(job: Job, given: str = "") -> str:
    """Have the effect of the attempt that is being made, then go on working for a while.

    Args:
        job: Where to have it.
        given: The execution whose result this step was given.
    """
    context, execution = step_context(), uuid4().hex
    effect = {
        "run": context.run_id,
        "operation": context.operation,
        "attempt": context.attempt,
        "execution": execution,
        "given": given,
        "pid": os.getpid(),
    }
    request_json("POST", f"{job.effects}/effects/storm", effect, key=context.idempotency_key)
    time.sleep(_seconds(job, execution))
    return execution


def _seconds(job: Job, execution: str) -> float:
    """Return how long an execution works: by lot, some fall behind those of their duplicates."""
    lot = int(execution[:2], 16)
    if lot < LATE_OF_256:
        return LATE_SECONDS
    return SLOW_SECONDS if lot < SLOW_OF_256 else job.work


@step
def add(job: Job, to: Sum, more: int) -> Sum:
    """Return the sum."""
    return Sum(number=to.number + more, execution=carry_out(job, to.execution))


@step(retry=SOON)
def flaky(job: Job) -> Sum:
    """Fail twice, then succeed."""
    execution = carry_out(job)
    if step_context().attempt < GOOD_AT:
        raise ConnectionError("not yet")
    return Sum(number=job.number, execution=execution)


@step(at_most_once=True)
def once(job: Job, to: Sum) -> Sum:
    """Return the sum, if nobody interrupts that."""
    return Sum(number=to.number + 2000, execution=carry_out(job, to.execution))


@step
def refuse(job: Job) -> Sum:
    """Fail for good."""
    carry_out(job)
    raise NonRetryable(f"{job.number} is refused")


@step
def enlarge(job: Job) -> str:
    """Return a text that the table has no room for."""
    carry_out(job)
    return "x" * (LARGE + job.number)


@step
def measure(job: Job, text: str) -> Sum:
    """Return the length of a text."""
    return Sum(number=len(text), execution=carry_out(job))


@workflow(name="storm-chain")
async def chain(ctx: Context, job: Job) -> Sum:
    """One step after the other."""
    total = Sum(number=job.number)
    for more in (1000, 2000, 3000, 4000):
        total = await ctx.step(add, job, total, more)
    return total


@workflow(name="storm-retry")
async def retry(ctx: Context, job: Job) -> Sum:
    """A step that succeeds at its third attempt."""
    total = await ctx.step(flaky, job)
    return await ctx.step(add, job, total, 1000)


@workflow(name="storm-nap")
async def nap(ctx: Context, job: Job) -> Sum:
    """Sleeps that delayed messages end."""
    total = await ctx.step(add, job, Sum(number=job.number), 1000)
    await ctx.sleep(3)
    total = await ctx.step(add, job, total, 2000)
    await ctx.sleep(1)
    return await ctx.step(add, job, total, 3000)


@workflow(name="storm-rest")
async def rest(ctx: Context, job: Job) -> Sum:
    """A sleep that only the sweeper ends."""
    total = await ctx.step(add, job, Sum(number=job.number), 1000)
    await ctx.sleep(HOUR)
    return await ctx.step(add, job, total, 2000)


@workflow(name="storm-recovers")
async def recovers(ctx: Context, job: Job) -> Sum:
    """A step that fails, and something else instead."""
    try:
        return await ctx.step(refuse, job)
    except StepFailed:
        return await ctx.step(add, job, Sum(number=job.number), 1000)


@workflow(name="storm-once")
async def unknown(ctx: Context, job: Job) -> Sum:
    """A step that runs at most once, and the same sum without it."""
    total = await ctx.step(add, job, Sum(number=job.number), 1000)
    try:
        total = await ctx.step(once, job, total)
    except StepInterrupted:
        total = Sum(number=total.number + 2000)
    return await ctx.step(add, job, total, 3000)


@workflow(name="storm-fails")
async def fails(ctx: Context, job: Job) -> int:
    """A step that fails, and the run with it."""
    total = await ctx.step(add, job, Sum(number=job.number), 1000)
    await ctx.step(refuse, job)
    return total.number


@workflow(name="storm-large")
async def large(ctx: Context, job: Job) -> str:
    """Results, an argument and an output that only the bucket has room for."""
    text = await ctx.step(enlarge, job)
    size = await ctx.step(measure, job, text)
    return f"{size.number} {text}"
