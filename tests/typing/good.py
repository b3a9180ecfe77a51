"""Right uses, which mypy --strict accepts; what ``assert_type`` says is the public promise."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_type

from pydantic import BaseModel

from everstep import Client, Context, Retry, Run, Workflow, step, workflow
from everstep.testing import TestEngine, TestRun

if TYPE_CHECKING:
    from everstep.core.operations import Operation


class Order(BaseModel):
    id: str
    total: int


@step
def notify(order: Order, *, urgent: bool = False) -> str:
    return f"{order.id}{urgent}"


@step(retry=Retry(max_attempts=5), timeout=timedelta(seconds=30))
async def charge(amount: int) -> Order:
    return Order(id="x", total=amount)


@step
def notify_length(text: str) -> int:
    return len(text)


def plain(text: str) -> int:
    return len(text)


async def plain_async(text: str) -> list[str]:
    return [text]


@workflow(name="restaurant-order", version="1.0.0")
async def restaurant_order(ctx: Context, order: Order) -> dict[str, str]:
    operation: Operation[str] = ctx.step(notify, order)
    assert_type(await operation, str)
    assert_type(await ctx.step(step(name="length")(plain), "x"), int)
    assert_type(await ctx.step(notify, order, urgent=True), str)
    assert_type(await ctx.step(charge, 1), Order)
    assert_type(await ctx.step(plain, "x"), int)
    assert_type(await ctx.step(plain_async, "x"), list[str])
    assert_type(await ctx.step(charge.with_options(retry=Retry.never()), amount=1), Order)
    wider: float | None = await ctx.step(notify_length, "x")
    assert wider == len("x" * await ctx.step(notify_length, "x"))
    await ctx.sleep(timedelta(days=1))
    await ctx.sleep(0.5, name="short")
    await ctx.sleep_until(ctx.now() + timedelta(hours=1))
    return {"run": ctx.run_id}


@workflow
async def nightly(ctx: Context) -> None:
    await ctx.sleep(1)


@workflow
async def for_ever(ctx: Context, number: int) -> int:
    await ctx.sleep(1)
    # Nothing comes after it, so nothing has to be returned.
    await ctx.continue_as_new(number + 1)


def use() -> None:
    notify.fn(Order(id="x", total=1), urgent=True)
    engine = TestEngine([restaurant_order, nightly])
    run = engine.start(restaurant_order, Order(id="x", total=1))
    assert_type(run, TestRun[dict[str, str]])
    assert_type(run.result, dict[str, str] | None)
    assert_type(engine.start(nightly), TestRun[None])


def call(client: Client) -> None:
    order = Order(id="x", total=1)
    run = client.start(restaurant_order, order, idempotency_key="x", tags={"city": "Bonn"})
    assert_type(run, Run[dict[str, str]])
    assert_type(run.result(timeout=timedelta(minutes=1)), dict[str, str])
    assert_type(run.retry(), Run[dict[str, str]])
    assert_type(run.fork("charge#1", input=order), Run[dict[str, str]])
    assert_type(client.start(nightly), Run[None])
    assert_type(client.start("nightly", {"any": "thing"}, delay=60), Run[Any])
    assert_type(client.get("run"), Run[Any])
    assert_type(client.get("run", restaurant_order).result(), dict[str, str])
    wider: Run[object] = client.handle("run", nightly)
    wider.send_event("accepted", order, idempotency_key="x")
    assert [each.id for each in client.runs(status="FAILED", tag={"city": "Bonn"})]


def declared() -> tuple[object, ...]:
    assert_type(restaurant_order, Workflow[Order, dict[str, str]])
    assert_type(nightly, Workflow[None, None])
    return restaurant_order, nightly
