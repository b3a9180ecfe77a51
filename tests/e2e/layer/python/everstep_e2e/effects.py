"""Workflows whose every step has an effect that a real server on loopback counts."""

from __future__ import annotations

import time

from pydantic import BaseModel

from everstep import Context, Retry, step, step_context, workflow
from workflows.outgoing import request_json

SOON = Retry(max_attempts=3, initial_delay=1, factor=1, jitter=False)


class Job(BaseModel):
    """How many steps, and where their effects go."""

    effects: str
    steps: int = 3


@step(retry=SOON)
def effect(effects: str, number: int) -> int:
    """Have one effect."""
    context = step_context()
    url = f"{effects}/effects/{context.run_id}/{context.operation.replace('#', '-')}"
    request_json("POST", url, {"number": number}, key=context.idempotency_key)
    return number


@step(retry=Retry(max_attempts=2, initial_delay=0), timeout=1)
def slow(effects: str) -> str:
    """Take too long, every time."""
    effect.fn(effects, 0)
    time.sleep(30)
    return "never"


@step
def enlarge(size: int) -> str:
    """Return a text of so many characters."""
    return "x" * size


@workflow(name="e2e-steps")
async def steps(ctx: Context, job: Job) -> int:
    """Have one effect per step."""
    total = 0
    for number in range(job.steps):
        total += await ctx.step(effect, job.effects, number)
    return total


@workflow(name="e2e-slow")
async def too_slow(ctx: Context, effects: str) -> str:
    """Time out."""
    return await ctx.step(slow, effects)


@workflow(name="e2e-naps")
async def naps(ctx: Context, job: Job) -> int:
    """Sleep a second before every step."""
    for number in range(job.steps):
        await ctx.sleep(1)
        await ctx.step(effect, job.effects, number)
    return job.steps


@workflow(name="e2e-year")
async def year(ctx: Context, effects: str) -> str:
    """Sleep for longer than the queue can hold a message back."""
    await ctx.step(effect, effects, 1)
    await ctx.sleep(365 * 24 * 3600)
    await ctx.step(effect, effects, 2)
    return "rested"


@workflow(name="e2e-large")
async def large(ctx: Context, size: int) -> int:
    """Pass a large result on."""
    text = await ctx.step(enlarge, size)
    return len(text)
