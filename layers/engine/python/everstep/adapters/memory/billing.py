"""What requests to the memory store would take, were it DynamoDB: by the same items and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.adapters.dynamodb import audits, items, keys
from everstep.adapters.dynamodb.sizes import Write, count, index_units, indexed_in, item_size
from everstep.core.changes import RunEnded
from everstep.core.meter import meter
from everstep.core.records import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from everstep.adapters.dynamodb.values import Item
    from everstep.core.audit import AuditEntry
    from everstep.core.changes import HeadChange
    from everstep.core.circumstances import Claim, Reference
    from everstep.core.model import Event, Head, OpRecord


class Bill:
    """Counts requests, and knows how large each run is."""

    def __init__(self) -> None:
        """Know of no run."""
        self._sizes: dict[str, dict[str, int]] = {}

    def copied(self) -> Bill:
        """Return one that knows the same now, and goes its own way from here."""
        copy = Bill()
        copy._sizes = {run_id: dict(sizes) for run_id, sizes in self._sizes.items()}
        return copy

    def forget(self, run_id: str) -> None:
        """Forget a run that is gone."""
        self._sizes.pop(run_id, None)

    # --- Reads

    def partition(self, run_id: str) -> None:
        """Count the read of everything that there is of a run."""
        meter().read(sum(self._sizes.get(run_id, {}).values()))

    def one(self, run_id: str, sort_key: str = "#HEAD") -> None:
        """Count the read of one item of a run."""
        meter().read(self._sizes.get(run_id, {}).get(sort_key, 0))

    def each(self, run_id: str, sort_keys: Iterable[str]) -> None:
        """Count the read of items of a run, one by one in one request."""
        sizes = self._sizes.get(run_id, {})
        meter().read_each([sizes.get(sort_key, 0) for sort_key in sort_keys])

    def several(self, run_id: str, sort_keys: Iterable[str]) -> None:
        """Count the read of items of a run, together."""
        sizes = self._sizes.get(run_id, {})
        meter().read(sum(sizes.get(sort_key, 0) for sort_key in sort_keys))

    def other(self) -> None:
        """Count the read of something small."""
        meter().read(0)

    # --- Writes

    def record(
        self, run_id: str, record: OpRecord, before: OpRecord | None, cost: str, *, applied: bool
    ) -> OpRecord:
        """Count the write of a record; return it as it is written, with what that took."""
        item = items.from_record(run_id, record)
        if cost:
            item["c"] = {"S": cost}
        write = Write.put(item, None if before is None else items.from_record(run_id, before))
        count(write)
        if applied:
            self._is_there(run_id, item, write)
        return replace(record, cost=_told(item, "c")) if cost or record.cost else record

    def event(self, run_id: str, event: Event, *, applied: bool) -> Event:
        """Count the write of an event; return it as it is written, with what that took."""
        item = items.from_event(run_id, event)
        write = Write.put(item)
        count(write)
        if applied:
            self._is_there(run_id, item, write)
        return replace(event, cost=_told(item, "c")) if event.cost else event

    def creation(
        self,
        head: Head,
        claim: Claim | None,
        reference: Reference | None,
        note: tuple[Head, Head, AuditEntry] | None,
    ) -> Head:
        """Count the write of a new run; return its head as it is written, with what that took."""
        item = items.from_head(head)
        begins = Write.put(item)
        writes = [begins]
        if claim is not None:
            writes.append(Write.put(items.from_claim(claim)))
        if reference is not None:
            writes.append(Write.put(items.from_reference(reference)))
        if note is not None:
            before, after, entry = note
            writes.append(_changed({}, before, after))
            writes.append(self._entry(before.run_id, entry))
        count(*writes)
        self._is_there(head.run_id, item, begins)
        return replace(head, cost=_told(item, "c")) if head.cost else head

    def change(
        self,
        before: Head,
        after: Head,
        change: HeadChange,
        audit: AuditEntry | None = None,
    ) -> Head:
        """Count the change of a head; return it as it is after that, with what that took."""
        others = [] if audit is None else [self._entry(before.run_id, audit)]
        return self._changed(before, after, change, others)

    def succession(
        self,
        before: Head,
        after: Head,
        change: RunEnded,
        successor: Head,
        reference: Reference | None,
    ) -> tuple[Head, Head]:
        """Count the end of a run and its successor; return both heads with what that took."""
        begun = items.from_head(successor)
        writes = [Write.put(begun)]
        if reference is not None:
            writes.append(Write.put(items.from_reference(reference)))
        ended = self._changed(before, after, change, writes)
        self._is_there(successor.run_id, begun, writes[0])
        return ended, replace(successor, past=_told(begun, "past")) if successor.past else successor

    def _changed(
        self, before: Head, after: Head, change: HeadChange, others: Sequence[Write]
    ) -> Head:
        total = change.total if isinstance(change, RunEnded) else ""
        told: Item = {"total": {"S": total}} if total else {}
        write = _changed(told, before, after)
        count(write, *others)
        self._sizes.setdefault(before.run_id, {})[keys.RUN_HEAD] = write.size
        return replace(after, total=_told(told, "total")) if total else after

    def in_place(self, *, moved: bool | None = None) -> None:
        """Count a small change in place; ``moved`` says whether to another place in an index."""
        count(Write({}, 0, index=0 if moved is None else 1 + moved))

    def _entry(self, run_id: str, entry: AuditEntry) -> Write:
        item = audits.from_entry(run_id, entry)
        write = Write.put(item)
        self._is_there(run_id, item, write)
        return write

    def _is_there(self, run_id: str, item: Item, write: Write) -> None:
        self._sizes.setdefault(run_id, {})[item["SK"]["S"]] = write.size


def _changed(told: Item, before: Head, after: Head) -> Write:
    old, new = items.from_head(before), items.from_head(after)
    index = index_units(indexed_in(old), indexed_in(new))
    return Write(told, item_size(new), item_size(old), index)


def _told(item: Item, name: str) -> str:
    return item[name].get("S", "")
