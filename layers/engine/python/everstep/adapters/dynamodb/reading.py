"""Items of a run, read into what they hold; whatever cannot be read is named, all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.adapters.dynamodb import damage, items, keys
from everstep.core.model import History
from everstep.core.unreadable import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from everstep.adapters.dynamodb.values import Item
    from everstep.core.model import Event, Head, OpRecord
    from everstep.core.unreadable import Unreadable


def to_history(found: Iterable[Item], to_head: Callable[[Item], Head]) -> History | None:
    """Return what the items of a run's partition hold; None if there is no head.

    Args:
        found: The items.
        to_head: Reads the item of a head.

    Raises:
        UnreadableError: Some of them cannot be read; it names each.
    """
    head: Head | None = None
    unreadable: list[Unreadable] = []
    records: dict[str, OpRecord] = {}
    events: list[Event] = []
    for item in found:
        sort_key = item["SK"]["S"]
        try:
            if keys.is_operation(sort_key):
                record = items.to_record(item)
                records[record.key] = record
            elif sort_key == keys.RUN_HEAD:
                head = to_head(item)
            elif keys.is_event(sort_key):
                events.append(items.to_event(item))
        except damage.BROKEN:
            unreadable.append(damage.unreadable(item))
    if unreadable:
        raise UnreadableError(unreadable)
    return None if head is None else History(head=head, records=records, events=tuple(events))


def to_glance(
    head: Item | None,
    operations: Sequence[Item | None],
    to_head: Callable[[Item], Head] = items.to_head,
) -> tuple[Head | None, dict[str, OpRecord]]:
    """Return what a head and some records hold, as far as they are there.

    Raises:
        UnreadableError: Some of them cannot be read; it names each.
    """
    unreadable: list[Unreadable] = []
    seen = damage.read(head, to_head, unreadable)
    records = [damage.read(item, items.to_record, unreadable) for item in operations]
    if unreadable:
        raise UnreadableError(unreadable)
    return seen, {record.key: record for record in records if record is not None}
