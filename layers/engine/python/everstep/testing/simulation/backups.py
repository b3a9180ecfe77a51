"""A backup of the table, and the new table that is made of it.

A backup holds what is recorded at a moment, and nothing of what is in a queue. It is restored as
DynamoDB restores one: to a new table, while the old one stays what it is. So whoever is at work
at that moment goes on with the old table, and only what begins later sees the new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections import Counter

    from everstep.adapters.memory.store import MemoryStore
    from everstep.testing.simulation.invariants import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What was recorded at a moment, and what had been done by then.

    Attributes:
        store: The table; nobody writes to it.
        attempts: How often each attempt had been begun: run, operation, number.
        effects: How often the code of each attempt had been carried out.
    """

    store: MemoryStore
    attempts: Counter[tuple[str, str, int]]
    effects: Counter[tuple[str, str, int]]

    @classmethod
    def of(cls, store: MemoryStore, facts: Facts) -> Self:
        """Return a backup of everything that is recorded now."""
        return cls(
            store=store.copied(), attempts=facts.attempts.copy(), effects=facts.effects.copy()
        )

    def table(self) -> MemoryStore:
        """Return a new table that holds just this."""
        return self.store.copied()

    def rewind(self, facts: Facts) -> None:
        """Forget what the new table knows nothing of.

        What was begun since is begun again, which is no needless repetition. What was carried
        out stays carried out: whoever is at work may still record it.
        """
        facts.disturbances += 1
        facts.attempts = self.attempts.copy()
        facts.restored = True
        facts.accepted = [each for each in facts.accepted if each[0] in self.store.run_ids]
