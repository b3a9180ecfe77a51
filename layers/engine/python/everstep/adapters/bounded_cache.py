"""A cache that forgets what was used longest ago once it is full."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock


class BoundedCache:
    """Keep texts by name, up to a total weight. Safe to share between threads."""

    def __init__(self, capacity: int) -> None:
        """Start empty.

        Args:
            capacity: Highest total weight of what is kept.
        """
        self._capacity = capacity
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self._weight = 0

    def get(self, name: str) -> str | None:
        """Return the text, or None if it is not kept (any more)."""
        with self._lock:
            found = self._kept.get(name)
            if found is None:
                return None
            self._kept.move_to_end(name)
            return found[0]

    def put(self, name: str, text: str, weight: int = 1) -> None:
        """Keep a text; one that is heavier than the whole cache is not kept."""
        if weight > self._capacity:
            return
        with self._lock:
            _, replaced = self._kept.pop(name, ("", 0))
            self._kept[name] = (text, weight)
            self._weight += weight - replaced
            while self._weight > self._capacity:
                _, (_, forgotten) = self._kept.popitem(last=False)
                self._weight -= forgotten
