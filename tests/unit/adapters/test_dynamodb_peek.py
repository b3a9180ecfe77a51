"""Two items of a run in one request: what it asks for, what is missing, what cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep.adapters.dynamodb import items
from everstep.adapters.dynamodb.store import DynamoRuns
from everstep.core import transitions
from everstep.core.errors import UnavailableError
from everstep.core.unreadable import UnreadableError
from tests.contract.builders import CHANGES, make_head, make_record
from tests.unit.adapters.vendor import ScriptedClient

if TYPE_CHECKING:
    from everstep.adapters.dynamodb.values import Item

RUN: Final = "01K7Q5Z3V8M4N6P9R2S5T8W1XY"
HEAD: Final = items.from_head(make_head(RUN))
RECORD: Final = items.from_record(RUN, make_record("charge#1"))


def key_of(item: Item) -> Item:
    return {name: item[name] for name in ("PK", "SK")}


def answer(*found: Item, unprocessed: tuple[Item, ...] = ()) -> dict[str, Any]:
    """Return what DynamoDB answers with."""
    keys = {"Keys": [key_of(item) for item in unprocessed], "ConsistentRead": True}
    return {
        "Responses": {"table": list(found)},
        "UnprocessedKeys": {"table": keys} if unprocessed else {},
    }


def peek(*answers: object) -> tuple[object, ScriptedClient]:
    client: Any = ScriptedClient(*answers)
    return DynamoRuns(client, "table").peek(RUN, ["charge#1"]), client


def test_both_items_are_asked_for_at_once_as_they_are_now() -> None:
    # In whatever order they come.
    seen, client = peek(answer(RECORD, HEAD))
    assert seen == (make_head(RUN), {"charge#1": make_record("charge#1")})
    ((name, request),) = client.requests
    assert name == "batch_get_item"
    assert request["RequestItems"]["table"] == {
        "Keys": [key_of(HEAD), key_of(RECORD)],
        "ConsistentRead": True,
    }


@pytest.mark.parametrize("nothing", [{}, {"Responses": {}}, answer()])
def test_what_is_not_there_is_none(nothing: dict[str, Any]) -> None:
    assert peek(nothing)[0] == (None, {})


def test_what_was_throttled_is_asked_for_again_alone() -> None:
    seen, client = peek(answer(HEAD, unprocessed=(RECORD,)), answer(RECORD))
    assert seen == (make_head(RUN), {"charge#1": make_record("charge#1")})
    _, again = client.requests[1]
    assert again["RequestItems"]["table"] == {"Keys": [key_of(RECORD)], "ConsistentRead": True}


def test_what_stays_throttled_is_unavailable_and_never_taken_for_missing() -> None:
    throttled = answer(HEAD, unprocessed=(RECORD,))
    still = answer(unprocessed=(RECORD,))
    with pytest.raises(UnavailableError, match="not read"):
        peek(throttled, still, still)


def test_what_cannot_be_read_is_named_each_as_in_a_history() -> None:
    broken: Item = {**RECORD, "status": {"S": "DREAMING"}}
    headless: Item = {name: value for name, value in HEAD.items() if name != "workflow"}
    with pytest.raises(UnreadableError) as one:
        peek(answer(HEAD, broken))
    with pytest.raises(UnreadableError) as both:
        peek(answer(headless, broken))
    assert [each.key for each in one.value.items] == ["charge#1"]
    assert len(both.value.items) == 2
    client: Any = ScriptedClient({"Items": [headless, broken]})
    with pytest.raises(UnreadableError) as loaded:
        DynamoRuns(client, "table").load(RUN)
    assert loaded.value.items == both.value.items


def test_who_has_peeked_at_a_run_knows_its_workflow() -> None:
    client: Any = ScriptedClient(answer(HEAD), {})
    runs = DynamoRuns(client, "table")
    runs.peek(RUN, ["charge#1"])
    assert runs.change(RUN, CHANGES["completed"], transitions.RUN_ENDED)
    assert [name for name, _ in client.requests] == ["batch_get_item", "update_item"]


def test_a_stretch_is_asked_for_in_one_request_and_no_more_of_it_than_wanted() -> None:
    client: Any = ScriptedClient({"Items": [RECORD]})
    seen = DynamoRuns(client, "table").between(RUN, "a#1/0/", "a#1/0/z", 5)
    assert seen == ([make_record("charge#1")], False)
    ((name, request),) = client.requests
    assert name == "query"
    assert request["ConsistentRead"] is True
    assert request["Limit"] == 5
    values = request["ExpressionAttributeValues"]
    assert (values[":first"], values[":last"]) == ({"S": "OP#a#1/0/"}, {"S": "OP#a#1/0/z"})


def test_a_stretch_of_which_there_may_be_more_than_wanted_says_so() -> None:
    client: Any = ScriptedClient({"Items": [RECORD], "LastEvaluatedKey": key_of(RECORD)})
    seen = DynamoRuns(client, "table").between(RUN, "a#1/0/", "a#1/0/z", 1)
    assert seen == ([make_record("charge#1")], True)
