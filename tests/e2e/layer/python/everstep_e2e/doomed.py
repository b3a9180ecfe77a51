"""Workflows whose process is killed while they run."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel

from everstep import Context, Retry, step, workflow
from everstep_e2e.effects import SOON, effect
from everstep_e2e.kill_switch import Point, arm, die

TWICE = Retry(max_attempts=2, initial_delay=1, jitter=False)


class Doomed(BaseModel):
    """Where to die, and the file that says that it has happened."""

    effects: str
    point: Point
    once: str


class Poison(BaseModel):
    """A step that kills its process for as long as a file is there."""

    effects: str
    lethal: str


@step(retry=SOON)
def doomed_effect(doomed: Doomed) -> str:
    """Have one effect, then die where asked."""
    effect.fn(doomed.effects, 0)
    arm(doomed.point, doomed.once)
    return doomed.point


@step(retry=TWICE)
def lethal_effect(poison: Poison) -> str:
    """Have one effect, and kill the process while the file is there."""
    effect.fn(poison.effects, 0)
    if Path(poison.lethal).exists():
        die()
    return "survived"


def find(poison: Poison) -> str:
    """Find the effect, once the file is gone."""
    if Path(poison.lethal).exists():
        raise ConnectionError("nobody can tell")
    return "found"


@step(at_most_once=True, probe=find)
def unsure_effect(poison: Poison) -> str:
    """Have one effect, and kill the process."""
    effect.fn(poison.effects, 0)
    die()
    return "never"


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


@workflow(name="e2e-unsure")
async def unsure(ctx: Context, asked: Poison) -> str:
    """One step of which nobody knows what became of it, until somebody can tell."""
    return await ctx.step(unsure_effect, asked)
