"""Let a run stand still that has cost more than it may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.decisions import Suspended
from everstep.core.errors import EverstepError
from everstep.core.spending import NANOS, Spent

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.model import Head
    from everstep.core.replay import Replay


class BudgetExceeded(EverstepError):  # noqa: N818 - it names what people see
    """Say that a run has cost more than it may, and how it can go on."""


def check_budget(engine: Engine, head: Head, replay: Replay) -> None:
    """Make sure that a run that is to go on has not cost more than it may.

    What counts is what is recorded. Without a budget nothing is added up.

    Raises:
        BudgetExceeded: It has.
    """
    limit = replay.definition.budget if head.budget is None else head.budget
    if limit is None or head.ending is not None or not isinstance(replay.decision, Suspended):
        return
    from everstep.app.prices import dollars

    spent = replay.ledger.spent + Spent.read(head.cost)
    bill = dollars(spent, engine.architecture)
    total = sum(bill.values())
    if total * NANOS <= limit:
        return
    most = sorted(bill.items(), key=lambda each: -each[1])
    on_what = ", ".join(f"{name} ${part:.8f}" for name, part in most if part)
    raise BudgetExceeded(
        f"${total:.8f} of a budget of ${limit / NANOS:.8f} ({on_what}); it goes on with "
        f"`everstep runs resume {head.run_id} --budget {2 * total:.6g}`, or is resumed once "
        f"workflow {head.workflow} is deployed with a larger budget"
    )
