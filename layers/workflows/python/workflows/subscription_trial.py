"""A trial: for so many days or until it is paid for, whichever comes first."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, Self

from pydantic import BaseModel, Field, HttpUrl, model_validator

from everstep import Context, EventTimeout, Retry, RunCancelled, step, workflow
from workflows.mailing import send_mail
from workflows.services import call

_PATIENT = Retry(max_attempts=10, initial_delay=1)


class Trial(BaseModel):
    """Who tries it, for how long, and how long before its end to remind of it."""

    accounts: HttpUrl
    mail: HttpUrl
    customer: str
    email: str
    length: timedelta = Field(default=timedelta(days=14), gt=timedelta(0))
    remind_before: timedelta = Field(default=timedelta(days=3), gt=timedelta(0))

    @model_validator(mode="after")
    def _reminds_within(self) -> Self:
        if self.remind_before >= self.length:
            raise ValueError("remind_before must be shorter than the trial")
        return self


class Payment(BaseModel):
    """The event ``paid``."""

    receipt: str


class Outcome(BaseModel):
    """How the trial ended."""

    paid: bool
    receipt: str | None = None


@step(retry=_PATIENT, timeout=15)
def set_state(accounts: HttpUrl, customer: str, state: Literal["trial", "paid", "closed"]) -> None:
    """Open, keep or close the account; setting a state twice is setting it."""
    call("PUT", accounts, customer, body={"state": state})


@workflow(name="subscription-trial")
async def subscription_trial(ctx: Context, trial: Trial) -> Outcome:
    """Give an account for a while; keep it if ``paid`` comes in time.

    A customer who has enough of it cancels the run, which closes the account at once.
    """
    await ctx.step(set_state, trial.accounts, trial.customer, "trial")
    await ctx.step(send_mail, trial.mail, trial.email, "Welcome to your trial")
    try:
        payment = await payment_within(ctx, trial)
    except RunCancelled:
        await ctx.step(set_state, trial.accounts, trial.customer, "closed")
        await ctx.step(send_mail, trial.mail, trial.email, "We are sorry to see you go")
        raise
    if payment is None:
        await ctx.step(set_state, trial.accounts, trial.customer, "closed")
        await ctx.step(send_mail, trial.mail, trial.email, "Your trial has ended")
        return Outcome(paid=False)
    await ctx.step(set_state, trial.accounts, trial.customer, "paid")
    await ctx.step(send_mail, trial.mail, trial.email, "Thank you for subscribing")
    return Outcome(paid=True, receipt=payment.receipt)


async def payment_within(ctx: Context, trial: Trial) -> Payment | None:
    """Wait for a payment, remind of it, and wait again; None when the trial is over."""
    end = ctx.now() + trial.length
    payment = await payment_until(ctx, end - trial.remind_before)
    if payment is not None:
        return payment
    await ctx.step(send_mail, trial.mail, trial.email, "Your trial ends soon")
    # A payment that came while the mail was sent was kept for this wait.
    return await payment_until(ctx, end)


async def payment_until(ctx: Context, end: datetime) -> Payment | None:
    """Wait for a payment until an instant, however much of the time has gone by."""
    try:
        return await ctx.wait_for_event("paid", Payment, timeout=max(end - ctx.now(), timedelta(0)))
    except EventTimeout:
        return None
