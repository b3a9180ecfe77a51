"""What the table holds after each write, to say what the write cost.

DynamoDB bills a write by the larger of the item before and after it, and writes to every index
whose entry changes. Following the writes one by one gives exactly that, without asking DynamoDB
for anything that the engine does not ask for.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bench.metering.sizes import item_size, write_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Item = dict[str, Any]

_TABLE_KEYS: Final = ("PK", "SK")
_WORDS: Final = re.compile(r"\b(SET|ADD|REMOVE|DELETE)\b")
_SET: Final = re.compile(r"(#\w+) = (:\w+)")
_ADD: Final = re.compile(r"(#\w+) (:\w+)")
_REMOVE: Final = re.compile(r"(#\w+)")
_DIGITS: Final = re.compile(r"-?\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A sparse index: its keys, and the further attributes that it holds copies of."""

    name: str
    keys: tuple[str, ...]
    projected: tuple[str, ...]

    def entry(self, item: Item | None) -> Item | None:
        """Return an item's entry; none if the item lacks one of the index's keys."""
        if item is None or any(key not in item for key in self.keys):
            return None
        names = {*_TABLE_KEYS, *self.keys, *self.projected}
        return {name: item[name] for name in names if name in item}

    def write(self, before: Item | None, after: Item | None) -> Counter[str]:
        """Return the units that a change of the item takes here, by what is done."""
        old, new = self.entry(before), self.entry(after)
        if old == new:
            return Counter()
        if old is not None and new is not None and self._place(old) == self._place(new):
            return Counter(update=write_units(item_size(old), item_size(new)))
        units: Counter[str] = Counter()
        if old is not None:
            units["delete"] = write_units(item_size(old))
        if new is not None:
            units["put"] = write_units(item_size(new))
        return units

    def _place(self, entry: Item) -> tuple[Any, ...]:
        return tuple(entry[key] for key in self.keys)


@dataclass(slots=True, kw_only=True)
class WriteCost:
    """Units of one write.

    Attributes:
        base: Of the table itself.
        index: Of the indexes, by `<index> <put, update or delete>`.
    """

    base: int = 0
    index: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class TableModel:
    """The table, as the writes seen so far have left it."""

    indexes: tuple[Index, ...]
    items: dict[tuple[str, str], Item] = field(default_factory=dict)

    def apply(self, writes: Iterable[Mapping[str, Any]], error: str | None) -> WriteCost:
        """Carry out the writes of one request, and return what they took.

        A write whose condition failed takes units all the same, and changes nothing; of any
        other error it is taken that nothing was written.

        Raises:
            ValueError: An update expression has a form that is not known here.
        """
        listed = list(writes)
        factor = 2 if len(listed) > 1 else 1
        cost = WriteCost()
        for write in listed:
            place = _place(write)
            before = self.items.get(place)
            after = _after(before, write) if error is None else before
            refused = error in {"ConditionalCheckFailedException", "TransactionCanceledException"}
            if error is None or refused:
                cost.base += factor * write_units(item_size(before or {}), item_size(after or {}))
            if error is None and after is not None:
                self.items[place] = after
                self._count_entries(before, after, cost)
        return cost

    def sizes(self, sort_key_prefix: str, runs: Iterable[str]) -> list[int]:
        """Return the sizes of these runs' items whose sort key begins like this."""
        partitions = {f"RUN#{run}" for run in runs}
        return [
            item_size(item)
            for (partition, sort_key), item in self.items.items()
            if partition in partitions and sort_key.startswith(sort_key_prefix)
        ]

    def _count_entries(self, before: Item | None, after: Item, cost: WriteCost) -> None:
        for index in self.indexes:
            for done, units in index.write(before, after).items():
                cost.index[f"{index.name} {done}"] += units


def indexes_of(description: Mapping[str, Any]) -> tuple[Index, ...]:
    """Return the indexes of a table, from what DescribeTable says."""
    return tuple(
        Index(
            name=each["IndexName"],
            keys=tuple(key["AttributeName"] for key in each["KeySchema"]),
            projected=tuple(each["Projection"].get("NonKeyAttributes", ())),
        )
        for each in description.get("GlobalSecondaryIndexes", ())
    )


def _place(write: Mapping[str, Any]) -> tuple[str, str]:
    key = write.get("Item") or write["Key"]
    return key["PK"]["S"], key["SK"]["S"]


def _after(before: Item | None, write: Mapping[str, Any]) -> Item:
    if "Item" in write:
        return dict(write["Item"])
    item: Item = dict(before or write["Key"])
    names: Mapping[str, str] = write.get("ExpressionAttributeNames", {})
    values: Mapping[str, Any] = write.get("ExpressionAttributeValues", {})
    _, *parts = _WORDS.split(write["UpdateExpression"])
    for word, text in zip(parts[::2], parts[1::2], strict=True):
        _change(item, word, text.strip(), names, values)
    return item


def _change(
    item: Item, word: str, text: str, names: Mapping[str, str], values: Mapping[str, Any]
) -> None:
    for clause in text.split(", "):
        if word == "SET" and (found := _SET.fullmatch(clause)):
            item[names[found[1]]] = values[found[2]]
        elif word == "ADD" and (found := _ADD.fullmatch(clause)):
            name = names[found[1]]
            item[name] = _sum(item.get(name, {"N": "0"}), values[found[2]])
        elif word == "REMOVE" and (found := _REMOVE.fullmatch(clause)):
            item.pop(names[found[1]], None)
        else:
            raise ValueError(f"{word} {clause!r} is no form of an update that is known here")


def _sum(left: Mapping[str, str], right: Mapping[str, str]) -> dict[str, str]:
    if not (_DIGITS.fullmatch(left.get("N", "")) and _DIGITS.fullmatch(right.get("N", ""))):
        raise ValueError("ADD is known here of whole numbers only")
    return {"N": str(int(left["N"]) + int(right["N"]))}
