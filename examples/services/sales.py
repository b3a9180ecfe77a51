"""A shop's sales by region, and a place for reports about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from examples.services.loopback import Answer, Request

_PRODUCTS: Final = ("cups", "milk", "sugar", "tea")
_SALES: Final = 200


def sales_of(region: str) -> list[dict[str, Any]]:
    """Return the day's sales of a region, the same every time."""
    chance = Random(region)  # noqa: S311 - made-up data
    return [
        {"product": chance.choice(_PRODUCTS), "quantity": chance.randint(1, 9), "cents": price}
        for price in (chance.randint(100, 2500) for _ in range(_SALES))
    ]


@dataclass(slots=True, kw_only=True)
class Sales:
    """Gives ``GET /regions/<name>``; keeps ``POST /reports``, once per idempotency key.

    Attributes:
        closed: Regions that there are no figures of.
        reports: By idempotency key.
    """

    closed: set[str] = field(default_factory=set)
    reports: dict[str, Any] = field(default_factory=dict)

    def answer(self, request: Request) -> Answer:
        """Give figures, or keep a report."""
        if request.method == "GET":
            region = request.path[1]
            if region in self.closed:
                return Answer(status=404, body={"error": f"no figures of {region}"})
            return Answer(body=sales_of(region))
        self.reports.setdefault(request.key, request.body)
        return Answer(body={"report": f"report-{list(self.reports).index(request.key) + 1}"})
