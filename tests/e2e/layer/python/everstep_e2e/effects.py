"""Workflows whose every step has an effect that a real server on loopback counts."""

from __future__ import annotations

import time
from pathlib import Path

from pydantic import BaseModel

from everstep import Context, Retry, step, step_context, workflow
from everstep_e2e.kill_switch import Point, arm, die
from workflows.outgoing import request_json

_SOON = Retry(max_attempts=3, initial_delay=1, factor=1, jitter=False)


class Job(BaseModel):
    """How many steps, and where their effects go."""

    effects: str
    steps: int = 3


class Doomed(BaseModel):
    """Where to die, and the file that says that it has happened."""

    effects: str
    point: Point
    once: str


class Poison(BaseModel):
    """A step that kills its process for as long as a file is there."""

    effects: str
    lethal: str


@step(retry=_SOON)
def effect(effects: str, number: int) -> int:
    """Have one effect."""
    context = step_context()
    url = f"{effects}/effects/{context.run_id}/{context.operation.replace('#', '-')}"
    request_json("POST", url, {"number": number}, key=context.idempotency_key)
    return number


@step(retry=_SOON)
def doomed_effect(doomed: Doomed) -> str:
    """Have one effect, then die where asked."""
    effect.fn(doomed.effects, 0)
    arm(doomed.point, doomed.once)
    return doomed.point


@step(retry=_SOON)
def lethal_effect(poison: Poison) -> str:
    """Have one effect, and kill the process while the file is there."""
    effect.fn(poison.effects, 0)
    if Path(poison.lethal).exists():
        die()
    return "survived"


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


@workflow(name="e2e-doomed")
async def doomed(ctx: Context, asked: Doomed) -> str:
    """Two plain steps around one in which the process dies."""
    await ctx.step(effect, asked.effects, 1)
    survived = await ctx.step(doomed_effect, asked)
    await ctx.step(effect, asked.effects, 2)
    return survived


@workflow(name="e2e-poison")
async def poison(ctx: Context, asked: Poison) -> str:
    """One step that kills its process until somebody mends it."""
    result = await ctx.step(lethal_effect, asked)
    await ctx.step(effect, asked.effects, 1)
    return result


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
