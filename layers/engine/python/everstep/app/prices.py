"""What was taken, in dollars: by the one table of prices, and read only where somebody asks."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from everstep.core.spending import Spent

PRICES: Final = Path(__file__).parents[1] / "prices.toml"
_MILLION: Final = 1_000_000


def load_prices() -> dict[str, Any]:
    """Return the table of prices, read anew."""
    # No function needs it to start.
    import tomllib

    return tomllib.loads(PRICES.read_text(encoding="utf-8"))


_prices: Final = cache(load_prices)


def dollars(spent: Spent, architecture: str) -> dict[str, float]:
    """Return what something costs, by what is paid for.

    Args:
        spent: What was taken.
        architecture: The processor that is paid for: ``arm64`` or ``x86_64``.
    """
    prices = _prices()
    table, objects = prices["dynamodb"], prices["s3"]
    bill = {
        "DynamoDB writes": spent.writes * table["per_million_write_units"],
        "DynamoDB index writes": spent.index_writes * table["per_million_write_units"],
        "DynamoDB reads": spent.read_units * table["per_million_read_units"],
        "SQS": (spent.sends + spent.polls) * prices["sqs"]["per_million_requests"],
        "Lambda requests": spent.invocations * prices["lambda"]["per_million_requests"],
        "Lambda compute": spent.gb_seconds
        * prices["lambda"][f"per_gb_second_{architecture}"]
        * _MILLION,
        "S3": spent.puts * objects["per_million_puts"] + spent.gets * objects["per_million_gets"],
        "API Gateway": spent.calls * prices["api_gateway"]["per_million_requests"],
    }
    return {name: per_million / _MILLION for name, per_million in bill.items()}


def total_dollars(spent: Spent, architecture: str) -> float:
    """Return what something costs."""
    return sum(dollars(spent, architecture).values())
