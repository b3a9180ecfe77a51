"""What is remembered of the runs that this process has read or made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.adapters.bounded_cache import BoundedCache
from everstep.adapters.dynamodb import items, keys
from everstep.adapters.dynamodb.sizes import Shape
from everstep.adapters.dynamodb.values import number_in
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from everstep.adapters.dynamodb.table import Table
    from everstep.adapters.dynamodb.values import Item
    from everstep.core.model import Head

_RUNS_KNOWN: Final = 1024
_SMALL: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """What is needed to change a run's head, and to say what that takes.

    Attributes:
        workflow: The partition of the list index is made of it.
        retention: The place in the due index from which an ended run is removed is made of it.
        head: The item as it was seen last, or its shape.
    """

    workflow: str
    retention: int | None
    head: Item | Shape | None = None

    @property
    def shape(self) -> Shape | None:
        """Return the shape of the head, as far as it is known."""
        return Shape.of(self.head) if isinstance(self.head, dict) else self.head


class Known:
    """The runs that were seen last."""

    def __init__(self, table: Table) -> None:
        """Know none; ask the table for those that are not known."""
        self._table = table
        self._runs: BoundedCache[Lasting] = BoundedCache(_RUNS_KNOWN)

    def seen(self, item: Item) -> Head:
        """Return the head of an item that was read, and remember the run."""
        head = items.to_head(item)
        self._see(head, item)
        return head

    def item_of(self, head: Head) -> Item:
        """Return the item of a head that is to be written, and remember the run."""
        item = items.from_head(head)
        self._see(head, item)
        return item

    def shape(self, run_id: str) -> Shape | None:
        """Return the shape of a run's head, as far as it is known."""
        known = self._runs.get(run_id)
        return None if known is None else known.shape

    def lasting(self, run_id: str) -> Lasting | None:
        """Return it, in practice without a request: who changes a run has read it."""
        known = self._runs.get(run_id)
        if known is not None:
            return known
        item = self._table.get(keys.run(run_id), keys.RUN_HEAD, ["workflow", "keep"])
        if item is None:
            return None
        return Lasting(workflow=item["workflow"]["S"], retention=number_in(item, "keep"))

    def _see(self, head: Head, item: Item) -> None:
        kept = item if len(head.input.text or "") < _SMALL else Shape.of(item)
        lasting = Lasting(workflow=head.workflow, retention=head.retention, head=kept)
        self._runs.put(head.run_id, lasting)
