"""A DynamoDB client over the model of the table, for one process that nobody disturbs.

It answers from what was written before and counts what it takes. Conditions are taken to hold:
nobody writes but the one process, and it writes nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from bench.metering.sizes import item_size, read_units
from bench.table_model import TableModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.table_model import Item

_PAGE: Final = 1024 * 1024
# Sorts after every key.
_LAST: Final = "\U0010ffff"


@dataclass(slots=True, kw_only=True)
class Taken:
    """What requests have taken."""

    requests: int = 0
    read_units: float = 0
    write_units: int = 0
    index_units: int = 0


@dataclass(slots=True, kw_only=True)
class TableClient:
    """Answer the requests of the engine's adapter."""

    model: TableModel = field(default_factory=lambda: TableModel(indexes=()))
    taken: Taken = field(default_factory=Taken)
    _runs: dict[str, dict[str, Item]] = field(default_factory=dict)

    def put_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's
        """Write an item."""
        return self._write([request])

    def update_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's
        """Change an item."""
        return self._write([request])

    def transact_write_items(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's
        """Write several items."""
        return self._write([write for each in request["TransactItems"] for write in each.values()])

    def get_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's
        """Return an item."""
        found = self._found(request["Key"])
        self._read([found])
        return {"Item": found} if found else {}

    def batch_get_item(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's
        """Return several items, each of which is paid for by itself."""
        ((table, asked),) = request["RequestItems"].items()
        found = [self._found(key) for key in asked["Keys"]]
        self.taken.requests += 1
        self.taken.read_units += sum(_units([item]) for item in found)
        return {"Responses": {table: [item for item in found if item]}}

    def query(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's
        """Return a megabyte of a partition, or of what lies between two keys of it."""
        values = {name: each["S"] for name, each in request["ExpressionAttributeValues"].items()}
        whole = self._runs[values[":partition"]]
        first, last = values.get(":first", ""), values.get(":last", _LAST)
        partition = {key: whole[key] for key in whole if first <= key <= last}
        after = request.get("ExclusiveStartKey", {}).get("SK", {"S": ""})["S"]
        page = list(islice(_page(partition, after), request.get("Limit")))
        self._read(page)
        rest = page and page[-1]["SK"]["S"] != max(partition)
        onward = {name: page[-1][name] for name in ("PK", "SK")} if rest else None
        return {"Items": page, **({"LastEvaluatedKey": onward} if onward else {})}

    def _write(self, writes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        self.taken.requests += 1
        cost = self.model.apply(writes, None)
        self.taken.write_units += cost.base
        self.taken.index_units += cost.index.total()
        for write in writes:
            key = write.get("Item") or write["Key"]
            place = key["PK"]["S"], key["SK"]["S"]
            self._runs.setdefault(place[0], {})[place[1]] = self.model.items[place]
        return {}

    def _found(self, key: Mapping[str, Any]) -> Item | None:
        return self.model.items.get((key["PK"]["S"], key["SK"]["S"]))

    def _read(self, items: Sequence[Item | None]) -> None:
        self.taken.requests += 1
        self.taken.read_units += _units(items)


def _units(items: Sequence[Item | None]) -> float:
    return read_units([item_size(item or {}) for item in items], consistent=True)


def _page(partition: Mapping[str, Item], after: str) -> Iterator[Item]:
    size = 0
    for sort_key in sorted(partition):
        if sort_key > after and size < _PAGE:
            size += item_size(partition[sort_key])
            yield partition[sort_key]
