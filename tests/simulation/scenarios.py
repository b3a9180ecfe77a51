"""Small workflows that between them use everything that can be recorded, and what befalls them.

Whatever is explored is explored for each of ``SCENARIOS``. ``test_scenarios`` fails as soon as
there is something that none of them uses.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from everstep import Context, NonRetryable, Retry, StepFailed, step, workflow
from everstep.app.engine import Limits
from everstep.authoring.step_context import step_context
from everstep.core.durations import SECOND
from everstep.core.model import RunStatus
from everstep.testing.simulation.deployment import START
from everstep.testing.simulation.explore import Scenario
from everstep.testing.simulation.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.authoring.workflows import Workflow
    from everstep.testing.simulation.world import World

HOUR: Final = 3600
DAY: Final = 24 * HOUR
_SHORT: Final = Retry(max_attempts=3, initial_delay=2, jitter=False)
_LONG: Final = Retry(max_attempts=3, initial_delay=2 * HOUR, max_delay=DAY, jitter=False)


@step
def add(number: int, more: int) -> int:
    return number + more


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
async def recovers(ctx: Context, number: int) -> int:
    try:
        return await ctx.step(refuse, number)
    except StepFailed:
        return await ctx.step(add, number, 1)


@workflow
async def without_operations(_ctx: Context, number: int) -> int:
    return number + 1


@step
def subtract(number: int, less: int) -> int:
    return number - less


@workflow(name="three_steps")
async def rewritten(ctx: Context, number: int) -> int:
    """Ask for another first step than ``three_steps`` does."""
    number = await ctx.step(subtract, number, 1)
    number = await ctx.step(add, number, 10)
    return await ctx.step(add, number, 100)


MIXED: Final[tuple[Workflow[Any, Any], ...]] = (
    three_steps,
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
    recovers,
    without_operations,
)

# Everything that the workflows record as text of this size goes through the blob store.
LIMITS: Final = Limits(inline=200)


def scenario(
    begin: Callable[[World], object],
    then: Callable[[World], object] | None = None,
    *,
    rescued: bool = False,
    receives: int = 5,
    resumes: int = 0,
) -> Scenario:
    return Scenario(
        begin=begin,
        then=then,
        workflows=MIXED,
        settings=lambda: Settings(limits=LIMITS, receives=receives, resumes=resumes),
        rescued=rescued,
    )


def one_run(workflow: Workflow[Any, Any]) -> Scenario:
    return scenario(lambda world: world.trigger(workflow.name, 1, "key"))


def two_triggers(world: World) -> None:
    """Let two clients call with one idempotency key."""
    world.trigger("recovers", 1, "key")
    world.trigger("recovers", 1, "key")


def lose_the_code(world: World) -> None:
    """Take the code away while the run sleeps, so that it stalls when it wakes up."""
    world.trigger("short_sleep", 1, "key")
    world.appointments.append((START + 30 * SECOND, partial(_lose_the_code, world)))


def _lose_the_code(world: World) -> None:
    # A client who is still to be answered would be told that there is no such workflow.
    if world.facts.accepted:
        world.deploy([])


def bring_the_code_back(world: World) -> None:
    world.deploy(MIXED)
    for run_id in world.store.run_ids:
        if world.history(run_id).head.status is RunStatus.STALLED:
            world.resume(run_id)


def stumble(world: World) -> None:
    """Stall the run and resume it while the message of its timer is still on its way."""
    world.trigger("naps", 1, "key")
    world.appointments.append((START + 30 * SECOND, partial(_stumble, world)))


def _stumble(world: World) -> None:
    _lose_the_code(world)
    for first in world.queue.sent[:1]:
        world.duplicate(first)
    world.appointments.append((world.time + 10 * SECOND, partial(bring_the_code_back, world)))


def lose_the_table(world: World) -> None:
    """Restore a backup of an earlier attempt while the message for a later one is on its way."""
    world.trigger("retries", 1, "key")
    world.appointments.append((START + SECOND, partial(_back_up, world, SECOND)))


def _back_up(world: World, pause: int) -> None:
    """Do so when one attempt has failed; if none has, come back, at last after hours."""
    records = world.history().records if world.store.run_ids else {}
    attempt = records["flaky#1"].attempt if "flaky#1" in records else 0
    if attempt == 0 and pause < HOUR * SECOND:
        again = partial(_back_up, world, 2 * pause)
        world.appointments.append((world.time + pause, again))
    if attempt == 1:
        restore = partial(world.restore, world.back_up())
        world.appointments.append((world.time + 3 * SECOND, restore))


SCENARIOS: Final[dict[str, Scenario]] = {
    **{workflow.name: one_run(workflow) for workflow in MIXED},
    "two_triggers": scenario(two_triggers),
    "lost_code": scenario(lose_the_code, bring_the_code_back),
    "stumbles": scenario(stumble, bring_the_code_back),
    # Whatever fails makes a dead letter at once, and somebody resumes the run.
    "impatient": scenario(
        lambda world: world.trigger("long_sleep", 1, "key"), receives=1, resumes=5
    ),
    "lost_table": scenario(lose_the_table, rescued=True),
}
# Few enough calls to play every two faults of them often.
SMALL: Final = ("without_operations", "sleeps_until", "recovers", "two_triggers")
