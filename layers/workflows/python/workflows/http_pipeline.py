"""Extract, transform, load over HTTP: three steps against a real server."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, HttpUrl

from everstep import Context, NonRetryable, Retry, step, step_context, workflow
from workflows.outgoing import ForbiddenAddressError, HttpStatusError, request_json

# What the server says is wrong stays wrong; a server in trouble is asked again.
_POLITE = Retry(max_attempts=5, initial_delay=1, no_retry_on=(ForbiddenAddressError, NonRetryable))


class Pipeline(BaseModel):
    """Where to read items and where to write the report."""

    source: HttpUrl
    target: HttpUrl


class Item(BaseModel):
    """What the source gives."""

    name: str
    amount: int


class Report(BaseModel):
    """What the target gets."""

    items: int
    total: int
    largest: str | None


@step(retry=_POLITE, timeout=15)
def extract(source: HttpUrl) -> list[Item]:
    """Read the items."""
    return [Item.model_validate(item) for item in _call("GET", source)]


@step(retry=_POLITE, timeout=15)
def transform(target: HttpUrl, items: list[Item]) -> Report:
    """Have the target check the items, and sum them up."""
    _call("PUT", target, [item.model_dump() for item in items])
    largest = max(items, key=lambda item: item.amount, default=None)
    return Report(
        items=len(items),
        total=sum(item.amount for item in items),
        largest=largest.name if largest else None,
    )


@step(retry=_POLITE, timeout=15)
def load(target: HttpUrl, report: Report) -> str:
    """Write the report and return the receipt that the target gives."""
    return str(_call("POST", target, report.model_dump())["receipt"])


@workflow(name="http-pipeline")
async def http_pipeline(ctx: Context, pipeline: Pipeline) -> str:
    """Move the items from source to target, each call recorded."""
    items = await ctx.step(extract, pipeline.source)
    report = await ctx.step(transform, pipeline.target, items)
    return await ctx.step(load, pipeline.target, report)


def _call(method: str, url: HttpUrl, body: object = None) -> Any:  # noqa: ANN401 - JSON
    """Call the server with the step's idempotency key; its refusal is final."""
    try:
        return request_json(method, str(url), body, key=step_context().idempotency_key)
    except HttpStatusError as error:
        if error.final:
            raise NonRetryable(str(error)) from error
        raise
