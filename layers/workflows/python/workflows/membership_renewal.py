"""A workflow that was changed twice while runs were in flight: a new version, then a patch.

Version 1 only waits, and version 2 listens meanwhile: another shape, so another version beside the
old one. The reminder in version 2 came later: a small change, so ``ctx.patched`` within it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, Field, HttpUrl

from everstep import Context, EventTimeout, Retry, step, workflow
from workflows.mailing import send_mail
from workflows.services import call

_PATIENT = Retry(max_attempts=10, initial_delay=1)


class Renewal(BaseModel):
    """Whose membership is renewed, and when.

    ``remind_before`` came with the reminder. Runs in flight have inputs without it, and some may
    have a shorter notice: so it has a default, and nothing refuses what was accepted before.
    """

    billing: HttpUrl
    accounts: HttpUrl
    mail: HttpUrl
    member: str
    email: str
    notice: timedelta = Field(default=timedelta(days=30), gt=timedelta(0))
    remind_before: timedelta = Field(default=timedelta(days=3), gt=timedelta(0))


class Declined(BaseModel):
    """The event ``declined``, which version 2 waits for."""

    reason: str


class Outcome(BaseModel):
    """What came of it; ``reason`` is version 2's."""

    renewed: bool
    cents: int = 0
    reason: str | None = None


@step(retry=_PATIENT, timeout=15)
def charge(billing: HttpUrl, member: str) -> int:
    """Bill the next year, and say how many cents; asked twice under one key, it is billed once."""
    return int(call("POST", billing, "invoices", body={"account": member})["cents"])


@step(retry=_PATIENT, timeout=15)
def close(accounts: HttpUrl, member: str) -> None:
    """Close the account; closing it twice is closing it."""
    call("PUT", accounts, member, body={"state": "closed"})


@workflow(name="membership-renewal", version="1")
async def membership_renewal_1(ctx: Context, renewal: Renewal) -> Outcome:
    """Announce it, wait, renew; here until the last run on it has ended."""
    await ctx.step(send_mail, renewal.mail, renewal.email, "Your membership will be renewed")
    await ctx.sleep(renewal.notice)
    return await renew(ctx, renewal)


@workflow(name="membership-renewal", version="2")
async def membership_renewal_2(ctx: Context, renewal: Renewal) -> Outcome:
    """Announce it, and renew unless ``declined`` comes in time; remind of it before."""
    await ctx.step(send_mail, renewal.mail, renewal.email, "Renew your membership?")
    if ctx.patched("reminder"):
        declined = await declined_despite_reminder(ctx, renewal)
    else:
        # Runs that waited already when the reminder came go on waiting as they did.
        declined = await declined_within(ctx, renewal.notice)
    return await renew(ctx, renewal) if declined is None else await end(ctx, renewal, declined)


async def declined_despite_reminder(ctx: Context, renewal: Renewal) -> Declined | None:
    """Wait, remind, and wait for the rest of the time."""
    over = ctx.now() + renewal.notice
    declined = await declined_until(ctx, over - renewal.remind_before)
    if declined is not None:
        return declined
    await ctx.step(send_mail, renewal.mail, renewal.email, "Your membership is about to be renewed")
    return await declined_until(ctx, over)


async def declined_until(ctx: Context, over: datetime) -> Declined | None:
    """Wait until an instant, however much of the time has gone by."""
    return await declined_within(ctx, max(over - ctx.now(), timedelta(0)))


async def declined_within(ctx: Context, time: timedelta) -> Declined | None:
    """Wait for the member to say no; None if that does not happen."""
    try:
        return await ctx.wait_for_event("declined", Declined, timeout=time)
    except EventTimeout:
        return None


async def renew(ctx: Context, renewal: Renewal) -> Outcome:
    """Bill the next year, and say so: the same in both versions."""
    cents = await ctx.step(charge, renewal.billing, renewal.member)
    await ctx.step(send_mail, renewal.mail, renewal.email, "Your membership is renewed")
    return Outcome(renewed=True, cents=cents)


async def end(ctx: Context, renewal: Renewal, declined: Declined) -> Outcome:
    """Close the account of a member who goes."""
    await ctx.step(close, renewal.accounts, renewal.member)
    await ctx.step(send_mail, renewal.mail, renewal.email, "Your membership has ended")
    return Outcome(renewed=False, reason=declined.reason)
