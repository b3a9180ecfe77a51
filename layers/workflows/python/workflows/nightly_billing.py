"""A nightly batch: bill every account, so many at a time, and stop when too many fail."""

from __future__ import annotations

from pydantic import BaseModel, Field, HttpUrl

from everstep import Context, Retry, StepFailed, step, workflow
from workflows.services import call

_PATIENT = Retry(max_attempts=5, initial_delay=1)


class Night(BaseModel):
    """Whom to bill, how many at a time, and which part of them may fail."""

    service: HttpUrl
    at_once: int = Field(default=20, ge=1)
    tolerated: float = Field(default=0.05, ge=0, le=1)


class Invoice(BaseModel):
    """What an account was billed."""

    account: str
    cents: int


class Summary(BaseModel):
    """What came of the night."""

    complete: bool
    accounts: int
    billed: int
    cents: int
    failed: dict[str, str]


@step(retry=_PATIENT, timeout=15)
def list_accounts(service: HttpUrl) -> list[str]:
    """Ask whom to bill; a long list is kept in the bucket."""
    return [str(account) for account in call("GET", service, "accounts")]


@step(retry=_PATIENT, timeout=15)
def bill(service: HttpUrl, account: str) -> Invoice:
    """Bill one account; asked twice under one key, the service bills once."""
    return Invoice.model_validate(call("POST", service, "invoices", body={"account": account}))


@step(retry=_PATIENT, timeout=15)
def report(service: HttpUrl, summary: Summary) -> None:
    """Tell what came of it."""
    call("POST", service, "reports", body=summary.model_dump())


@workflow(name="nightly-billing")
async def nightly_billing(ctx: Context, night: Night) -> Summary:
    """Bill all accounts; single failures are reported, many at once end the night early."""
    accounts = await ctx.step(list_accounts, night.service)

    async def account_of(ctx: Context, account: str) -> Invoice:
        return await ctx.step(bill, night.service, account)

    batch = await ctx.map(
        account_of,
        accounts,
        max_concurrency=night.at_once,
        tolerated_failure_ratio=night.tolerated,
        name="accounts",
    )
    summary = Summary(
        complete=batch.reason == "ALL_COMPLETED",
        accounts=len(accounts),
        billed=batch.succeeded,
        cents=sum(invoice.cents for invoice in batch.results),
        failed={accounts[index]: _reason(error) for index, error in batch.errors.items()},
    )
    await ctx.step(report, night.service, summary)
    return summary


def _reason(error: BaseException) -> str:
    return error.message if isinstance(error, StepFailed) else str(error)
