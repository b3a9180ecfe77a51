"""Small workflows that between them use everything that can be recorded, and what befalls them.

Whatever is explored is explored for each of ``SCENARIOS``. ``test_scenarios`` fails as soon as
there is something that none of them uses.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from everstep import Context, EventTimeout, NonRetryable, Retry, StepFailed, step, workflow
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


@workflow
async def side_by_side(ctx: Context, number: int) -> int:
    """Join two steps and a sleep; the step after the join runs once, whoever ended last."""
    left, right, _ = await ctx.gather(
        ctx.step(add, number, 1), ctx.step(add, number, 2), ctx.sleep(60)
    )
    return await ctx.step(add, left, right)


@workflow
async def nested(ctx: Context, number: int) -> int:
    """Join what was joined before."""

    async def inner(ctx: Context) -> int:
        return sum(await ctx.gather(ctx.step(add, number, 1), ctx.step(add, number, 2)))

    left, right = await ctx.gather(inner(ctx), ctx.scope("part", inner))
    return left + right


@workflow
async def races(ctx: Context, number: int) -> int:
    """Go on with what comes first, whatever becomes of the other."""
    first, value = await ctx.race(ctx.step(add, number, 1), ctx.sleep(30 * DAY))
    return await ctx.step(add, first, value or 0)


@workflow
async def lanes(ctx: Context, number: int) -> int:
    """Begin an item when the one before it in its lane has ended."""
    batch = await ctx.map(double, range(3), max_concurrency=2)
    named = await ctx.parallel({"failing": refused, "adding": added}, tolerated_failures=1)
    return number + sum(batch.results) + named.failed


@step
def double(number: int) -> int:
    return 2 * number


async def refused(ctx: Context) -> int:
    return await ctx.step(refuse, 1)


async def added(ctx: Context) -> int:
    return await ctx.step(add, 1, 1)


@workflow
async def undoes(ctx: Context, number: int) -> int:
    """Undo what was done, when what follows fails."""
    try:
        async with ctx.saga() as saga:
            saga.compensate(subtract, await ctx.step(add, number, 1), 1)
            await ctx.step(refuse, number)
    except StepFailed:
        return 0
    return 1


@workflow
async def looks_again(ctx: Context, number: int) -> int:
    """Look until what is seen is what is waited for."""
    seen: int = await ctx.wait_for_condition(
        add, 1, until=lambda value: value == 3, every=60, initial=1
    )
    return number + seen


@workflow
async def waits(ctx: Context, number: int) -> int:
    """Wait for two events, the second of which came first."""
    first = await ctx.wait_for_event("first", int)
    second = await ctx.wait_for_event("second", int)
    return await ctx.step(add, first + number, second)


@workflow
async def waits_in_vain(ctx: Context, number: int) -> int:
    """Give up after a short and a long time."""
    missed = 0
    for timeout in (60, 2 * HOUR):
        try:
            await ctx.wait_for_event("nothing", timeout=timeout)
        except EventTimeout:
            missed += 1
    return await ctx.step(add, number, missed)


@workflow
async def shares(ctx: Context, number: int) -> int:
    """Let two branches wait for events of one name: each gets one of them."""

    async def branch(ctx: Context) -> int:
        return await ctx.wait_for_event("share", int)

    return number + sum(await ctx.gather(branch(ctx), branch(ctx)))


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
    side_by_side,
    nested,
    races,
    lanes,
    undoes,
    looks_again,
    waits,
    waits_in_vain,
    shares,
)
# Events that clients send to the runs of these, each once.
EVENTS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "waits": (("second", 2), ("first", 1)),
    "shares": (("share", 3), ("share", 3)),
}

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
    def begin(world: World) -> None:
        world.trigger(workflow.name, 1, "key", partial(send_events, world, workflow.name))

    return scenario(begin)


def send_events(world: World, workflow: str, run_id: str) -> None:
    """Let clients send their events, half a minute after the run was accepted."""
    for number, (name, value) in enumerate(EVENTS.get(workflow, ())):
        send = partial(world.send_event, run_id, name, value, f"key {number}")
        world.appointments.append((world.time + (30 + number) * SECOND, send))


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
