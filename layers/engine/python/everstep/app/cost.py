"""What a run has taken so far: what is recorded of it, and nothing else is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.records import dataclass
from everstep.core.spending import Spent, together

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.app.query import RunView


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What was taken for a run.

    Attributes:
        spent: All of it.
        complete: Whether the run has ended, and nothing is to come.
        steps: What was recorded with each operation, in the order in which the code asked for them.
    """

    spent: Spent
    complete: bool
    steps: Mapping[str, Spent]

    @property
    def rest(self) -> Spent:
        """Return what belongs to no operation: the start and the end of the run."""
        left = self.spent
        for each in self.steps.values():
            left -= each
        return left


def cost_of(view: RunView) -> Cost:
    """Return what was taken for a run; of one that goes on, up to its last record."""
    head, records = view.head, view.progress.records
    steps = {each.key: Spent.read(each.cost) for each in records}
    told = [head.cost, *[each.cost for each in records], *[each.cost for each in view.events]]
    spent = Spent.read(head.total) if head.total else together(told)
    return Cost(spent=spent, complete=bool(head.total), steps=steps)
