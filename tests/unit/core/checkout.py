"""A workflow that pays, waits and mails, and histories of it."""

from pydantic import BaseModel

from everstep import Context
from everstep.core.model import History
from tests.unit.core.builders import (
    Body,
    history_of,
)


class Order(BaseModel):
    id: str
    total: int


def charge(amount: int) -> str:
    return f"charged {amount}"


def mail(text: str) -> None: ...


def make_order() -> Order:
    return Order(id="o", total=1)


async def checkout(ctx: Context) -> str:
    receipt = await ctx.step(charge, 10)
    await ctx.sleep(60, name="cool-down")
    await ctx.step(mail, receipt)
    return receipt


CHECKOUT = {"charge#1": "charged 10", "cool-down#1": None, "mail#1": None}


def recorded(*keys: str, body: Body = checkout) -> History:
    return history_of(body, {key: CHECKOUT[key] for key in keys})
