"""Accounts that are billed, some of which cannot be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from examples.services.loopback import Answer, Request


@dataclass(slots=True, kw_only=True)
class Billing:
    """Lists with ``GET /accounts``, bills with ``POST /invoices``, keeps ``POST /reports``.

    Attributes:
        accounts: Balance in cents, by account.
        blocked: Accounts that cannot be billed.
        busy: How many more requests for invoices are answered 503.
        invoices: By idempotency key.
        reports: By idempotency key.
    """

    accounts: dict[str, int] = field(
        default_factory=lambda: {f"account-{number}": 100 * number for number in range(1, 21)}
    )
    blocked: set[str] = field(default_factory=set)
    busy: int = 0
    invoices: dict[str, dict[str, Any]] = field(default_factory=dict)
    reports: dict[str, Any] = field(default_factory=dict)

    def answer(self, request: Request) -> Answer:
        """List, bill, or keep a report."""
        match request.path[0]:
            case "accounts":
                return Answer(body=list(self.accounts))
            case "invoices":
                return self._bill(request.body["account"], request.key)
            case _:
                self.reports.setdefault(request.key, request.body)
                return Answer(body={})

    def _bill(self, account: str, key: str) -> Answer:
        if self.busy:
            self.busy -= 1
            return Answer(status=503, body={"error": "busy"})
        if account in self.blocked:
            return Answer(status=422, body={"error": f"{account} is blocked"})
        invoice = {"account": account, "cents": self.accounts[account]}
        return Answer(status=201, body=self.invoices.setdefault(key, invoice))
