"""A cache that forgets what was used longest ago once it is full."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class BoundedCache(Generic[T]):
    """Keep values by name, up to a total weight. Safe to share between threads."""

    def __init__(self, capacity: int) -> None:
        """Start empty.

        Args:
            capacity: Highest total weight of what is kept.
        """
        self._capacity = capacity
        self._lock = Lock()
        self._kept: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._weight = 0

    def get(self, name: str) -> T | None:
        """Return the value, or None if it is not kept (any more)."""
        with self._lock:
            found = self._kept.get(name)
            if found is None:
                return None
            self._kept.move_to_end(name)
            return found[0]

    def put(self, name: str, value: T, weight: int = 1) -> None:
        """Keep a value; one that is heavier than the whole cache is not kept."""
        if weight > self._capacity:
            return
        with self._lock:
            replaced = self._kept.pop(name, None)
            self._kept[name] = (value, weight)
            self._weight += weight - (replaced[1] if replaced else 0)
            while self._weight > self._capacity:
                _, (_, forgotten) = self._kept.popitem(last=False)
                self._weight -= forgotten
