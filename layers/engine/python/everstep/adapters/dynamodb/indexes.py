"""Timers and lists: the two indexes of the table. Both lag a little behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.adapters.dynamodb import items, keys
from everstep.adapters.dynamodb.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from types_boto3_dynamodb import DynamoDBClient

    from everstep.adapters.dynamodb.items import Item
    from everstep.core.model import DueEntry, Listed, RunStatus


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
        return keys.SHARDS

    def due(self, shard: int, until: int, limit: int) -> Sequence[DueEntry]:
        """Return entries due up to an instant, earliest first, at most ``limit``."""
        values: Item = {":shard": {"S": keys.due(shard)}, ":until": {"N": str(until)}}
        found = self._table.index(
            keys.DUE_INDEX,
            "due_pk = :shard AND due_at <= :until",
            values,
            limit,
            forward=True,
        )
        return [items.to_due_entry(item) for item in found]


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
        self, workflow: str, status: RunStatus, before: str | None, limit: int
    ) -> Sequence[Listed]:
        """Return up to ``limit`` runs whose id sorts before ``before`` (None for the newest)."""
        values: Item = {":listed": {"S": keys.listed(workflow, status)}}
        condition = "list_pk = :listed"
        if before is not None:
            values[":before"] = {"S": before}
            condition += " AND list_sk < :before"
        found = self._table.index(keys.LIST_INDEX, condition, values, limit, forward=False)
        return [items.to_listed(item) for item in found]

    def every(self) -> Iterator[Listed]:
        """Yield every run there is, in no order; reads the whole index, page by page."""
        for item in self._table.scan(keys.LIST_INDEX):
            yield items.to_listed(item)
