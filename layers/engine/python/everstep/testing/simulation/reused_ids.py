"""Ids that do not depend on how often somebody had to begin anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.adapters.memory.ids import SequenceIds, secret_of

if TYPE_CHECKING:
    from everstep.adapters.memory.store import MemoryStore


class ReusedIds:
    """Draw the first run id that no run has; a token is new each time."""

    def __init__(self, store: MemoryStore) -> None:
        """Look at the runs of this store."""
        self._store = store
        self._tokens = SequenceIds()

    def run_id(self) -> str:
        """Return the first id that is free."""
        ids = SequenceIds()
        taken = set(self._store.run_ids)
        while (drawn := ids.run_id()) in taken:
            pass
        return drawn

    def token(self) -> str:
        """Return a new message token that nobody had before."""
        return self._tokens.token()

    def secret(self) -> str:
        """Return the secret of the run that is to be made; what is made of it is compared."""
        return secret_of(self.run_id())
