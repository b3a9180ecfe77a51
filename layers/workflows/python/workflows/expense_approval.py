"""An approval: asked for by mail, reminded of after a day, escalated when nobody decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from pydantic import BaseModel, Field, HttpUrl, model_validator

from everstep import CallbackFailed, CallbackTimeout, Context, workflow
from workflows.mailing import send_mail


class Expense(BaseModel):
    """What is to be approved, who is asked in turn, and how patiently."""

    mail: HttpUrl
    purpose: str
    cents: int = Field(gt=0)
    employee: str
    approvers: list[str] = Field(min_length=1)
    remind_after: timedelta = Field(default=timedelta(days=1), gt=timedelta(0))
    decide_within: timedelta = Field(default=timedelta(days=3), gt=timedelta(0))

    @model_validator(mode="after")
    def _reminds_in_time(self) -> Self:
        if self.remind_after >= self.decide_within:
            raise ValueError("remind_after must be shorter than decide_within")
        return self


class Decision(BaseModel):
    """What an approver completes the callback with."""

    approved: bool
    comment: str = ""


class Outcome(BaseModel):
    """How it ended: decided by whom, or by nobody."""

    approved: bool
    by: str | None = None
    comment: str = ""


@workflow(name="expense-approval")
async def expense_approval(ctx: Context, expense: Expense) -> Outcome:
    """Ask one approver after the other; what nobody decides is refused."""
    outcome = Outcome(approved=False, comment="nobody has decided")
    for approver in expense.approvers:
        decision = await ctx.scope("asked", asked, expense, approver)
        if decision is not None:
            outcome = Outcome(approved=decision.approved, by=approver, comment=decision.comment)
            break
    verdict = "approved" if outcome.approved else "refused"
    await ctx.step(send_mail, expense.mail, expense.employee, f"{expense.purpose}: {verdict}")
    return outcome


async def asked(ctx: Context, expense: Expense, approver: str) -> Decision | None:
    """Ask one approver; None if this one cannot decide, or does not in time."""
    decision = ctx.callback(Decision, timeout=expense.decide_within, name="decision")
    subject = f"Please approve: {expense.purpose}, {expense.cents / 100:.2f}"
    await ctx.step(send_mail, expense.mail, approver, subject, decision.token)

    async def remind(ctx: Context) -> None:
        await ctx.sleep(expense.remind_after, name="before-reminder")
        await ctx.step(send_mail, expense.mail, approver, f"Reminder: {subject}", decision.token)
        # The callback ends before this: the reminder alone never wins the race.
        await ctx.sleep(expense.decide_within, name="beyond")

    try:
        _, decided = await ctx.race(decision, remind(ctx))
    except (CallbackTimeout, CallbackFailed) as failure:
        ctx.logger.info("%s has not decided: %s", approver, failure)
        return None
    return decided
