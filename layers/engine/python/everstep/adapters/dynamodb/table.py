"""Requests to one table: the only module that makes the low-level client's calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.adapters.aws_errors import CONDITION_FAILED, translated
from everstep.adapters.dynamodb.sizes import Write, count, item_size, size_of
from everstep.adapters.errors import AdapterError
from everstep.core.errors import UnavailableError
from everstep.core.meter import meter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import (
        KeysAndAttributesTypeDef,
        PutTypeDef,
        QueryInputTypeDef,
        ScanInputTypeDef,
        TransactWriteItemTypeDef,
        UpdateItemInputTypeDef,
        UpdateTypeDef,
        WriteRequestTypeDef,
    )

    from everstep.adapters.dynamodb.conditions import Condition
    from everstep.adapters.dynamodb.sizes import Shape
    from everstep.adapters.dynamodb.updates import Update
    from everstep.adapters.dynamodb.values import Item


# The most that DynamoDB takes at once.
_BATCH: Final = 25
# A part that is throttled is asked for again at once, and then by whoever asked.
_ROUNDS: Final = 3


class Table:
    """Send requests to one table: one per call, ``query`` one per page.

    Every method raises ``UnavailableError`` or ``AdapterError``, and nothing of botocore's.
    """

    def __init__(self, client: DynamoDBClient, name: str) -> None:
        """Use this table.

        Args:
            client: Low-level DynamoDB client.
            name: The table's name.
        """
        self._client = client
        self._name = name

    def get(self, partition: str, sort: str, attributes: Sequence[str] = ()) -> Item | None:
        """Return an item, or some of its attributes, as it is now (strongly consistent)."""
        with translated("DynamoDB GetItem"):
            if not attributes:
                answer = self._client.get_item(
                    TableName=self._name, Key=_key(partition, sort), ConsistentRead=True
                )
                return _counted(answer.get("Item"))
            names = {f"#{name}": name for name in attributes}
            answer = self._client.get_item(
                TableName=self._name,
                Key=_key(partition, sort),
                ConsistentRead=True,
                ProjectionExpression=", ".join(names),
                ExpressionAttributeNames=names,
            )
            return _counted(answer.get("Item"))

    def get_together(self, partition: str, sorts: Sequence[str]) -> list[Item | None]:
        """Return items of a partition as they are now (strongly consistent), in this order."""
        found: dict[str, Item] = {}
        left = [_key(partition, sort) for sort in sorts]
        with translated("DynamoDB BatchGetItem"):
            for _ in range(_ROUNDS):
                request: KeysAndAttributesTypeDef = {"Keys": left, "ConsistentRead": True}
                answer = self._client.batch_get_item(RequestItems={self._name: request})
                read = answer.get("Responses", {}).get(self._name, [])
                found.update((each["SK"]["S"], each) for each in read)
                unprocessed = answer.get("UnprocessedKeys", {}).get(self._name)
                missing = len(left) - len(read) - len(unprocessed["Keys"] if unprocessed else ())
                meter().read_each([*map(item_size, read), *[0] * missing])
                if not unprocessed:
                    return [found.get(sort) for sort in sorts]
                left = list(unprocessed["Keys"])
        raise UnavailableError("DynamoDB BatchGetItem: some items were not read")

    def partition(self, partition: str) -> Iterator[Item]:
        """Yield every item of a partition by sort key (strongly consistent)."""
        return self._query(
            {
                "TableName": self._name,
                "ConsistentRead": True,
                "KeyConditionExpression": "PK = :partition",
                "ExpressionAttributeValues": {":partition": {"S": partition}},
            }
        )

    def stretch(self, partition: str, first: str, last: str) -> Iterator[Item]:
        """Yield a partition's items between two sort keys, both included (strongly consistent)."""
        return self._query(
            {
                "TableName": self._name,
                "ConsistentRead": True,
                "KeyConditionExpression": "PK = :partition AND SK BETWEEN :first AND :last",
                "ExpressionAttributeValues": {
                    ":partition": {"S": partition},
                    ":first": {"S": first},
                    ":last": {"S": last},
                },
            }
        )

    def between(self, partition: str, asked: tuple[str, str], most: int) -> tuple[list[Item], bool]:
        """Return a partition's first items from one sort key to another (strongly consistent).

        In one request; and whether there may be more.
        """
        with translated("DynamoDB Query"):
            answer = self._client.query(
                TableName=self._name,
                ConsistentRead=True,
                KeyConditionExpression="PK = :partition AND SK BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":partition": {"S": partition},
                    ":first": {"S": asked[0]},
                    ":last": {"S": asked[1]},
                },
                Limit=most,
            )
        found = answer["Items"]
        meter().read(size_of(found))
        return found, "LastEvaluatedKey" in answer

    def index(
        self, name: str, condition: str, values: Item, limit: int, *, forward: bool
    ) -> Iterator[Item]:
        """Yield what an index projects of its items, at most ``limit`` (eventually consistent)."""
        return self._query(
            {
                "TableName": self._name,
                "IndexName": name,
                "KeyConditionExpression": condition,
                "ExpressionAttributeValues": values,
                "ScanIndexForward": forward,
            },
            limit,
        )

    def count(self, name: str, condition: str, values: Item, limit: int) -> int:
        """Return how many items an index has, at most ``limit`` (eventually consistent)."""
        request: QueryInputTypeDef = {
            "TableName": self._name,
            "IndexName": name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "Select": "COUNT",
        }
        counted = 0
        while counted < limit:
            request["Limit"] = limit - counted
            with translated("DynamoDB Query"):
                answer = self._client.query(**request)
            # At most a page of entries that hold little.
            meter().read(0, consistent=False)
            counted += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return counted

    def _query(self, request: QueryInputTypeDef, limit: int | None = None) -> Iterator[Item]:
        left = limit
        while left is None or left > 0:
            if left is not None:
                request["Limit"] = left
            with translated("DynamoDB Query"):
                answer = self._client.query(**request)
            meter().read(size_of(answer["Items"]), consistent="IndexName" not in request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
            left = None if left is None else left - len(answer["Items"])

    def scan(self, index: str) -> Iterator[Item]:
        """Yield what an index projects of everything in it (eventually consistent)."""
        request: ScanInputTypeDef = {"TableName": self._name, "IndexName": index}
        while True:
            with translated("DynamoDB Scan"):
                answer = self._client.scan(**request)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def put(self, item: Item, condition: Condition, before: Item | None = None) -> bool:
        """Write a whole item if the condition holds; say whether it did.

        Args:
            item: The item.
            condition: What must hold.
            before: The item that it replaces, as far as that is known.
        """
        count(Write.put(item, before))
        try:
            with translated("DynamoDB PutItem"):
                self._client.put_item(**self._put(item, condition))
        except AdapterError as error:
            return _refused_by_condition(error)
        return True

    def update(
        self,
        partition: str,
        sort: str,
        update: Update,
        condition: Condition,
        before: Shape | None = None,
    ) -> bool:
        """Change an item in place if the condition holds; say whether it did.

        Args:
            partition: Its partition key.
            sort: Its sort key.
            update: What changes.
            condition: What must hold.
            before: What it is before that, as far as that is known.
        """
        write, update = Write.update(update, before)
        count(write)
        request: UpdateItemInputTypeDef = {
            "TableName": self._name,
            "Key": _key(partition, sort),
            "UpdateExpression": update.expression,
            "ConditionExpression": condition.expression,
            "ExpressionAttributeNames": {**update.names, **condition.names},
        }
        values = {**update.values, **condition.values}
        if values:
            request["ExpressionAttributeValues"] = values
        try:
            with translated("DynamoDB UpdateItem"):
                self._client.update_item(**request)
        except AdapterError as error:
            return _refused_by_condition(error)
        return True

    def sort_keys_after(self, partition: str, sort: str, limit: int) -> Iterator[str]:
        """Yield the sort keys of a partition that come after one, at most ``limit``."""
        found = self._query(
            {
                "TableName": self._name,
                "ConsistentRead": True,
                "KeyConditionExpression": "PK = :partition AND SK > :sort",
                "ProjectionExpression": "SK",
                "ExpressionAttributeValues": {
                    ":partition": {"S": partition},
                    ":sort": {"S": sort},
                },
            },
            limit,
        )
        return (item["SK"]["S"] for item in found)

    def delete(self, partition: str, sort: str, condition: Condition) -> bool:
        """Delete an item if the condition holds; say whether it did."""
        try:
            with translated("DynamoDB DeleteItem"):
                self._client.delete_item(
                    TableName=self._name,
                    Key=_key(partition, sort),
                    ConditionExpression=condition.expression,
                    ExpressionAttributeNames=condition.names,
                    ExpressionAttributeValues=condition.values,
                )
        except AdapterError as error:
            return _refused_by_condition(error)
        return True

    def delete_all(self, partition: str, sorts: Sequence[str]) -> None:
        """Delete items of a partition, as far as DynamoDB takes them at the moment."""
        for start in range(0, len(sorts), _BATCH):
            wanted: list[WriteRequestTypeDef] = [
                {"DeleteRequest": {"Key": _key(partition, sort)}}
                for sort in sorts[start : start + _BATCH]
            ]
            with translated("DynamoDB BatchWriteItem"):
                self._client.batch_write_item(RequestItems={self._name: wanted})

    def put_together(self, items: Sequence[tuple[Item, Condition]]) -> None:
        """Write all items, or none unless the condition of each holds.

        Raises:
            AdapterError: With code ``TRANSACTION_CANCELLED``: nothing was written by this call.
        """
        count(*[Write.put(item) for item, _ in items])
        puts = [self._put(item, condition) for item, condition in items]
        with translated("DynamoDB TransactWriteItems"):
            self._client.transact_write_items(TransactItems=[{"Put": put} for put in puts])

    def update_together(
        self,
        place: tuple[str, str],
        update: Update,
        condition: Condition,
        items: Sequence[tuple[Item, Condition]],
        before: Shape | None = None,
    ) -> None:
        """Change an item in place and write others, all or none unless every condition holds.

        Raises:
            AdapterError: With code ``TRANSACTION_CANCELLED``: nothing was written by this call.
        """
        write, update = Write.update(update, before)
        count(write, *[Write.put(item) for item, _ in items])
        changed: UpdateTypeDef = {
            "TableName": self._name,
            "Key": _key(*place),
            "UpdateExpression": update.expression,
            "ConditionExpression": condition.expression,
            "ExpressionAttributeNames": {**update.names, **condition.names},
            "ExpressionAttributeValues": {**update.values, **condition.values},
        }
        requests: list[TransactWriteItemTypeDef] = [{"Update": changed}]
        requests += [{"Put": self._put(item, expected)} for item, expected in items]
        with translated("DynamoDB TransactWriteItems"):
            self._client.transact_write_items(TransactItems=requests)

    def _put(self, item: Item, condition: Condition) -> PutTypeDef:
        put: PutTypeDef = {
            "TableName": self._name,
            "Item": item,
            "ConditionExpression": condition.expression,
        }
        if condition.names:
            put["ExpressionAttributeNames"] = condition.names
        if condition.values:
            put["ExpressionAttributeValues"] = condition.values
        return put


def _key(partition: str, sort: str) -> Item:
    return {"PK": {"S": partition}, "SK": {"S": sort}}


def _counted(item: Item | None) -> Item | None:
    """Return an item that was read by itself."""
    meter().read(item_size(item or {}))
    return item


def _refused_by_condition(error: AdapterError) -> bool:
    """Answer False for a failed condition, which is no fault; pass every fault on."""
    if error.code == CONDITION_FAILED:
        return False
    raise error
