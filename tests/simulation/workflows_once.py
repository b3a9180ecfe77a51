"""Small workflows of steps that run at most once: see ``scenarios``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep import (
    Context,
    Retry,
    StepInterrupted,
    StepNotExecuted,
    step,
    step_context,
    workflow,
)
from tests.simulation.workflows import add

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow

_PATIENT: Final = Retry(max_attempts=5, initial_delay=2, jitter=False)


def found(number: int) -> int:
    return number + 1


def not_found(number: int) -> int:
    raise StepNotExecuted(f"{number} is not there")


@step(at_most_once=True, probe=found)
def charge(number: int) -> int:
    return number + 1


@step(at_most_once=True, probe=not_found, retry=_PATIENT)
def ship(number: int) -> int:
    return number + 10


@step(at_most_once=True)
def publish(number: int) -> int:
    return number + 1


@step(
    at_most_once=True,
    retry=Retry(
        max_attempts=5, initial_delay=2, jitter=False, retry_on=(ConnectionError, StepInterrupted)
    ),
)
def call(number: int) -> int:
    """Fail once, then succeed."""
    if step_context().attempt == 1:
        raise ConnectionError("not yet")
    return number + 1


@workflow
async def probes(ctx: Context, number: int) -> int:
    """Ask what became of a step: of one it has happened, of the other it has not."""
    number = await ctx.step(charge, number)
    return await ctx.step(ship, number)


@workflow
async def once(ctx: Context, number: int) -> int:
    """Go on all the same when nobody knows what became of a step."""
    try:
        number = await ctx.step(publish, number)
    except StepInterrupted:
        number += 1
    return await ctx.step(add, number, 10)


@workflow
async def once_per_attempt(ctx: Context, number: int) -> int:
    """Try again what may have happened."""
    return await ctx.step(call, number)


AT_MOST_ONCE: Final[tuple[Workflow[Any, Any], ...]] = (probes, once, once_per_attempt)
