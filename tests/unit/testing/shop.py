"""Workflows that are retried and forked in tests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from everstep import Context, NonRetryable, step, step_context, workflow
from everstep.core.model import RunStatus

if TYPE_CHECKING:
    from everstep.testing import TestEngine

KEYS: list[tuple[str, str]] = []


@step
def charge(amount: int) -> int:
    KEYS.append(("charge", step_context().idempotency_key))
    return amount


@step
def ship(amount: int) -> str:
    KEYS.append(("ship", step_context().idempotency_key))
    return f"shipped for {amount}"


@workflow
async def shop(ctx: Context, amount: int) -> str:
    drawn = [ctx.now().isoformat(), str(ctx.uuid()), str(ctx.random().random())]
    paid = await ctx.step(charge, amount)
    drawn += [ctx.now().isoformat(), str(ctx.uuid())]
    await ctx.sleep(timedelta(hours=1))
    return f"{await ctx.step(ship, paid)} {drawn}"


@step
def double(number: int) -> int:
    return 2 * number


@workflow
async def together(ctx: Context, number: int) -> list[int]:
    async def branch(ctx: Context, item: int) -> int:
        first = await ctx.step(double, item)
        return await ctx.step(double, first)

    batch = await ctx.map(branch, range(number), tolerated_failures=1)
    batch.raise_for_failure()
    return batch.results


def failed(engine: TestEngine) -> str:
    engine.fail(ship, NonRetryable("no van"))
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    assert run.status is RunStatus.FAILED
    return run.id
