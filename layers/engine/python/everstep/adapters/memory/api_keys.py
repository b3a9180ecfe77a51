"""API keys within one process."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

from everstep.core.records import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.core.api_keys import ApiKey


class MemoryKeys:
    """Keep API keys in memory; each call is one atomic step, as in DynamoDB."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._calls: Counter[tuple[str, int]] = Counter()
        self._lock = Lock()

    def add(self, key: ApiKey) -> bool:
        """Keep a new key; say whether its id was free."""
        with self._lock:
            return self._keys.setdefault(key.key_id, key) is key

    def get(self, key_id: str) -> ApiKey | None:
        """Return a key as it is now."""
        with self._lock:
            return self._keys.get(key_id)

    def every(self) -> Sequence[ApiKey]:
        """Return every key there is."""
        with self._lock:
            return list(self._keys.values())

    def replace(self, key: ApiKey) -> bool:
        """Keep a key in place of its revision before this one; say whether that was there."""
        with self._lock:
            found = self._keys.get(key.key_id)
            if found is None or found.revision != key.revision - 1:
                return False
            self._keys[key.key_id] = replace(key, last_used_at=found.last_used_at)
            return True

    def touch(self, key_id: str, at: int, seen: int | None) -> bool:
        """Record a use if the last one is still the one that was seen; say whether it was."""
        with self._lock:
            found = self._keys.get(key_id)
            if found is None or found.last_used_at != seen:
                return False
            self._keys[key_id] = replace(found, last_used_at=at)
            return True

    def count(self, key_id: str, minute: int, most: int) -> bool:
        """Count a call in a minute, unless there were ``most``; say whether it was."""
        with self._lock:
            if self._calls[key_id, minute] >= most:
                return False
            self._calls[key_id, minute] += 1
            return True
