"""Take an order: typed data, and a payment that succeeds at the third attempt."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum

from pydantic import BaseModel, Field

from everstep import Context, NonRetryable, Retry, StepFailed, step, step_context, workflow


class Currency(Enum):
    """Currencies that can be paid in."""

    EUR = "EUR"
    USD = "USD"


class Line(BaseModel):
    """One line of an order."""

    sku: str
    quantity: int = Field(ge=1)
    price: Decimal = Field(ge=0, decimal_places=2)


class Order(BaseModel):
    """An order; ``gateway_busy`` makes the payment fail so many times first."""

    id: str
    currency: Currency
    lines: list[Line] = Field(min_length=1)
    gateway_busy: int = Field(default=2, ge=0)


class Receipt(BaseModel):
    """Proof of a payment."""

    order_id: str
    amount: Decimal
    currency: Currency
    paid_at: datetime
    attempts: int


class Outcome(BaseModel):
    """How the order ended."""

    accepted: bool
    receipt: Receipt | None = None
    reason: str | None = None


class GatewayBusyError(Exception):
    """The payment service wants to be asked again later."""


@step
def total(lines: list[Line]) -> Decimal:
    """Add up the lines."""
    return sum((line.price * line.quantity for line in lines), start=Decimal(0))


@step(retry=Retry(max_attempts=4, initial_delay=1, factor=1, retry_on=(GatewayBusyError,)))
async def charge(order: Order, amount: Decimal, at: datetime) -> Receipt:
    """Charge the amount; a gateway that is busy is asked again, one that declines is not."""
    if amount == 0:
        raise NonRetryable("nothing to charge")
    attempt = step_context().attempt
    if attempt <= order.gateway_busy:
        raise GatewayBusyError(f"the gateway was busy at attempt {attempt}")
    return Receipt(
        order_id=order.id, amount=amount, currency=order.currency, paid_at=at, attempts=attempt
    )


@workflow(name="order", version="1.0.0")
async def order(ctx: Context, placed: Order) -> Outcome:
    """Charge an order; a payment that fails for good is an outcome, not a crash."""
    amount = await ctx.step(total, placed.lines)
    try:
        receipt = await ctx.step(charge, placed, amount, ctx.now())
    except StepFailed as failure:
        return Outcome(accepted=False, reason=f"{failure.error_type}: {failure.message}")
    return Outcome(accepted=True, receipt=receipt)
