"""What runs say that they have cost, beside what was counted below the SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench.ledger import Phase
from everstep.core.spending import together

if TYPE_CHECKING:
    from bench.ledger import Ledger


def compared(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """Return both counts of all runs that have ended, and by how much they differ."""
    heads = (
        item
        for (partition, sort_key), item in ledger.table.items.items()
        if sort_key == "#HEAD" and partition.removeprefix("RUN#") in ledger.groups
    )
    told = together(item["total"]["S"] for item in heads if "total" in item)
    tallies = [ledger.of(phase) for phase in Phase if phase is not Phase.OTHER]
    calls = [(name, n) for tally in tallies for name, n in tally.calls.items()]
    counted = {
        "table requests": sum(n for name, n in calls if name.startswith("dynamodb ")),
        "read units": sum(tally.read_units for tally in tallies),
        "write units": sum(tally.write_units for tally in tallies),
        "index write units": sum(tally.index_units.total() for tally in tallies),
        "SQS requests to send": sum(tally.sqs_requests for tally in tallies),
    }
    charged = {
        "table requests": told.requests,
        "read units": told.read_units,
        "write units": told.writes,
        "index write units": told.index_writes,
        "SQS requests to send": told.sends,
    }
    return {
        "charged": charged,
        "counted": counted,
        "differences": {name: charged[name] - n for name, n in counted.items()},
        "time": {"invocations": round(told.invocations, 3), "milliseconds": told.millis},
    }
