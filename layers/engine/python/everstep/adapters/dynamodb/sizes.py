"""How large items are for DynamoDB, and how many units writes take.

The rules are those of the developer guide, "DynamoDB item sizes and formats", for what this
package writes: texts, whole numbers, lists and maps. Where it says "approximately" (numbers), the
upper end is taken. A write takes units by the larger of the item before and after it, and in
every index whose entry changes; a move within an index is a removal and a new entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.meter import meter
from everstep.core.records import replace
from everstep.core.spending import written

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from everstep.adapters.dynamodb.updates import Update
    from everstep.adapters.dynamodb.values import Item, Value

COST: Final = ("c", "total", "past")
"""Attributes that hold what something took, the write itself included."""

_UNIT: Final = 1024
_CONTAINER: Final = 3
_KEYS: Final = ("PK", "SK")
_DUE: Final = ("due_pk", "due_at")
_LIST: Final = ("list_pk", "list_sk")
INDEXES: Final = {
    _DUE: (*_KEYS, *_DUE, "status", "attempt", "wake_at"),
    _LIST: (
        *(*_KEYS, *_LIST, "workflow", "version", "status", "created_at", "started_at"),
        *("ended_at", "reference_id", "tags", "wake_at"),
    ),
}
"""Keys of each index, and what it holds copies of: as the template says."""
_INDEXED: Final = frozenset(name for names in INDEXES.values() for name in names)


def item_size(item: Mapping[str, Any]) -> int:
    """Return the bytes of an item: names and values of its attributes."""
    return size_of((item,))


def size_of(items: Iterable[Mapping[str, Any]]) -> int:
    """Return the bytes of items together: of a thousand at once that is quicker."""
    texts: list[str] = []
    size = 0
    for item in items:
        size += _measure(item, texts)
    text = "".join(texts)
    return size + (len(text) if text.isascii() else len(text.encode()))


def _measure(item: Mapping[str, Any], texts: list[str]) -> int:
    """Return the bytes of what is no text, and collect the texts."""
    size = 0
    texts.extend(item)
    for value in item.values():
        if "S" in value:
            texts.append(value["S"])
        elif "N" in value:
            number = value["N"]
            # Whole numbers: two digits a byte, zeros at the end are free.
            digits = number if number[-1] != "0" else number.rstrip("0")
            size += (3 + len(digits)) >> 1
        elif "M" in value:
            size += _CONTAINER + len(value["M"]) + _measure(value["M"], texts)
        elif "L" in value:
            listed = value["L"]
            size += _CONTAINER + sum([1 + _measure({"": each}, texts) for each in listed])
        else:
            size += 1
    return size


def indexed_in(item: Item) -> Item:
    """Return those attributes of an item that indexes hold."""
    return {name: value for name, value in item.items() if name in _INDEXED}


class Shape:
    """What has to be known of an item to say what a change of it takes."""

    __slots__ = ("indexed", "sizes")

    def __init__(self, sizes: dict[str, int], indexed: dict[str, Value]) -> None:
        """Keep the size of each attribute, and those that indexes hold."""
        self.sizes = sizes
        self.indexed = indexed

    @classmethod
    def of(cls, item: Item) -> Shape:
        """Return the shape of an item."""
        sizes = {name: item_size({name: value}) for name, value in item.items()}
        return cls(sizes, indexed_in(item))

    @property
    def size(self) -> int:
        """Return the bytes of the item."""
        return sum(self.sizes.values())

    def after(self, update: Update) -> Shape:
        """Return the shape of the item as it is after an update; numbers keep their size."""
        changed = Shape.of(dict(update.set))
        gone = frozenset(update.remove)
        sizes = {name: size for name, size in self.sizes.items() if name not in gone}
        indexed = {name: value for name, value in self.indexed.items() if name not in gone}
        return Shape(sizes | changed.sizes, indexed | changed.indexed)


def units(*sizes: int) -> int:
    """Return the units of a write, by the item before and after it."""
    return -(-max(sizes) // _UNIT) or 1


def index_units(before: Item | None, after: Item | None) -> int:
    """Return the units that a change of an item takes in the indexes.

    Args:
        before: Its attributes that indexes hold; None if it was not there.
        after: The same after the change.
    """
    return sum(_in_index(before, after, keys, held) for keys, held in INDEXES.items())


def _in_index(
    before: Item | None, after: Item | None, keys: tuple[str, ...], held: tuple[str, ...]
) -> int:
    old, new = _entry(before, keys, held), _entry(after, keys, held)
    if old == new:
        return 0
    sizes = [units(item_size(each)) for each in (old, new) if each is not None]
    if old is not None and new is not None and all(old[key] == new[key] for key in keys):
        return max(sizes)
    return sum(sizes)


def _entry(item: Item | None, keys: tuple[str, ...], held: tuple[str, ...]) -> Item | None:
    if item is None or any(key not in item for key in keys):
        return None
    return {name: item[name] for name in held if name in item}


class Write:
    """One write, about to be made.

    Attributes:
        changed: The attributes that it writes.
        size: Bytes of the item after it, what it tells of itself included once it is counted.
        old: Bytes of the item before it.
        index: Units that it takes in the indexes.
    """

    __slots__ = ("changed", "index", "old", "size")

    def __init__(self, changed: Item, size: int, old: int = 0, index: int = 0) -> None:
        """Keep what is known of it."""
        self.changed = changed
        self.size = size
        self.old = old
        self.index = index

    @property
    def units(self) -> int:
        """Return the units that it takes in the table."""
        return units(self.size, self.old)

    @classmethod
    def put(cls, item: Item, before: Item | None = None) -> Write:
        """Return the write of a whole item, in place of another one or of none."""
        size = item_size(item)
        if before is None:
            indexed = "due_pk" in item or "list_pk" in item
            return cls(item, size, index=index_units(None, indexed_in(item)) if indexed else 0)
        index = index_units(indexed_in(before), indexed_in(item))
        return cls(item, size, item_size(before), index)

    @classmethod
    def update(cls, update: Update, before: Shape | None) -> tuple[Write, Update]:
        """Return the write of a change in place, and the change with which it says what it took.

        What is not known of the item is taken to be small, and to stand in the due index.
        """
        changed = dict(update.set)
        told = replace(update, set=changed)
        if before is not None:
            after = before.after(update)
            index = index_units(before.indexed, after.indexed)
            return cls(changed, after.size, before.size, index), told
        moved = 2 if "due_pk" in changed else 1
        indexed = "due_pk" in changed or "due_pk" in update.remove
        return cls(changed, 0, index=moved if indexed else 0), told


def count(*writes: Write) -> None:
    """Count one request; what says what it took says so of the request, too."""
    if len(writes) == 1:
        factor, index, taken = 1, writes[0].index, writes[0].units
    else:
        # A transaction takes twice as much.
        factor, index = 2, sum([each.index for each in writes])
        taken = factor * sum([each.units for each in writes])
    for each in writes:
        for name in COST:
            if name in each.changed:
                taken += _tell(each, name, taken, index, factor)
    meter().write(taken, index)


def _tell(write: Write, name: str, taken: int, index: int, factor: int) -> int:
    """Add to an attribute what was taken with it; return how much more that is with its text."""
    own = written(taken, index)
    more = factor * (units(write.size + len(own), write.old) - write.units)
    if more:
        own = written(taken + more, index)
        more = factor * (units(write.size + len(own), write.old) - write.units)
    write.changed[name] = {"S": write.changed[name].get("S", "") + own}
    write.size += len(own)
    return more
