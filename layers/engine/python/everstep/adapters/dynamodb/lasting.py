"""What is remembered of the runs that this process has read or made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from everstep.adapters.bounded_cache import BoundedCache
from everstep.adapters.dynamodb.sizes import Shape

if TYPE_CHECKING:
    from everstep.adapters.dynamodb.values import Item

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

    def __init__(self) -> None:
        """Know none."""
        self._runs: BoundedCache[Lasting] = BoundedCache(_RUNS_KNOWN)

    def get(self, run_id: str) -> Lasting | None:
        """Return what is remembered of a run."""
        return self._runs.get(run_id)

    def see(self, run_id: str, workflow: str, retention: int | None, item: Item) -> None:
        """Remember a run; with a large input no more than its shape."""
        text = item["input"]["M"].get("t")
        head = item if text is None or len(text["S"]) < _SMALL else Shape.of(item)
        self._runs.put(run_id, Lasting(workflow=workflow, retention=retention, head=head))
