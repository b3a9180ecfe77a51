"""Audit entries as attribute maps, and back.

=========== ==== =================================================
attribute   type what
=========== ==== =================================================
PK, SK      S    see ``keys``; run id and number are in them
at          N    when it was done
action      S    what was done
previous    S    hash of the entry before it
who         S    who asked for it
why         S    what for
details     M    what else is said, all S
=========== ==== =================================================

They stand in the run's own partition, where one transaction writes them together with the head.
A query for the history reads them along and leaves them out: they are small, and most runs have
none. How a run came to be and how it ended is told by its head.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.adapters.dynamodb import damage, keys
from everstep.adapters.dynamodb.values import add_text, from_text, text_in, to_text
from everstep.core.audit import Action, AuditEntry
from everstep.core.model import HEAD
from everstep.core.unreadable import Unreadable, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.adapters.dynamodb.values import Item


def from_entry(run_id: str, entry: AuditEntry) -> Item:
    """Return the item of an audit entry."""
    item: Item = {
        "PK": {"S": keys.run(run_id)},
        "SK": {"S": keys.audit(entry.number)},
        "at": {"N": str(entry.at)},
        "action": {"S": entry.action},
        "previous": {"S": entry.previous},
    }
    add_text(item, "who", entry.who)
    add_text(item, "why", entry.why)
    if entry.details:
        said = {name: from_text(value) for name, value in entry.details.items()}
        item["details"] = {"M": said}
    return item


def to_entry(item: Item) -> AuditEntry:
    """Return the audit entry of an item."""
    return AuditEntry(
        number=keys.audit_of(item["SK"]["S"]),
        at=int(item["at"]["N"]),
        action=Action(item["action"]["S"]),
        previous=item["previous"]["S"],
        who=text_in(item, "who"),
        why=text_in(item, "why"),
        details={
            name: to_text(value) for name, value in item.get("details", {"M": {}})["M"].items()
        },
    )


def to_entries(items: Iterable[Item]) -> list[AuditEntry]:
    """Return the audit entries of items.

    Raises:
        UnreadableError: Some of them cannot be read; it names each.
    """
    entries: list[AuditEntry] = []
    broken: list[Unreadable] = []
    for item in items:
        try:
            entries.append(to_entry(item))
        except damage.BROKEN:
            broken.append(unreadable(item))
    if broken:
        raise UnreadableError(broken)
    return entries


def unreadable(item: Item) -> Unreadable:
    """Say of which entry the item could not be read."""
    return Unreadable(
        run_id=keys.run_of(item["PK"]["S"]),
        key=HEAD,
        reason=f"audit entry {item['SK']['S']} is not of the form that this release writes",
    )
