"""What only the SQS queue has: batches, and batches that are taken in part."""

from __future__ import annotations

from typing import Any

import pytest

from everstep.adapters.sqs import SqsQueue
from everstep.core.errors import UnavailableError
from everstep.core.model import Message, MessageKind, Outgoing
from tests.unit.adapters.vendor import URL, ScriptedClient


def outgoing(count: int) -> list[Outgoing]:
    return [
        Outgoing(message=Message(run_id=f"run-{n}", kind=MessageKind.START, token="t"), delay=n)
        for n in range(count)
    ]


def failed(*names: str) -> object:
    return {"Failed": [{"Id": name, "Code": "InternalError"} for name in names]}


def sizes(client: ScriptedClient) -> list[int]:
    return [len(request["Entries"]) for _, request in client.requests]


def test_one_message_is_sent_by_itself() -> None:
    client: Any = ScriptedClient({})
    SqsQueue(client, URL).send(outgoing(1))
    assert [name for name, _ in client.requests] == ["send_message"]


def test_many_messages_are_sent_ten_by_ten() -> None:
    client: Any = ScriptedClient({}, {}, {})
    SqsQueue(client, URL).send(outgoing(23))
    assert sizes(client) == [10, 10, 3]


def test_what_a_batch_left_out_is_sent_once_more() -> None:
    client: Any = ScriptedClient(failed("1", "3"), {})
    SqsQueue(client, URL).send(outgoing(4))
    _, request = client.requests[1]
    assert [each["DelaySeconds"] for each in request["Entries"]] == [1, 3]


def test_what_is_left_out_twice_is_counted() -> None:
    client: Any = ScriptedClient({}, failed("0", "1", "2"), failed("0", "2"))
    with pytest.raises(UnavailableError, match=r"2 of 3 messages not sent \(InternalError\)"):
        SqsQueue(client, URL).send(outgoing(13))
