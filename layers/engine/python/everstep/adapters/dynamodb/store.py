"""Runs in DynamoDB.

Every write is one conditional request, so two callers can never both win. Where the answer to a
write was lost and the client sent it again, the second one fails its own condition: ``create``
recognises its own work by reading again; the other writes answer False, and the engine finds
out the same way (see ``core.transitions``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.adapters.aws_errors import TRANSACTION_CANCELLED
from everstep.adapters.dynamodb import audits, conditions, items, keys, reading, updates
from everstep.adapters.dynamodb.lasting import Known
from everstep.adapters.dynamodb.table import Table
from everstep.adapters.errors import AdapterError, RunIdTakenError
from everstep.core.changes import RunNoted, RunWatched, seal_of
from everstep.core.children import is_same_run
from everstep.core.circumstances import Reference
from everstep.core.errors import UnavailableError
from everstep.core.transitions import RUN_NOTED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from types_boto3_dynamodb import DynamoDBClient

    from everstep.adapters.dynamodb.conditions import Condition
    from everstep.adapters.dynamodb.updates import Update
    from everstep.adapters.dynamodb.values import Item
    from everstep.core.audit import AuditEntry, Note
    from everstep.core.changes import HeadChange, RunEnded
    from everstep.core.circumstances import Claim
    from everstep.core.model import Event, Head, History, OpRecord
    from everstep.core.transitions import Guard, HeadGuard

_TRANSACTION_ATTEMPTS: Final = 4
# A batch to delete has at most 25 items; a call makes a few.
_CLEARED: Final = 100


class DynamoRuns:
    """Keep runs as one partition each: the head, and one item per operation."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use this table.

        Args:
            client: Low-level DynamoDB client.
            table: The table's name.
        """
        self._table = Table(client, table)
        self._known = Known(self._table)

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
        if claim is not None or reference is not None or note is not None:
            return self._create_together(head, claim, note, reference)
        if not self._table.put(self._known.item_of(head), conditions.IF_ABSENT):
            self._check_own(head)
        return None

    def _create_together(
        self, head: Head, claim: Claim | None, note: Note | None, reference: Reference | None
    ) -> Claim | Reference | Note | None:
        together = [(self._known.item_of(head), conditions.IF_ABSENT)]
        if claim is not None:
            together.append((items.from_claim(claim), conditions.IF_ABSENT))
        if reference is not None:
            free = conditions.free_of_others(reference.instead_of)
            together.append((items.from_reference(reference), free))
        cancelled: AdapterError | None = None
        for _ in range(_TRANSACTION_ATTEMPTS):
            cancelled = self._cancelled(together, note)
            if cancelled is None:
                return None
            # Reasons are not always given, and do not tell our own repeat from another's call.
            # What is recorded does.
            holder = None if claim is None else self.claim(claim.workflow, claim.key)
            if holder is not None:
                return None if holder.run_id == head.run_id else holder
            if self._is_there(head, claimed=claim is not None):
                return None
            named = None if reference is None else self.reference(*reference.name)
            if reference is not None and not reference.may_follow(named):
                return named
            if note is not None and not _next(note).allows(self.head(note.run_id)):
                return note
            # Nobody won: another transaction touched the same key at this moment.
        raise UnavailableError(f"no room between other transactions: {cancelled}") from cancelled

    def _cancelled(
        self, together: Sequence[tuple[Item, Condition]], note: Note | None
    ) -> AdapterError | None:
        try:
            if note is None:
                self._table.put_together(together)
            else:
                self._table.update_together(
                    (keys.run(note.run_id), keys.RUN_HEAD),
                    updates.head(note.run_id, "", RunNoted(), note.entry),
                    conditions.on_head(_next(note)),
                    [*together, (audits.from_entry(note.run_id, note.entry), conditions.IF_ABSENT)],
                    self._known.shape(note.run_id),
                )
        except AdapterError as error:
            if error.code != TRANSACTION_CANCELLED:
                raise
            return error
        return None

    def _is_there(self, head: Head, *, claimed: bool) -> bool:
        """Say whether this call, sent twice, wrote the run.

        Raises:
            RunIdTakenError: Somebody else did; with a claim, ours would have brought it along.
        """
        stored = self.head(head.run_id)
        if stored is not None and (claimed or not is_same_run(stored, head)):
            raise RunIdTakenError(head.run_id)
        return stored is not None

    def reference(self, workflow: str, reference_id: str) -> Reference | None:
        """Return who has a caller's own name, whether or not that run has ended."""
        item = self._table.get(keys.reference(workflow, reference_id), keys.ALONE)
        if item is None:
            return None
        return Reference(workflow=workflow, reference_id=reference_id, run_id=item["run"]["S"])

    def claim(self, workflow: str, key: str) -> Claim | None:
        """Return who has an idempotency key, whether or not that run has ended."""
        item = self._table.get(keys.claim(workflow, key), keys.ALONE)
        return None if item is None else items.to_claim(item)

    def _check_own(self, head: Head) -> None:
        """Accept that the run is there already if this call, sent twice, wrote it."""
        stored = self.head(head.run_id)
        if stored is None:
            raise UnavailableError(f"run {head.run_id} was in the way and is gone: try again")
        if not is_same_run(stored, head):
            raise RunIdTakenError(head.run_id)

    def load(self, run_id: str) -> History | None:
        """Return the head and every record, in one query (one request per megabyte).

        Raises:
            UnreadableError: Some of them cannot be read; it names each.
        """
        return reading.to_history(self._table.partition(keys.run(run_id)), self._known.seen)

    def head(self, run_id: str) -> Head | None:
        """Return the head alone."""
        item = self._table.get(keys.run(run_id), keys.RUN_HEAD)
        if item is None:
            return None
        return self._known.seen(item)

    def record(self, run_id: str, key: str) -> OpRecord | None:
        """Return the record of one operation.

        Raises:
            UnreadableError: It cannot be read.
        """
        item = self._table.get(keys.run(run_id), keys.operation(key))
        return reading.to_glance(None, [item])[1].get(key)

    def peek(
        self, run_id: str, operations: Sequence[str]
    ) -> tuple[Head | None, Mapping[str, OpRecord]]:
        """Return the head and the records of some operations, in one request.

        Raises:
            UnreadableError: Some of them cannot be read; it names each.
        """
        sort_keys = (keys.RUN_HEAD, *map(keys.operation, operations))
        found, *records = self._table.get_together(keys.run(run_id), sort_keys)
        return reading.to_glance(found, records, self._known.seen)

    def between(
        self, run_id: str, first: str, last: str, most: int
    ) -> tuple[Sequence[OpRecord], bool]:
        """Return the first records from one key to another, and whether there may be more.

        Raises:
            UnreadableError: Some of them cannot be read; it names each.
        """
        asked = keys.operation(first), keys.operation(last)
        found, more = self._table.between(keys.run(run_id), asked, most)
        return list(reading.to_glance(None, found)[1].values()), more

    def put(
        self,
        run_id: str,
        record: OpRecord,
        guard: Guard,
        before: OpRecord | None = None,
        cost: str = "",
    ) -> bool:
        """Replace an operation's record if the guard allows it; say whether it did."""
        item = items.from_record(run_id, record)
        if cost:
            item["c"] = {"S": cost}
        replaced = None if before is None else items.from_record(run_id, before)
        return self._table.put(item, conditions.on_record(guard), replaced)

    def move(self, run_id: str, key: str, due_at: int | None, guard: Guard) -> bool:
        """Change only a record's place in the due index (None takes it out) if the guard allows it.

        A record that is not there is not made, whatever the guard says.
        """
        return self._table.update(
            keys.run(run_id),
            keys.operation(key),
            updates.due(run_id, due_at),
            conditions.on_existing_record(guard),
        )

    def put_event(self, run_id: str, event: Event) -> bool:
        """Keep an event if its name has none with this number; say whether it was kept."""
        return self._table.put(items.from_event(run_id, event), conditions.IF_ABSENT)

    def replace_event(self, run_id: str, event: Event) -> None:
        """Keep an event, in place of the one that has its name and number."""
        self._table.put(items.from_event(run_id, event), conditions.ALWAYS)

    def claim_event(self, run_id: str, name: str, number: int, key: str) -> bool:
        """Give an event to a wait if no other wait has it; say whether this one has it now."""
        return self._table.update(
            keys.run(run_id),
            keys.event(name, number),
            updates.claimed(key),
            conditions.unclaimed(key),
        )

    def change(
        self, run_id: str, change: HeadChange, guard: HeadGuard, audit: AuditEntry | None = None
    ) -> bool:
        """Change the head if the guard allows it; say whether it did.

        An audit entry is written with the change or not at all, and only as the next one.
        """
        lasting = None if isinstance(change, RunWatched) else self._known.lasting(run_id)
        if lasting is None and not isinstance(change, RunWatched):
            return False
        workflow, retention = (lasting.workflow, lasting.retention) if lasting else ("", None)
        update = updates.head(run_id, workflow, change, audit, retention)
        if audit is not None:
            entry = (audits.from_entry(run_id, audit), conditions.IF_ABSENT)
            return self._change_together(run_id, update, guard.followed_by(audit), [entry])
        following = conditions.on_head(guard.followed_by(seal_of(change)))
        before = self._known.shape(run_id)
        return self._table.update(keys.run(run_id), keys.RUN_HEAD, update, following, before)

    def _change_together(
        self,
        run_id: str,
        update: Update,
        guard: HeadGuard,
        items: Sequence[tuple[Item, Condition]],
        is_free: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Change a head and write items, or nothing of it; say whether that was done.

        Args:
            run_id: The run.
            update: What happens to its head.
            guard: What the head must be for that.
            items: What is written with it.
            is_free: Says after a refusal whether the items can still be written.
        """
        condition, before = conditions.on_head(guard), self._known.shape(run_id)
        cancelled: AdapterError | None = None
        for _ in range(_TRANSACTION_ATTEMPTS):
            try:
                place = (keys.run(run_id), keys.RUN_HEAD)
                self._table.update_together(place, update, condition, items, before)
            except AdapterError as error:
                if error.code != TRANSACTION_CANCELLED:
                    raise
                cancelled = error
            else:
                return True
            # Refused by a condition, or in the way of another write at this moment: what is
            # recorded tells, where reasons are not always given.
            if not guard.allows(self.head(run_id)) or not is_free():
                return False
        raise UnavailableError(f"no room between other transactions: {cancelled}") from cancelled

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
        together = [(self._known.item_of(successor), conditions.IF_ABSENT)]
        if reference is not None:
            free = conditions.free_of_others(reference.instead_of)
            together.append((items.from_reference(reference), free))

        def is_free() -> bool:
            if reference is not None and not reference.may_follow(self.reference(*reference.name)):
                return False
            if self.head(successor.run_id) is not None:
                raise RunIdTakenError(successor.run_id)
            return True

        update = updates.head(run_id, successor.workflow, change, retention=successor.retention)
        following = guard.followed_by(change.seal)
        return self._change_together(run_id, update, following, together, is_free)

    def audit(self, run_id: str, since: int = 1) -> Sequence[AuditEntry]:
        """Return the audit entries from this number on, in order.

        Raises:
            UnreadableError: Some of them cannot be read; it names each.
        """
        found = self._table.stretch(keys.run(run_id), keys.audit(since), keys.LAST_AUDIT)
        return audits.to_entries(found)

    def release(self, head: Head) -> None:
        """Give back the idempotency key and the name of a run, unless others have them by now."""
        own = conditions.held_by(head.run_id)
        if head.idempotency_key is not None:
            claim = keys.claim(head.workflow, head.idempotency_key)
            self._table.delete(claim, keys.ALONE, own)
        if head.reference_id is not None:
            name = keys.reference(head.workflow, head.reference_id)
            self._table.delete(name, keys.ALONE, own)

    def clear(self, run_id: str, due_at: int) -> bool:
        """Remove some of what is recorded of a run that has ended; say whether nothing is left.

        What DynamoDB leaves undone of a batch is found by the next call.
        """
        partition = keys.run(run_id)
        found = list(self._table.sort_keys_after(partition, keys.RUN_HEAD, _CLEARED))
        if found:
            self._table.delete_all(partition, found)
            return False
        self._table.delete(partition, keys.RUN_HEAD, conditions.ended_and_due(due_at))
        return True


def _next(note: Note) -> HeadGuard:
    return RUN_NOTED.followed_by(note.entry)
