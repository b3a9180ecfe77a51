"""An order at a restaurant: accepted in time or not, brought by a run of its own, asked about."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, Field, HttpUrl

from everstep import (
    ChildRun,
    ChildRunFailed,
    Context,
    EventNotSent,
    EventTimeout,
    Retry,
    StepFailed,
    step,
    workflow,
)
from workflows.mailing import send_mail
from workflows.services import call

_PATIENT = Retry(max_attempts=5, initial_delay=1)


class Order(BaseModel):
    """What is ordered, and how long everybody may take."""

    service: HttpUrl
    mail: HttpUrl
    guest: str
    dishes: list[str] = Field(min_length=1)
    cents: int = Field(gt=0)
    answer_within: timedelta = Field(default=timedelta(minutes=5), gt=timedelta(0))
    cooked_within: timedelta = Field(default=timedelta(hours=2), gt=timedelta(0))
    brought_within: timedelta = Field(default=timedelta(hours=1), gt=timedelta(0))
    feedback_after: timedelta = Field(default=timedelta(days=1), ge=timedelta(0))


class Answer(BaseModel):
    """The event ``answer``: the restaurant cooks it, or says why not."""

    accepted: bool
    reason: str = "the restaurant cannot cook it"


class Delivery(BaseModel):
    """What the child run is to bring: the order's run, and how long each part may take."""

    service: HttpUrl
    order: str
    within: timedelta


class PickedUp(BaseModel):
    """The event ``picked-up``: somebody is on the way."""

    courier: str


class Outcome(BaseModel):
    """How it ended: brought by whom, or why not."""

    brought: bool
    courier: str | None = None
    reason: str | None = None


class NoMealError(Exception):
    """There will be none."""


@step(retry=_PATIENT, timeout=15)
def tell_kitchen(service: HttpUrl, order: str, dishes: list[str]) -> None:
    """Show the order in the kitchen."""
    call("PUT", service, "orders", order, body={"dishes": dishes})


@step(retry=_PATIENT, timeout=15)
def charge(service: HttpUrl, order: str, cents: int) -> None:
    """Take the money, once per order."""
    call("PUT", service, "payments", order, body={"cents": cents})


@step(retry=_PATIENT, timeout=15)
def find_courier(service: HttpUrl, ride: str, order: str) -> str:
    """Find somebody who brings it; the courier's app knows the delivery by its ride."""
    return str(call("PUT", service, "rides", ride, body={"order": order})["courier"])


@step(retry=_PATIENT, timeout=15)
def take_back(service: HttpUrl, kind: str, name: str) -> None:
    """Take back an order, a payment or a ride; also one that was never made."""
    call("DELETE", service, kind, name)


@workflow(name="courier-delivery")
async def courier_delivery(ctx: Context, delivery: Delivery) -> PickedUp:
    """Find a courier while the kitchen cooks, and bring the meal when it is ready.

    The order's run sends ``ready``; the courier's app sends ``collected`` and ``delivered``.
    """
    async with ctx.saga() as saga:
        saga.compensate(take_back, delivery.service, "rides", ctx.run_id)
        courier = await ctx.step(find_courier, delivery.service, ctx.run_id, delivery.order)
        picked_up = PickedUp(courier=courier)
        await ctx.wait_for_event("ready")
        await ctx.wait_for_event("collected", timeout=delivery.within)
        await ctx.send_event(delivery.order, "picked-up", picked_up)
        await ctx.wait_for_event("delivered", timeout=delivery.within)
    return picked_up


@workflow(name="restaurant-order")
async def restaurant_order(ctx: Context, order: Order) -> Outcome:
    """Have a meal cooked and brought, or everything taken back; a day later ask how it was.

    The restaurant sends ``answer``, and ``ready`` when it is cooked.
    """
    try:
        async with ctx.saga() as saga:
            # Before it is done: if all answers get lost, nothing of it stays behind.
            saga.compensate(take_back, order.service, "orders", ctx.run_id)
            await ctx.step(tell_kitchen, order.service, ctx.run_id, order.dishes)
            await accepted(ctx, order)
            saga.compensate(take_back, order.service, "payments", ctx.run_id)
            await ctx.step(charge, order.service, ctx.run_id, order.cents)
            delivered = await brought(ctx, order)
    except (NoMealError, StepFailed, ChildRunFailed) as failure:
        reason = str(failure) if isinstance(failure, NoMealError) else failure.message
        await ctx.step(send_mail, order.mail, order.guest, f"No meal: {reason}")
        return Outcome(brought=False, reason=reason)
    await ctx.sleep(order.feedback_after, name="digest")
    await ctx.step(send_mail, order.mail, order.guest, "How was your meal?")
    return Outcome(brought=True, courier=delivered.courier)


async def accepted(ctx: Context, order: Order) -> None:
    """Wait until the restaurant takes the order.

    Raises:
        NoMealError: It does not, or nobody answers in time.
    """
    try:
        answer = await ctx.wait_for_event("answer", Answer, timeout=order.answer_within)
    except EventTimeout:
        raise NoMealError("the restaurant does not answer") from None
    if not answer.accepted:
        raise NoMealError(answer.reason)


async def brought(ctx: Context, order: Order) -> PickedUp:
    """Have the meal brought by a run of its own, which begins while the kitchen cooks.

    Raises:
        NoMealError: The kitchen is too slow.
        ChildRunFailed: Nobody brings it.
    """
    delivery = Delivery(service=order.service, order=ctx.run_id, within=order.brought_within)
    child = await ctx.start(courier_delivery, delivery)
    try:
        # Whichever fails first ends both; a delivery without a courier is not cooked to its end.
        delivered, _ = await ctx.gather(child.result(), keep_posted(ctx, order, child))
    except EventTimeout:
        await child.cancel()
        raise NoMealError("the kitchen is too slow") from None
    return delivered


async def keep_posted(ctx: Context, order: Order, child: ChildRun[PickedUp]) -> None:
    """Tell the delivery when the meal is ready, and the guest when it is on its way."""
    await ctx.wait_for_event("ready", timeout=order.cooked_within)
    try:
        await child.send_event("ready")
    except EventNotSent:
        return  # It has ended; what it has come to is known to whoever waits for its result.
    picked_up = await ctx.wait_for_event("picked-up", PickedUp)
    await ctx.step(send_mail, order.mail, order.guest, f"{picked_up.courier} is on the way")
