"""Messages that belong to no run, kept beside the runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.adapters.dynamodb import conditions, keys, values
from everstep.adapters.dynamodb.table import Table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

LONGEST_TEXT: Final = 190_000
"""Bytes of a body, and of a reason, that fit into an item; the engine's are far below."""


class DynamoDeadLetters:
    """Keep each message as an item of its own."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        """Use this table.

        Args:
            client: Low-level DynamoDB client.
            table: The table's name.
        """
        self._table = Table(client, table)

    def keep(self, message_id: str, body: str, reason: str, at: int) -> None:
        """Keep a message and why it could not be processed; keeping it twice changes nothing.

        A text that is too large for the table, which only a foreign message can have, is cut.
        """
        self._table.put(
            {
                "PK": {"S": keys.dead_letter(message_id)},
                "SK": {"S": keys.ALONE},
                "body": values.from_text(_cut(body)),
                "reason": values.from_text(_cut(reason)),
                "at": {"N": str(at)},
            },
            conditions.IF_ABSENT,
        )


def _cut(text: str) -> str:
    content = text.encode(errors="backslashreplace")
    if len(content) <= LONGEST_TEXT:
        return content.decode()
    shown = content[:LONGEST_TEXT].decode(errors="ignore")
    return f"{shown}… ({len(content)} bytes)"
