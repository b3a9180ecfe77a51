"""What only the DynamoDB store has: requests to count, answers to lose, transactions to cancel."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from typing_extensions import override

from everstep.adapters.dynamodb import items
from everstep.adapters.dynamodb.dead_letters import LONGEST_TEXT, DynamoDeadLetters
from everstep.adapters.dynamodb.indexes import DynamoTimers
from everstep.adapters.dynamodb.store import DynamoRuns
from everstep.adapters.errors import RunIdTakenError
from everstep.core import transitions
from everstep.core.errors import UnavailableError
from everstep.core.model import OpStatus, Payload, RunStatus
from tests.contract.backends import create_table
from tests.contract.builders import (
    ALWAYS,
    ALWAYS_HEAD,
    CHANGES,
    NOW,
    make_claim,
    make_head,
    make_record,
    make_timer,
)
from tests.unit.adapters.vendor import CountingClient, LossyClient, ScriptedClient, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from types_boto3_dynamodb import DynamoDBClient

    from everstep.adapters.dynamodb.values import Item

RUN: Final = "01K7Q5Z3V8M4N6P9R2S5T8W1XY"
TOKEN: Final = "Zk3vQ9xR-b7LmN2p"
HASH: Final = "xY7z-0123456789abcdefg"
CANCELLED: Final = refusal("TransactionCanceledException")


@pytest.fixture(scope="module")
def client() -> Iterator[DynamoDBClient]:
    with mock_aws():
        made: DynamoDBClient = boto3.client("dynamodb")
        create_table(made, "table")
        yield made


@pytest.fixture(autouse=True)
def empty_table(client: DynamoDBClient) -> None:
    # Page by page: some tests leave more than the megabyte that one scan returns.
    for page in client.get_paginator("scan").paginate(TableName="table"):
        for item in page["Items"]:
            client.delete_item(TableName="table", Key={name: item[name] for name in ("PK", "SK")})


@pytest.fixture
def counting(client: DynamoDBClient) -> CountingClient:
    return CountingClient(client)


@pytest.fixture
def runs(counting: CountingClient) -> DynamoRuns:
    return DynamoRuns(cast("DynamoDBClient", counting), "table")


def size(item: Item) -> int:
    """Return what DynamoDB counts: bytes of names and values, 3 per map and 1 per entry."""
    total = 0
    for name, value in item.items():
        total += len(name.encode())
        if "M" in value:
            nested: Any = value["M"]
            total += 3 + len(nested) + size(nested)
        else:
            # A number takes half its digits and one byte more.
            total += len(value["S"].encode()) if "S" in value else len(value["N"]) // 2 + 2
    return total


def test_a_step_costs_one_query_and_one_write_of_less_than_300_bytes(
    runs: DynamoRuns, counting: CountingClient
) -> None:
    runs.create(make_head(RUN), None)
    counting.requests.clear()
    record = replace(
        make_record("charge#1"),
        by=TOKEN,
        input_hash=HASH,
        result=Payload(text='{"charge_id":"ch_1234","ok":true}', size=33),
    )
    assert runs.load(RUN)
    assert runs.put(RUN, record, transitions.step_ended(1))
    assert counting.names == ["query", "put_item"]
    assert size(items.from_record(RUN, record)) < 300


def test_a_failed_attempt_that_waits_stays_below_one_write_unit() -> None:
    retry = replace(make_record("charge#1", OpStatus.RETRY), wake_at=NOW, due_at=NOW, by=TOKEN)
    assert size(items.from_record(RUN, retry)) < 300


def test_a_run_costs_one_write_to_accept_and_one_to_end(
    runs: DynamoRuns, counting: CountingClient
) -> None:
    runs.create(make_head(RUN), make_claim(make_head(RUN), "key"))
    assert counting.names == ["transact_write_items"]
    # Another process, which has read the run as every executor does.
    other: Any = counting
    executor = DynamoRuns(other, "table")
    executor.load(RUN)
    counting.requests.clear()
    assert executor.change(RUN, CHANGES["completed"], transitions.RUN_ENDED)
    assert counting.names == ["update_item"]


def test_a_move_sends_no_payload(runs: DynamoRuns, counting: CountingClient) -> None:
    runs.put(RUN, make_timer("nap#1", NOW), ALWAYS)
    counting.requests.clear()
    assert runs.move(RUN, "nap#1", NOW + 5, transitions.timer_moved(NOW))
    assert counting.names == ["update_item"]


def test_a_long_history_takes_one_request_per_megabyte(
    runs: DynamoRuns, counting: CountingClient
) -> None:
    runs.create(make_head(RUN), None)
    large = Payload(text="x" * 300_000, size=300_000)
    for n in range(1, 6):
        runs.put(RUN, replace(make_record(f"a#{n}"), result=large), ALWAYS)
    counting.requests.clear()
    history = runs.load(RUN)
    assert history is not None
    assert len(history.records) == 5
    assert counting.names == ["query", "query"]


@pytest.mark.parametrize("name", ["completed", "stalled"])
def test_who_has_not_read_a_run_can_still_change_it(
    client: DynamoDBClient, runs: DynamoRuns, name: str
) -> None:
    runs.create(make_head(RUN, "order"), None)
    counting: Any = CountingClient(client)
    assert DynamoRuns(counting, "table").change(RUN, CHANGES[name], ALWAYS_HEAD)
    assert counting.names == ["get_item", "update_item"]
    item = client.get_item(TableName="table", Key={"PK": {"S": f"RUN#{RUN}"}, "SK": {"S": "#HEAD"}})
    assert item["Item"]["list_pk"]["S"] == f"LIST#order#{item['Item']['status']['S']}"


def test_items_of_kinds_to_come_are_passed_over(client: DynamoDBClient, runs: DynamoRuns) -> None:
    runs.create(make_head(RUN), None)
    later = {"PK": {"S": f"RUN#{RUN}"}, "SK": {"S": "AUD#1"}}
    client.put_item(TableName="table", Item=later)
    history = runs.load(RUN)
    assert history is not None
    assert history.records == {}


# --- Answers that were lost


@pytest.mark.parametrize("key", [None, "key"])
def test_a_run_that_was_created_and_the_answer_lost_counts_as_created(
    client: DynamoDBClient, runs: DynamoRuns, key: str | None
) -> None:
    lossy: Any = LossyClient(client)
    head = make_head(RUN)
    claim = None if key is None else make_claim(head, key)
    assert DynamoRuns(lossy, "table").create(head, claim) is None
    assert runs.head(RUN) == head


def test_a_lost_answer_does_not_take_a_key_from_its_holder(
    client: DynamoDBClient, runs: DynamoRuns
) -> None:
    first, second = make_head("first"), make_head("second")
    claim = make_claim(first, "key")
    runs.create(first, claim)
    script: Any = LossyOnRefusal(client)
    assert DynamoRuns(script, "table").create(second, make_claim(second, "key")) == claim
    assert runs.head("second") is None


class LossyOnRefusal(LossyClient):
    """Lose the first answer also where it is a refusal."""

    @override
    def __getattr__(self, name: str) -> Callable[..., object]:
        method: Callable[..., object] = getattr(self._client, name)

        def call(**request: object) -> object:
            with suppress(ClientError):
                method(**request)
            return method(**request)

        return call


def test_a_write_whose_answer_was_lost_is_told_apart_by_its_token(
    client: DynamoDBClient, runs: DynamoRuns
) -> None:
    lossy: Any = LossyClient(client)
    runs.create(make_head(RUN), None)
    record = replace(make_record(), by="mine")
    assert DynamoRuns(lossy, "table").put(RUN, record, transitions.step_ended(1)) is False
    history = runs.load(RUN)
    assert history is not None
    assert history.records["charge#1"].by == "mine"


# --- Transactions that were cancelled


def test_a_cancellation_without_reasons_is_decided_by_reading_the_claim() -> None:
    head = make_head("mine")
    holder = make_claim(make_head("theirs"), "key")
    scripted: Any = ScriptedClient(CANCELLED, {"Item": items.from_claim(holder)})
    assert DynamoRuns(scripted, "table").create(head, make_claim(head, "key")) == holder
    name, request = scripted.requests[-1]
    assert (name, request["ConsistentRead"]) == ("get_item", True)


def test_a_conflict_with_another_transaction_is_tried_again() -> None:
    head = make_head("mine")
    scripted: Any = ScriptedClient(CANCELLED, {}, {}, CANCELLED, {}, {}, {})
    assert DynamoRuns(scripted, "table").create(head, make_claim(head, "key")) is None


def test_a_conflict_that_does_not_end_is_unavailable() -> None:
    head = make_head("mine")
    scripted: Any = ScriptedClient(*[CANCELLED, {}, {}] * 4)
    with pytest.raises(UnavailableError, match="TransactionCanceledException"):
        DynamoRuns(scripted, "table").create(head, make_claim(head, "key"))


def test_a_run_id_that_was_taken_without_our_claim_is_refused() -> None:
    head = make_head("mine")
    scripted: Any = ScriptedClient(CANCELLED, {}, {"Item": items.from_head(head)})
    with pytest.raises(RunIdTakenError):
        DynamoRuns(scripted, "table").create(head, make_claim(head, "key"))


def test_a_run_that_vanishes_between_refusal_and_reading_is_unavailable() -> None:
    scripted: Any = ScriptedClient(refusal("ConditionalCheckFailedException"), {})
    with pytest.raises(UnavailableError, match="run mine"):
        DynamoRuns(scripted, "table").create(make_head("mine"), None)


# --- Pages of an index


def test_an_index_is_read_page_by_page_up_to_the_limit() -> None:
    def page(*keys: str, more: bool) -> object:
        found = [items.from_record(RUN, make_timer(key, NOW)) for key in keys]
        return {"Items": found, **({"LastEvaluatedKey": {"PK": {"S": "x"}}} if more else {})}

    scripted: Any = ScriptedClient(
        page("a#1", "a#2", more=True), page(more=True), page("a#3", more=True)
    )
    found = DynamoTimers(scripted, "table").due(0, NOW, 3)
    assert [each.key for each in found] == ["a#1", "a#2", "a#3"]


def test_a_foreign_message_that_is_too_large_is_cut(client: DynamoDBClient) -> None:
    DynamoDeadLetters(client, "table").keep("id", "ü" * LONGEST_TEXT, "no JSON", 5)
    item = client.get_item(TableName="table", Key={"PK": {"S": "DEAD#id"}, "SK": {"S": "-"}})
    body = item["Item"]["body"]["S"]
    assert len(body.encode()) < LONGEST_TEXT + 100
    assert body.endswith(f"({2 * LONGEST_TEXT} bytes)")


def test_a_terminal_status_is_in_no_index_but_the_list(
    client: DynamoDBClient, runs: DynamoRuns
) -> None:
    runs.create(make_head(RUN), None)
    runs.change(RUN, CHANGES["completed"], ALWAYS_HEAD)
    (item,) = client.scan(TableName="table")["Items"]
    assert "due_pk" not in item
    assert "due_at" not in item
    assert item["list_pk"]["S"].endswith(RunStatus.COMPLETED)
