"""Fan out, fan in: the figures of many regions side by side, then one report of them all."""

from __future__ import annotations

from pydantic import BaseModel, Field, HttpUrl

from everstep import Context, Retry, step, workflow
from workflows.services import call

_PATIENT = Retry(max_attempts=5, initial_delay=1)


class Regions(BaseModel):
    """Whose figures to add up, and how many services to ask at the same time."""

    service: HttpUrl
    regions: list[str] = Field(min_length=1)
    at_once: int = Field(default=4, ge=1)


class Sale(BaseModel):
    """One sale."""

    product: str
    quantity: int
    cents: int


class Figures(BaseModel):
    """What a region has sold: number of sales, and turnover by product."""

    region: str
    sales: int
    turnover: dict[str, int]


class Report(BaseModel):
    """All regions together."""

    id: str
    sales: int
    turnover: dict[str, int]
    best: str


@step(retry=_PATIENT, timeout=15)
def add_up(service: HttpUrl, region: str) -> Figures:
    """Get a region's sales and add them up; what is recorded is small."""
    sales = [Sale.model_validate(sale) for sale in call("GET", service, "regions", region)]
    turnover: dict[str, int] = {}
    for sale in sales:
        turnover[sale.product] = turnover.get(sale.product, 0) + sale.quantity * sale.cents
    return Figures(region=region, sales=len(sales), turnover=turnover)


@step(retry=_PATIENT, timeout=15)
def publish(service: HttpUrl, figures: list[Figures]) -> Report:
    """Reduce all figures to one report, and have it kept."""
    total: dict[str, int] = {}
    for each in figures:
        for product, cents in each.turnover.items():
            total[product] = total.get(product, 0) + cents
    best = max(figures, key=lambda each: sum(each.turnover.values())).region
    sales = sum(each.sales for each in figures)
    body = {"sales": sales, "turnover": total, "best": best}
    kept = call("POST", service, "reports", body=body)
    return Report(id=kept["report"], sales=sales, turnover=total, best=best)


@workflow(name="sales-report")
async def sales_report(ctx: Context, wanted: Regions) -> Report:
    """Map and reduce; a region that cannot be asked fails the report, which must be complete."""

    async def region_of(ctx: Context, region: str) -> Figures:
        return await ctx.step(add_up, wanted.service, region)

    batch = await ctx.map(region_of, wanted.regions, max_concurrency=wanted.at_once, name="regions")
    batch.raise_for_failure()
    return await ctx.step(publish, wanted.service, batch.results)
