"""What a pass waits for: by key, by scope, and the latest of it."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from everstep.core.decisions import Pending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.core.fibers import Fiber, Group
    from everstep.core.model import OpRecord
    from everstep.core.operations import Operation


class Frontier:
    """The operations that fibers wait for, in the order in which they came to them.

    Whatever is asked of it (but for ``all``) takes the same time however many there are.

    Attributes:
        news: What was added since ``tell`` was called last.
    """

    def __init__(self, began: int) -> None:
        """Wait for nothing.

        Args:
            began: When the run was made.
        """
        self.news: list[Pending] = []
        self._began = began
        self._waiting: dict[str, tuple[Fiber, Pending]] = {}
        # A fiber waits for one operation at a time.
        self._in_scope: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def tell(self) -> None:
        """Begin to tell anew what is added."""
        self.news = []

    def add(
        self, fiber: Fiber, operation: Operation[Any], key: str, record: OpRecord | None
    ) -> None:
        """Let a fiber wait for an operation."""
        pending = Pending(
            key=key,
            operation=operation,
            record=record,
            unlocked_by=fiber.last,
            ready_at=max(fiber.frame.now, self._began),
            interrupted=fiber.interrupted,
            patches=fiber.frame.patches,
            lines=fiber.frame.lines,
        )
        self._waiting[key] = fiber, pending
        self._in_scope[fiber.frame.scope] = key
        self.news.append(pending)

    def remove(self, key: str) -> tuple[Fiber, Pending]:
        """Let the fiber that waits for an operation go on."""
        fiber, pending = self._waiting.pop(key)
        del self._in_scope[fiber.frame.scope]
        return fiber, pending

    def get(self, key: str) -> Pending | None:
        """Return the operation with this key, if it is waited for."""
        found = self._waiting.get(key)
        return None if found is None else found[1]

    def within(self, scope: str) -> Pending | None:
        """Return the operation that is waited for in a scope, if one is."""
        key = self._in_scope.get(scope)
        return None if key is None else self.get(key)

    def is_spare(self, key: str) -> bool:
        """Say whether an operation lies in a branch that others may make superfluous by success."""
        fiber, _ = self._waiting[key]
        while fiber.group is not None:
            if fiber.group.call.completion.is_enough_before_all:
                return True
            fiber = fiber.group.parent
        return False

    def all(self) -> tuple[Pending, ...]:
        """Return everything that is waited for."""
        return tuple(pending for _, pending in self._waiting.values())

    def latest(self, group: Group, first: str = "") -> Iterator[Pending]:
        """Yield what branches of a group wait for themselves, the latest first.

        Args:
            group: The group.
            first: The operation to yield before all others, if it is one of them.
        """
        sooner = (first,) if first in self._waiting else ()
        others = (key for key in reversed(self._waiting) if key != first)
        for key in chain(sooner, others):
            fiber, pending = self._waiting[key]
            if fiber.group is group:
                yield pending
