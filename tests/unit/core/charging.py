"""A charge, a wait and a shipment: recorded once, and looked at beside other code."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from everstep import Context  # noqa: TC001 - annotations of workflows are read
from everstep.core.codec import encode
from everstep.core.compatibility import check_replay
from everstep.core.model import ErrorInfo, Payload, RunStatus
from tests.unit.core.builders import NOW, Body, definition, history_of

if TYPE_CHECKING:
    from everstep.core.model import History
    from everstep.core.replay_reports import ReplayReport


def charge(amount: int, currency: str = "EUR") -> str:
    return f"{amount} {currency}"


def ship(order: str) -> str:
    return order


def nothing() -> None:
    """Do nothing."""


async def recorded(ctx: Context) -> str:
    """Charge, wait, ship: the code that made the histories of these tests."""
    await ctx.step(charge, 10)
    await ctx.sleep(60, name="wait")
    return await ctx.step(ship, "o-1")


def history(*, status: RunStatus = RunStatus.RUNNING, **head: Any) -> History:  # noqa: ANN401
    """Return a history in which the shipping is still to come."""
    made = history_of(recorded, {"charge#1": "10 EUR", "wait#1": None})
    return replace(made, head=replace(made.head, status=status, **head))


def ended(result: object = "o-1") -> History:
    made = history_of(recorded, {"charge#1": "10 EUR", "wait#1": None, "ship#1": "o-1"})
    head = replace(
        made.head, status=RunStatus.COMPLETED, ended_at=NOW, result=Payload(text=encode(result))
    )
    return replace(made, head=head)


def failed(error: ErrorInfo, made: History | None = None) -> History:
    made = made or ended()
    return replace(made, head=replace(made.head, status=RunStatus.FAILED, result=None, error=error))


def check(body: Body, told: History | None = None, *, values: bool = True) -> ReplayReport:
    return check_replay(definition(body), told or history(), values=values)


def said(report: ReplayReport) -> list[str]:
    """Return the lines of a report without the last, which names the run."""
    *lines, last = str(report).splitlines()
    assert last == "(run run-1 of order version 1)"
    return lines
