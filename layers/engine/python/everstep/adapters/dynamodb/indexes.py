"""Timers and lists: the two indexes of the table. Both lag a little behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from everstep.adapters.dynamodb import damage, items, keys
from everstep.adapters.dynamodb.table import Table
from everstep.core.unreadable import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from types_boto3_dynamodb import DynamoDBClient

    from everstep.adapters.dynamodb.values import Item
    from everstep.core.listing import Listed
    from everstep.core.model import DueEntry, RunStatus
    from everstep.core.unreadable import Unreadable

T = TypeVar("T")
_BOUNDS: Final = {
    (False, False): "",
    (False, True): " AND list_sk < :before",
    (True, False): " AND list_sk >= :since",
    (True, True): " AND list_sk BETWEEN :since AND :before",
}


class DynamoTimers:
    """Find what is due, by the index that holds armed items only."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use this table.

        Args:
            client: Low-level DynamoDB client.
            table: The table's name.
        """
        self._table = Table(client, table)

    @property
    def shards(self) -> int:
        """Return how many shards there are; each is read on its own."""
        return 2 * keys.SHARDS

    @property
    def waking(self) -> int:
        """Return how many shards hold what is to wake up; those after hold what is to go."""
        return keys.SHARDS

    def due(self, shard: int, until: int, limit: int, since: int = 0) -> Sequence[DueEntry]:
        """Return entries due from an instant to another, earliest first, at most ``limit``.

        Raises:
            UnreadableError: Some of them cannot be read; it names each, and holds the others.
        """
        values: Item = {
            ":shard": {"S": keys.due(shard)},
            ":since": {"N": str(since)},
            ":until": {"N": str(until)},
        }
        found = self._table.index(
            keys.DUE_INDEX,
            "due_pk = :shard AND due_at BETWEEN :since AND :until",
            values,
            limit,
            forward=True,
        )
        unreadable: list[Unreadable] = []
        entries = list(_readable(found, items.to_due_entry, unreadable))
        if unreadable:
            raise UnreadableError(unreadable, entries)
        return entries


class DynamoRunList:
    """List runs by workflow and recorded status."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use this table.

        Args:
            client: Low-level DynamoDB client.
            table: The table's name.
        """
        self._table = Table(client, table)

    def newest(
        self,
        workflow: str,
        status: RunStatus,
        before: str | None,
        limit: int,
        since: str | None = None,
    ) -> Sequence[Listed]:
        """Return up to ``limit`` runs whose id sorts before ``before``, and not before ``since``.

        None for the newest, and for those since ever.
        """
        if since is not None and before is not None and since >= before:
            return []
        values: Item = {":listed": {"S": keys.listed(workflow, status)}}
        condition = "list_pk = :listed"
        if before is not None:
            values[":before"] = {"S": before}
        if since is not None:
            values[":since"] = {"S": since}
        # A key has one condition. BETWEEN includes the upper end, which is left out below.
        condition += _BOUNDS[since is not None, before is not None]
        wanted = limit if since is None or before is None else limit + 1
        found = self._table.index(keys.LIST_INDEX, condition, values, wanted, forward=False)
        listed = [items.to_listed(item) for item in found]
        return [each for each in listed if each.run_id != before][:limit]

    def count(self, workflow: str, status: RunStatus, limit: int) -> int:
        """Return how many runs there are of a workflow and a status, at most ``limit``."""
        values: Item = {":listed": {"S": keys.listed(workflow, status)}}
        return self._table.count(keys.LIST_INDEX, "list_pk = :listed", values, limit)

    def every(self) -> Iterator[Listed]:
        """Yield every run there is, in no order; reads the whole index, page by page.

        Raises:
            UnreadableError: At the end: some of them, which it names, cannot be read.
        """
        unreadable: list[Unreadable] = []
        yield from _readable(self._table.scan(keys.LIST_INDEX), items.to_listed, unreadable)
        if unreadable:
            raise UnreadableError(unreadable)


def _readable(
    found: Iterable[Item], read: Callable[[Item], T], unreadable: list[Unreadable]
) -> Iterator[T]:
    """Yield what items say; note those that cannot be read."""
    for item in found:
        try:
            value = read(item)
        except damage.BROKEN:
            unreadable.append(damage.unreadable(item))
            continue
        yield value
