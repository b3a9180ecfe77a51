"""API keys as items, all in one partition, and the counts of their calls.

============= ==== =============================================================
attribute     type what
============= ==== =============================================================
PK, SK        S    see ``keys``; the key's id is in them
name          S    what people call it
scopes        L    what it is good for
workflows     L    what it is limited to
hash          S    of its secret
created_at    N    when it was made
expires_at    N    when it ends
revoked_at    N    when it was revoked
rate          N    calls a minute
used_at       N    when it was used last; alone is written by ``touch``
former_hash   S    of the secret before
former_until  N    until when that is good
rev           N    counts changes: each is made to the revision that was read
============= ==== =============================================================

A count is an item of its own, ``n`` calls in a minute, that expires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.adapters.dynamodb import conditions, keys
from everstep.adapters.dynamodb.conditions import Condition
from everstep.adapters.dynamodb.table import Table
from everstep.adapters.dynamodb.updates import Update
from everstep.adapters.dynamodb.values import add_number, from_texts, number_in, texts_in
from everstep.core.access import Scope
from everstep.core.api_keys import ApiKey, Former

if TYPE_CHECKING:
    from collections.abc import Sequence

    from types_boto3_dynamodb import DynamoDBClient

    from everstep.adapters.dynamodb.values import Item

_MINUTE_SECONDS: Final = 60
_COUNT_KEPT_SECONDS: Final = 3600


class DynamoKeys:
    """Keep API keys in the table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use this table.

        Args:
            client: Low-level DynamoDB client.
            table: The table's name.
        """
        self._table = Table(client, table)

    def add(self, key: ApiKey) -> bool:
        """Keep a new key; say whether its id was free."""
        return self._table.put({**_identity(key.key_id), **from_key(key)}, conditions.IF_ABSENT)

    def get(self, key_id: str) -> ApiKey | None:
        """Return a key as it is now."""
        item = self._table.get(keys.API_KEYS, keys.api_key(key_id))
        return None if item is None else to_key(item)

    def every(self) -> Sequence[ApiKey]:
        """Return every key there is, in one query."""
        return [to_key(item) for item in self._table.partition(keys.API_KEYS)]

    def replace(self, key: ApiKey) -> bool:
        """Keep a key in place of its revision before this one; say whether that was there."""
        attributes = from_key(key)
        attributes.pop("used_at", None)
        gone = ("expires_at", "revoked_at", "former_hash", "former_until")
        update = Update(
            set=attributes, remove=tuple(name for name in gone if name not in attributes)
        )
        condition = Condition(
            expression="#rev = :if_rev",
            names={"#rev": "rev"},
            values={":if_rev": {"N": str(key.revision - 1)}},
        )
        return self._table.update(keys.API_KEYS, keys.api_key(key.key_id), update, condition)

    def touch(self, key_id: str, at: int, seen: int | None) -> bool:
        """Record a use if the last one is still the one that was seen; say whether it was."""
        if seen is None:
            condition = Condition(
                expression="attribute_exists(PK) AND attribute_not_exists(#used_at)",
                names={"#used_at": "used_at"},
            )
        else:
            condition = Condition(
                expression="#used_at = :if_used_at",
                names={"#used_at": "used_at"},
                values={":if_used_at": {"N": str(seen)}},
            )
        update = Update(set={"used_at": {"N": str(at)}})
        return self._table.update(keys.API_KEYS, keys.api_key(key_id), update, condition)

    def count(self, key_id: str, minute: int, most: int) -> bool:
        """Count a call in a minute, unless there were ``most``; say whether it was."""
        ttl = (minute + 1) * _MINUTE_SECONDS + _COUNT_KEPT_SECONDS
        update = Update(set={"ttl": {"N": str(ttl)}}, add={"n": {"N": "1"}})
        condition = Condition(
            expression="attribute_not_exists(#n) OR #n < :if_most",
            names={"#n": "n"},
            values={":if_most": {"N": str(most)}},
        )
        return self._table.update(keys.rate(key_id), keys.minute(minute), update, condition)


def from_key(key: ApiKey) -> Item:
    """Return the attributes of a key, beside those that identify it."""
    item: Item = {
        "name": {"S": key.name},
        "scopes": from_texts(sorted(key.scopes)),
        "workflows": from_texts(sorted(key.workflows)),
        "hash": {"S": key.hash},
        "created_at": {"N": str(key.created_at)},
        "rev": {"N": str(key.revision)},
    }
    add_number(item, "expires_at", key.expires_at)
    add_number(item, "revoked_at", key.revoked_at)
    add_number(item, "rate", key.rate)
    add_number(item, "used_at", key.last_used_at)
    if key.former is not None:
        item["former_hash"] = {"S": key.former.hash}
        item["former_until"] = {"N": str(key.former.until)}
    return item


def to_key(item: Item) -> ApiKey:
    """Return the key of an item."""
    former = None
    if "former_hash" in item:
        former = Former(hash=item["former_hash"]["S"], until=int(item["former_until"]["N"]))
    return ApiKey(
        key_id=keys.api_key_of(item["SK"]["S"]),
        name=item["name"]["S"],
        scopes=frozenset(map(Scope, texts_in(item, "scopes"))),
        workflows=frozenset(texts_in(item, "workflows")),
        hash=item["hash"]["S"],
        created_at=int(item["created_at"]["N"]),
        expires_at=number_in(item, "expires_at"),
        revoked_at=number_in(item, "revoked_at"),
        rate=number_in(item, "rate"),
        last_used_at=number_in(item, "used_at"),
        former=former,
        revision=int(item["rev"]["N"]),
    )


def _identity(key_id: str) -> Item:
    return {"PK": {"S": keys.API_KEYS}, "SK": {"S": keys.api_key(key_id)}}
