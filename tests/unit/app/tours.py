"""A workflow that retries and sleeps, what is recorded of it, and how to damage that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from everstep import Context, Retry, step, step_context, workflow
from everstep.app.verify import verify

if TYPE_CHECKING:
    from everstep.core.model import Head, OpRecord
    from everstep.testing.simulation.world import World


@step(retry=Retry(max_attempts=2, initial_delay=3600, max_delay=3600, jitter=False))
def shaky(number: int) -> int:
    if step_context().attempt < 2:
        raise ConnectionError("once")
    return number + 1


@workflow
async def tour(ctx: Context, number: int) -> int:
    number = await ctx.step(shaky, number)
    await ctx.sleep(7200)
    await ctx.sleep(60)
    return await ctx.step(shaky, number)


def violated(world: World) -> list[str]:
    found = [each for report in verify(world.inside) for each in report.violations]
    return [violation.invariant for violation in found]


def until_recorded(world: World, key: str) -> None:
    world.happen_until(
        lambda: bool(world.store.run_ids) and key in world.history().records and not world.tasks
    )


def run_id(world: World) -> str:
    return world.store.run_ids[0]


def set_head(world: World, **changes: Any) -> None:  # noqa: ANN401 - any attribute
    head: Head = world.history().head
    world.store._write_head(replace(head, **changes))


def set_record(world: World, key: str, **changes: Any) -> None:  # noqa: ANN401 - any attribute
    record: OpRecord = world.history().records[key]
    world.store._write_record(run_id(world), replace(record, **changes))
