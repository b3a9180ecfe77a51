"""Runs, timers, lists and dead letters in memory.

One lock makes every call atomic, and the guards and changes of the core decide as they are
written: this store is the reading of the contract that the others are compared with.
"""

from __future__ import annotations

from heapq import nsmallest
from itertools import islice
from threading import RLock
from typing import TYPE_CHECKING

from everstep.adapters.dynamodb import keys as names
from everstep.adapters.errors import RunIdTakenError
from everstep.adapters.memory.billing import Bill
from everstep.adapters.memory.dead_letters import DeadLetter
from everstep.adapters.memory.due_index import DueIndex, entry
from everstep.core.changes import RunNoted, apply, seal_of
from everstep.core.children import is_same_run
from everstep.core.listing import listed
from everstep.core.model import HEAD, DueEntry, History
from everstep.core.records import replace
from everstep.core.transitions import RUN_NOTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from everstep.core.audit import AuditEntry, Note
    from everstep.core.changes import HeadChange, RunEnded
    from everstep.core.circumstances import Claim, Reference
    from everstep.core.listing import Listed
    from everstep.core.model import Event, Head, OpRecord, RunStatus
    from everstep.core.transitions import Guard, HeadGuard


class MemoryStore:
    """Keep everything in dictionaries of immutable values."""

    def __init__(self, shards: int = 2) -> None:
        """Start empty.

        Args:
            shards: How many shards the due index has of what is to wake up, and as many of what
                is to be removed.
        """
        self._due = DueIndex(shards)
        self._lock = RLock()
        self._heads: dict[str, Head] = {}
        self._records: dict[str, dict[str, OpRecord]] = {}
        self._claims: dict[tuple[str, str], Claim] = {}
        self._references: dict[tuple[str, str], Reference] = {}
        self._events: dict[str, dict[tuple[str, int], Event]] = {}
        self._audit: dict[str, tuple[AuditEntry, ...]] = {}
        self._dead_letters: dict[str, DeadLetter] = {}
        self._bill = Bill()

    # --- RunStore

    def create(
        self,
        head: Head,
        claim: Claim | None,
        note: Note | None = None,
        reference: Reference | None = None,
    ) -> Claim | Reference | Note | None:
        """Write a new run and, with it or not at all, what it holds and what is to be noted.

        Returns:
            None if the run was written, by this call or by an earlier one with the same head;
            the claim that holds the key if another run had it before; else the reference as it
            stands if another run has it than the one to take it over from; else the note if it
            is not the next one any more.

        Raises:
            RunIdTakenError: Another run has this id.
        """
        with self._lock:
            holder = None if claim is None else self._claims.get((claim.workflow, claim.key))
            if holder is not None:
                return None if holder.run_id == head.run_id else holder
            stored = self._heads.get(head.run_id)
            if stored is not None:
                # With a claim, our own earlier call would have been found by it above.
                if claim is not None or not is_same_run(stored, head):
                    raise RunIdTakenError(head.run_id)
                return None
            named = None if reference is None else self._references.get(reference.name)
            if reference is not None and not reference.may_follow(named):
                return named
            noted = None if note is None else self._note(note)
            if note is not None and noted is None:
                return note
            self._write_head(self._bill.creation(head, claim, reference, noted))
            if claim is not None:
                self._claims[claim.workflow, claim.key] = claim
            if reference is not None:
                self._references[reference.name] = replace(reference, instead_of=None)
            return None

    def _note(self, note: Note) -> tuple[Head, Head, AuditEntry] | None:
        head = self._heads.get(note.run_id)
        if head is None or not RUN_NOTED.followed_by(note.entry).allows(head):
            return None
        noted = self._heads[note.run_id] = apply(head, RunNoted(), note.entry)
        self._write_audit(note.run_id, note.entry)
        return head, noted, note.entry

    def reference(self, workflow: str, reference_id: str) -> Reference | None:
        """Return who has a caller's own name, whether or not that run has ended."""
        self._bill.other()
        return self._references.get((workflow, reference_id))

    def claim(self, workflow: str, key: str) -> Claim | None:
        """Return who has an idempotency key, whether or not that run has ended."""
        self._bill.other()
        return self._claims.get((workflow, key))

    def release(self, head: Head) -> None:
        """Give back the idempotency key and the name of a run, unless others have them by now."""
        with self._lock:
            if head.idempotency_key is not None:
                claim = self._claims.get((head.workflow, head.idempotency_key))
                if claim is not None and claim.run_id == head.run_id:
                    del self._claims[claim.workflow, claim.key]
            if head.reference_id is not None:
                named = self._references.get((head.workflow, head.reference_id))
                if named is not None and named.run_id == head.run_id:
                    del self._references[named.name]

    def clear(self, run_id: str, due_at: int) -> bool:
        """Remove some of what is recorded of a run that has ended; say whether nothing is left."""
        with self._lock:
            anything = False
            for key in self._records.get(run_id, ()):
                self._due.put(run_id, key, None)
            for kept in (self._records, self._events, self._audit):
                anything = bool(kept.pop(run_id, None)) or anything
            if anything:
                return False
            head = self._heads.get(run_id)
            if head is not None and head.status.terminal and head.due_at == due_at:
                del self._heads[run_id]
                self._due.put(run_id, HEAD, None)
                self._bill.forget(run_id)
            return True

    def load(self, run_id: str) -> History | None:
        """Return the head and every record."""
        self._bill.partition(run_id)
        return self.history(run_id)

    def history(self, run_id: str) -> History | None:
        """Return the head and every record, for whoever looks on: it takes nothing."""
        with self._lock:
            head = self._heads.get(run_id)
            if head is None:
                return None
            events = tuple(each for _, each in sorted(self._events.get(run_id, {}).items()))
            return History(head=head, records=dict(self._records.get(run_id, {})), events=events)

    def put_event(self, run_id: str, event: Event) -> bool:
        """Keep an event if its name has none with this number; say whether it was kept."""
        with self._lock:
            events = self._events.setdefault(run_id, {})
            free = (event.name, event.number) not in events
            written = self._bill.event(run_id, event, applied=free)
            if free:
                events[event.name, event.number] = written
            return free

    def replace_event(self, run_id: str, event: Event) -> None:
        """Keep an event, in place of the one that has its name and number."""
        with self._lock:
            written = self._bill.event(run_id, event, applied=True)
            self._events.setdefault(run_id, {})[event.name, event.number] = written

    def claim_event(self, run_id: str, name: str, number: int, key: str) -> bool:
        """Give an event to a wait if no other wait has it; say whether this one has it now."""
        with self._lock:
            self._bill.in_place()
            event = self._events.get(run_id, {}).get((name, number))
            if event is None or event.taken_by not in (None, key):
                return False
            self._events[run_id][name, number] = replace(event, taken_by=key)
            return True

    def head(self, run_id: str) -> Head | None:
        """Return the head alone."""
        self._bill.one(run_id)
        return self._heads.get(run_id)

    def record(self, run_id: str, key: str) -> OpRecord | None:
        """Return the record of one operation."""
        with self._lock:
            self._bill.one(run_id, names.operation(key))
            return self._records.get(run_id, {}).get(key)

    def peek(self, run_id: str, keys: Sequence[str]) -> tuple[Head | None, Mapping[str, OpRecord]]:
        """Return the head and the records of some operations."""
        with self._lock:
            self._bill.each(run_id, (names.RUN_HEAD, *map(names.operation, keys)))
            records = self._records.get(run_id, {})
            return self._heads.get(run_id), {key: records[key] for key in keys if key in records}

    def between(
        self, run_id: str, first: str, last: str, most: int
    ) -> tuple[Sequence[OpRecord], bool]:
        """Return the first records from one key to another, and whether there may be more."""
        with self._lock:
            records = self._records.get(run_id, {})
            found = nsmallest(most, (key for key in records if first <= key <= last))
            self._bill.several(run_id, map(names.operation, found))
            return [records[key] for key in found], len(found) == most

    def put(
        self,
        run_id: str,
        record: OpRecord,
        guard: Guard,
        before: OpRecord | None = None,  # noqa: ARG002 - what is there is known here
        cost: str = "",
    ) -> bool:
        """Replace an operation's record if the guard allows it; say whether it did."""
        with self._lock:
            there = self._records.get(run_id, {}).get(record.key)
            allowed = guard.allows(there)
            written = self._bill.record(run_id, record, there, cost, applied=allowed)
            if allowed:
                self._write_record(run_id, written)
            return allowed

    def move(self, run_id: str, key: str, due_at: int | None, guard: Guard) -> bool:
        """Change only a record's place in the due index (None takes it out) if the guard allows it.

        A record that is not there is not made, whatever the guard says.
        """
        with self._lock:
            self._bill.in_place(moved=due_at is not None)
            records = self._records.get(run_id, {})
            record = records.get(key)
            if record is None or not guard.allows(record):
                return False
            self._write_record(run_id, replace(record, due_at=due_at))
            return True

    def change(
        self, run_id: str, change: HeadChange, guard: HeadGuard, audit: AuditEntry | None = None
    ) -> bool:
        """Change the head if the guard allows it; say whether it did.

        An audit entry is written with the change or not at all, and only as the next one.
        """
        with self._lock:
            head = self._heads.get(run_id)
            following = guard.followed_by(seal_of(change)).followed_by(audit)
            if head is None or not following.allows(head):
                self._bill.in_place()
                return False
            changed = apply(head, change, audit)
            self._write_head(self._bill.change(head, changed, change, audit))
            self._write_audit(run_id, audit)
            return True

    def hand_over(
        self,
        run_id: str,
        change: RunEnded,
        guard: HeadGuard,
        successor: Head,
        reference: Reference | None = None,
    ) -> bool:
        """End a run and write the one that goes on in its place, if the guard allows it.

        Both or neither, and with them the caller's own name for the run.

        Raises:
            RunIdTakenError: There is a run with the successor's id already.
        """
        with self._lock:
            head = self._heads.get(run_id)
            if head is None or not guard.followed_by(change.seal).allows(head):
                return False
            named = None if reference is None else self._references.get(reference.name)
            if reference is not None and not reference.may_follow(named):
                return False
            if successor.run_id in self._heads:
                raise RunIdTakenError(successor.run_id)
            changed = apply(head, change)
            for told in self._bill.succession(head, changed, change, successor, reference):
                self._write_head(told)
            if reference is not None:
                self._references[reference.name] = replace(reference, instead_of=None)
            return True

    def audit(self, run_id: str, since: int = 1) -> Sequence[AuditEntry]:
        """Return the audit entries from this number on, in order."""
        with self._lock:
            return [each for each in self._audit.get(run_id, ()) if each.number >= since]

    def _write_audit(self, run_id: str, entry: AuditEntry | None) -> None:
        if entry is not None:
            self._audit[run_id] = (*self._audit.get(run_id, ()), entry)

    def _write_head(self, head: Head) -> None:
        self._heads[head.run_id] = head
        self._due.put(head.run_id, HEAD, head.due_at, removal=head.status.terminal)

    def _write_record(self, run_id: str, record: OpRecord) -> None:
        self._records.setdefault(run_id, {})[record.key] = record
        self._due.put(run_id, record.key, record.due_at)

    # --- TimerIndex

    @property
    def shards(self) -> int:
        """Return how many shards there are; each is read on its own."""
        return self._due.shards

    @property
    def waking(self) -> int:
        """Return how many shards hold what is to wake up; the ones after hold what is to go."""
        return self._due.waking

    def due(self, shard: int, until: int, limit: int, since: int = 0) -> Sequence[DueEntry]:
        """Return entries due from an instant to another, earliest first, at most ``limit``."""
        with self._lock:
            places = self._due.between(shard, since, until)
            found = (entry(place, self._heads, self._records) for place in places)
            return list(islice((each for each in found if each is not None), limit))

    # --- RunList

    def newest(
        self,
        workflow: str,
        status: RunStatus,
        before: str | None,
        limit: int,
        since: str | None = None,
    ) -> Sequence[Listed]:
        """Return up to ``limit`` runs whose id is before ``before``, and not before ``since``."""
        with self._lock:
            found = [
                listed(head)
                for run_id, head in self._heads.items()
                if (head.workflow, head.status) == (workflow, status)
                and (before is None or run_id < before)
                and (since is None or run_id >= since)
            ]
        return sorted(found, key=lambda each: each.run_id, reverse=True)[:limit]

    def count(self, workflow: str, status: RunStatus, limit: int) -> int:
        """Return how many runs there are of a workflow and a status, at most ``limit``."""
        return len(self.newest(workflow, status, None, limit))

    def every(self) -> Sequence[Listed]:
        """Return every run there is, in the order they were created."""
        with self._lock:
            return [listed(head) for head in self._heads.values()]

    # --- DeadLetters

    def keep(self, message_id: str, body: str, reason: str, at: int) -> None:
        """Keep a message and why it could not be processed; keeping it twice changes nothing."""
        letter = DeadLetter(message_id=message_id, body=body, reason=reason, at=at)
        with self._lock:
            self._dead_letters.setdefault(message_id, letter)

    # --- For tests

    def copied(self) -> MemoryStore:
        """Return a store that holds the same now, and goes its own way from here."""
        copy = MemoryStore(self._due.waking)
        with self._lock:
            copy._due = self._due.copied()
            copy._heads = dict(self._heads)
            copy._records = {run_id: dict(records) for run_id, records in self._records.items()}
            copy._events = {run_id: dict(events) for run_id, events in self._events.items()}
            copy._claims = dict(self._claims)
            copy._references = dict(self._references)
            copy._audit = dict(self._audit)
            copy._dead_letters = dict(self._dead_letters)
            copy._bill = self._bill.copied()
        return copy

    @property
    def dead_letters(self) -> Sequence[DeadLetter]:
        """Return what was kept, in the order it came."""
        with self._lock:
            return list(self._dead_letters.values())

    @property
    def run_ids(self) -> Sequence[str]:
        """Return every run, in the order they were created."""
        with self._lock:
            return list(self._heads)
