"""What to say of recorded items that this release cannot read, without what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """One item that cannot be read.

    Attributes:
        run_id: The run that its key names.
        key: The operation; HEAD for the run itself.
        reason: Which attribute, and what is wrong with it; no payload.
    """

    run_id: str
    key: str
    reason: str


class UnreadableError(ValueError):
    """Say which of the items that were read are unreadable, after all of them were read.

    Attributes:
        items: The unreadable ones.
        found: What the others say, where an answer is more than one item.
    """

    def __init__(self, items: Sequence[Unreadable], found: Sequence[object] = ()) -> None:
        """Name the first one."""
        self.items = tuple(items)
        self.found = tuple(found)
        first = self.items[0]
        super().__init__(
            f"{len(self.items)} items cannot be read, the first: "
            f"{first.key or 'the head'} of run {first.run_id}: {first.reason}"
        )
