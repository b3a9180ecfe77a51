"""What a run has cost, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everstep.app.prices import dollars, load_prices, total_dollars

if TYPE_CHECKING:
    from everstep.app.cost import Cost
    from everstep.core.spending import Spent


def cost(found: Cost, architecture: str) -> dict[str, Any]:
    """Return what a run has cost, in units and in dollars on this architecture."""
    prices = load_prices()
    return {
        **taken(found.spent, architecture),
        "complete": found.complete,
        "successor": found.successor,
        "chain": taken(found.chain, architecture) if found.past else None,
        "dollars_by": {
            name: _dollars(each) for name, each in dollars(found.spent, architecture).items()
        },
        "steps": [{"key": key, **taken(each, architecture)} for key, each in found.steps.items()],
        "rest": taken(found.rest, architecture),
        "prices": {
            "date": str(prices["date"]),
            "region": prices["region"],
            "architecture": architecture,
        },
    }


def taken(spent: Spent, architecture: str) -> dict[str, Any]:
    """Return what was taken, in units and in dollars."""
    return {
        "dollars": _dollars(total_dollars(spent, architecture)),
        "read_units": spent.read_units,
        "write_units": spent.writes,
        "index_write_units": spent.index_writes,
        "table_requests": spent.requests,
        "sqs_sends": spent.sends,
        "sqs_polls": _rounded(spent.polls),
        "invocations": _rounded(spent.invocations),
        "milliseconds": spent.millis,
        "gb_seconds": _rounded(spent.gb_seconds),
        "s3_puts": spent.puts,
        "s3_gets": spent.gets,
        "api_requests": spent.calls,
    }


def _rounded(number: float) -> float:
    return round(number, 6)


def _dollars(amount: float) -> float:
    return round(amount, 12)
