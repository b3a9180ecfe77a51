"""What a run has taken so far: what is recorded of it, and nothing else is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.records import dataclass
from everstep.core.spending import Spent, together
from everstep.core.waits import unused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.app.query import RunView
    from everstep.core.model import Event, Head, OpRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What was taken for a run.

    Attributes:
        spent: All of it.
        past: What was taken for the runs in whose place it goes on.
        successor: The run that goes on in its place.
        complete: Whether the run has ended, and nothing is to come.
        steps: What was recorded with each operation, in the order in which the code asked for them.
    """

    spent: Spent
    past: Spent
    successor: str | None
    complete: bool
    steps: Mapping[str, Spent]

    @property
    def chain(self) -> Spent:
        """Return what was taken for the run and those in whose place it goes on."""
        return self.past + self.spent

    @property
    def rest(self) -> Spent:
        """Return what belongs to no operation: the start, the end, events that nobody has taken."""
        left = self.spent
        for each in self.steps.values():
            left -= each
        return left


def spent_on(head: Head, records: Mapping[str, OpRecord], events: Iterable[Event]) -> Spent:
    """Return what was taken for a run, by all that is recorded of it."""
    told = [head.total] if head.total else [head.cost, *[each.cost for each in records.values()]]
    # What a wait has taken is on its account; what nobody has is the successor's, if there is one.
    left = () if head.successor else unused(events, records)
    return together([*told, *[each.cost for each in left]])


def cost_of(view: RunView) -> Cost:
    """Return what was taken for a run; of one that goes on, up to its last record."""
    head, records = view.head, view.progress.records
    steps = {each.key: Spent.read(each.cost) for each in records}
    return Cost(
        spent=spent_on(head, {each.key: each for each in records}, view.events),
        past=Spent.read(head.past),
        successor=head.successor,
        complete=head.status.terminal,
        steps=steps,
    )
