"""The memory store with every write checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from everstep.adapters.memory.store import MemoryStore
    from everstep.core.audit import AuditEntry, Note
    from everstep.core.changes import HeadChange, RunEnded
    from everstep.core.circumstances import Claim, Reference
    from everstep.core.model import Event, Head, History, OpRecord
    from everstep.core.transitions import Guard, HeadGuard

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WatchedStore:
    """The store; every write is checked with what was there before and after."""

    inner: MemoryStore
    check: Callable[[History | None, History | None], None]

    def create(
        self,
        head: Head,
        claim: Claim | None,
        note: Note | None = None,
        reference: Reference | None = None,
    ) -> Claim | Reference | Note | None:
        """Write a new run."""

        def write() -> Claim | Reference | Note | None:
            return self.inner.create(head, claim, note, reference)

        if note is None:
            return self._watched(head.run_id, write)
        return self._watched(note.run_id, lambda: self._watched(head.run_id, write))

    def reference(self, workflow: str, reference_id: str) -> Reference | None:
        """Return who has a caller's own name."""
        return self.inner.reference(workflow, reference_id)

    def claim(self, workflow: str, key: str) -> Claim | None:
        """Return who has an idempotency key."""
        return self.inner.claim(workflow, key)

    def release(self, head: Head) -> None:
        """Give back what a run holds."""
        self.inner.release(head)

    def clear(self, run_id: str, due_at: int) -> bool:
        """Remove some of what is recorded of a run."""
        return self._watched(run_id, lambda: self.inner.clear(run_id, due_at))

    def load(self, run_id: str) -> History | None:
        """Return the head and every record."""
        return self.inner.load(run_id)

    def head(self, run_id: str) -> Head | None:
        """Return the head alone."""
        return self.inner.head(run_id)

    def record(self, run_id: str, key: str) -> OpRecord | None:
        """Return one record."""
        return self.inner.record(run_id, key)

    def peek(self, run_id: str, keys: Sequence[str]) -> tuple[Head | None, Mapping[str, OpRecord]]:
        """Return the head and some records."""
        return self.inner.peek(run_id, keys)

    def between(
        self, run_id: str, first: str, last: str, most: int
    ) -> tuple[Sequence[OpRecord], bool]:
        """Return the first records from one key to another."""
        return self.inner.between(run_id, first, last, most)

    def put(
        self,
        run_id: str,
        record: OpRecord,
        guard: Guard,
        before: OpRecord | None = None,
        cost: str = "",
    ) -> bool:
        """Replace an operation's record."""
        return self._watched(run_id, lambda: self.inner.put(run_id, record, guard, before, cost))

    def move(self, run_id: str, key: str, due_at: int | None, guard: Guard) -> bool:
        """Change a record's place in the due index."""
        return self._watched(run_id, lambda: self.inner.move(run_id, key, due_at, guard))

    def put_event(self, run_id: str, event: Event) -> bool:
        """Keep an event."""
        return self._watched(run_id, lambda: self.inner.put_event(run_id, event))

    def replace_event(self, run_id: str, event: Event) -> None:
        """Keep an event in place of another."""
        self._watched(run_id, lambda: self.inner.replace_event(run_id, event))

    def claim_event(self, run_id: str, name: str, number: int, key: str) -> bool:
        """Give an event to a wait."""
        return self._watched(run_id, lambda: self.inner.claim_event(run_id, name, number, key))

    def change(
        self, run_id: str, change: HeadChange, guard: HeadGuard, audit: AuditEntry | None = None
    ) -> bool:
        """Change the head."""
        return self._watched(run_id, lambda: self.inner.change(run_id, change, guard, audit))

    def hand_over(
        self,
        run_id: str,
        change: RunEnded,
        guard: HeadGuard,
        successor: Head,
        reference: Reference | None = None,
    ) -> bool:
        """End a run and write the one that goes on in its place."""

        def write() -> bool:
            return self.inner.hand_over(run_id, change, guard, successor, reference)

        return self._watched(successor.run_id, lambda: self._watched(run_id, write))

    def audit(self, run_id: str, since: int = 1) -> Sequence[AuditEntry]:
        """Return the audit entries from this number on."""
        return self.inner.audit(run_id, since)

    def _watched(self, run_id: str, write: Callable[[], T]) -> T:
        before = self.inner.history(run_id)
        written = write()
        self.check(before, self.inner.history(run_id))
        return written
