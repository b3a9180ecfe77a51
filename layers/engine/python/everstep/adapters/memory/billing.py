"""What requests to the memory store would take, were it DynamoDB: by the same items and rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from everstep.adapters.dynamodb import audits, items
from everstep.adapters.dynamodb.sizes import Shape, Write, count, index_units, item_size
from everstep.core.changes import RunEnded
from everstep.core.meter import meter

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        count(Write.put(item, None if before is None else items.from_record(run_id, before)))
        if applied:
            self._is_there(run_id, item)
        return replace(record, cost=_told(item, "c")) if cost or record.cost else record

    def event(self, run_id: str, event: Event, *, applied: bool) -> Event:
        """Count the write of an event; return it as it is written, with what that took."""
        item = items.from_event(run_id, event)
        count(Write.put(item))
        if applied:
            self._is_there(run_id, item)
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
        writes = [Write.put(item)]
        if claim is not None:
            writes.append(Write.put(items.from_claim(claim)))
        if reference is not None:
            writes.append(Write.put(items.from_reference(reference)))
        if note is not None:
            before, after, entry = note
            writes.append(_changed({}, before, after))
            writes.append(self._entry(before.run_id, entry))
        count(*writes)
        self._is_there(head.run_id, item)
        return replace(head, cost=_told(item, "c")) if head.cost else head

    def change(
        self,
        before: Head,
        after: Head,
        change: HeadChange,
        audit: AuditEntry | None = None,
        successor: Head | None = None,
        reference: Reference | None = None,
    ) -> Head:
        """Count the change of a head; return it as it is after that, with what that took."""
        total = change.total if isinstance(change, RunEnded) else ""
        told: Item = {"total": {"S": total}} if total else {}
        writes = [_changed(told, before, after)]
        if audit is not None:
            writes.append(self._entry(before.run_id, audit))
        if successor is not None:
            begun = items.from_head(successor)
            writes.append(Write.put(begun))
            self._is_there(successor.run_id, begun)
        if reference is not None:
            writes.append(Write.put(items.from_reference(reference)))
        count(*writes)
        changed = replace(after, total=_told(told, "total")) if total else after
        self._is_there(before.run_id, items.from_head(changed))
        return changed

    def in_place(self, *, moved: bool | None = None) -> None:
        """Count a small change in place; ``moved`` says whether to another place in an index."""
        count(Write({}, 0, index=0 if moved is None else 1 + moved))

    def _entry(self, run_id: str, entry: AuditEntry) -> Write:
        item = audits.from_entry(run_id, entry)
        self._is_there(run_id, item)
        return Write.put(item)

    def _is_there(self, run_id: str, item: Item) -> None:
        self._sizes.setdefault(run_id, {})[item["SK"]["S"]] = item_size(item)


def _changed(told: Item, before: Head, after: Head) -> Write:
    old, new = items.from_head(before), items.from_head(after)
    index = index_units(Shape.of(old), Shape.of(new))
    return Write(told, item_size(new), item_size(old), index)


def _told(item: Item, name: str) -> str:
    return item[name].get("S", "")
