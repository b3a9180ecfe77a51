"""What was taken for runs and waits, in this process, to be recorded with them."""

from __future__ import annotations

from dataclasses import field
from threading import Lock

from everstep.core.records import dataclass
from everstep.core.spending import NOTHING, Spent


@dataclass(slots=True)
class Unbilled:
    """What was taken for runs and is not recorded yet; what has waited longest is forgotten."""

    most: int = 1024
    _spent: dict[str, Spent] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, run_id: str) -> Spent:
        """Return what waits for a run, to be recorded."""
        with self._lock:
            return self._spent.pop(run_id, NOTHING)

    def put(self, run_id: str, spent: Spent) -> None:
        """Let it wait for the next write to the run."""
        with self._lock:
            self._spent[run_id] = self._spent.pop(run_id, NOTHING) + spent
            if len(self._spent) > self.most:
                del self._spent[next(iter(self._spent))]
