"""What writes cost, by what the table held before them."""

from __future__ import annotations

from typing import Any, Final

import pytest

from bench.table_model import Index, TableModel, indexes_of
from everstep.adapters.dynamodb import items, updates
from everstep.core.changes import RunEnded, RunResumed, RunWatched
from everstep.core.model import (
    Head,
    OpKind,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
)
from tests import cloudformation

HEAD: Final = Head(
    run_id="r1",
    workflow="flow",
    version="1",
    status=RunStatus.RUNNING,
    input=Payload(text="1", size=1),
    created_at=1_763_700_000_000,
    by="t0",
    due_at=1_763_700_420_000,
)
DONE: Final = RunEnded(status=RunStatus.COMPLETED, by="t1", at=1_763_700_001_000)


def indexes() -> tuple[Index, ...]:
    """Return the indexes of the template's table."""
    table = cloudformation.load()["Resources"]["Table"]["Properties"]
    return indexes_of(table)


def put(item: dict[str, Any]) -> dict[str, Any]:
    return {"Item": item}


def update(change: RunEnded | RunResumed | RunWatched) -> dict[str, Any]:
    made = updates.head("r1", "flow", change)
    return {
        "Key": {"PK": {"S": "RUN#r1"}, "SK": {"S": "#HEAD"}},
        "UpdateExpression": made.expression,
        "ExpressionAttributeNames": made.names,
        "ExpressionAttributeValues": made.values,
    }


def record(text: str) -> dict[str, Any]:
    return items.from_record(
        "r1",
        OpRecord(
            key="count#1",
            kind=OpKind.STEP,
            status=OpStatus.DONE,
            by="t1",
            input_hash="h",
            attempt=1,
            result=Payload(text=text, size=len(text)),
        ),
    )


@pytest.fixture
def table() -> TableModel:
    return TableModel(indexes=indexes())


def test_a_new_run_takes_a_unit_and_an_entry_in_each_index(table: TableModel) -> None:
    cost = table.apply([put(items.from_head(HEAD))], None)
    assert cost.base == 1
    assert cost.index == {"due put": 1, "list put": 1}


def test_the_end_of_a_run_takes_it_from_one_index_and_moves_it_in_the_other(
    table: TableModel,
) -> None:
    table.apply([put(items.from_head(HEAD))], None)
    cost = table.apply([update(DONE)], None)
    assert cost.base == 1
    assert cost.index == {"due delete": 1, "list delete": 1, "list put": 1}
    (head,) = table.items.values()
    assert items.to_head(head).status is RunStatus.COMPLETED
    assert items.to_head(head).due_at is None


def test_a_resumption_leaves_the_head_that_the_engine_would_read(table: TableModel) -> None:
    table.apply([put(items.from_head(HEAD))], None)
    table.apply([update(RunResumed(by="t2", at=5, due_at=9))], None)
    (head,) = table.items.values()
    read = items.to_head(head)
    assert (read.status, read.due_at, read.resumed_at) == (RunStatus.RUNNING, 9, 5)


def test_a_move_within_an_index_is_a_delete_and_a_put(table: TableModel) -> None:
    table.apply([put(items.from_head(HEAD))], None)
    cost = table.apply([update(RunWatched(due_at=1_763_700_840_000))], None)
    assert cost.index == {"due delete": 1, "due put": 1}


def test_a_change_of_what_an_index_copies_is_one_write(table: TableModel) -> None:
    listed = items.from_head(HEAD)
    table.apply([put(listed)], None)
    cost = table.apply([put({**listed, "ended_at": {"N": "1"}})], None)
    assert cost.index == {"list update": 1}


def test_a_record_of_a_step_is_in_no_index(table: TableModel) -> None:
    cost = table.apply([put(record("1"))], None)
    assert (cost.base, cost.index) == (1, {})


def test_a_write_is_billed_by_the_larger_of_the_items_before_and_after(table: TableModel) -> None:
    assert table.apply([put(record("x" * 2500))], None).base == 3
    assert table.apply([put(record("1"))], None).base == 3
    assert table.apply([put(record("1"))], None).base == 1


def test_a_transaction_takes_twice_the_units_of_the_table_but_not_of_the_indexes(
    table: TableModel,
) -> None:
    claim = {"PK": {"S": "IDEM#flow#k"}, "SK": {"S": "-"}}
    cost = table.apply([put(items.from_head(HEAD)), put(claim)], None)
    assert cost.base == 4
    assert cost.index == {"due put": 1, "list put": 1}


def test_a_refused_write_is_billed_and_changes_nothing(table: TableModel) -> None:
    table.apply([put(record("x" * 2500))], None)
    cost = table.apply([put(record("1"))], "ConditionalCheckFailedException")
    assert (cost.base, cost.index) == (3, {})
    assert table.sizes("OP#", ["r1"])[0] > 2500


def test_a_write_that_failed_otherwise_is_not_billed(table: TableModel) -> None:
    cost = table.apply([put(record("1"))], "InternalError")
    assert cost.base == 0
    assert table.items == {}


def test_only_items_of_the_runs_that_are_asked_for_are_sized(table: TableModel) -> None:
    table.apply([put(record("1"))], None)
    assert len(table.sizes("OP#", ["r1"])) == 1
    assert table.sizes("OP#", ["r2"]) == []
    assert table.sizes("#HEAD", ["r1"]) == []


@pytest.mark.parametrize(
    "expression", ["SET #a = if_not_exists(#a, :b)", "ADD #a :b, #b", "DELETE #a :b"]
)
def test_an_update_of_an_unknown_form_is_refused(table: TableModel, expression: str) -> None:
    write = {
        "Key": {"PK": {"S": "p"}, "SK": {"S": "s"}},
        "UpdateExpression": expression,
        "ExpressionAttributeNames": {"#a": "a", "#b": "b"},
        "ExpressionAttributeValues": {":b": {"N": "1"}},
    }
    with pytest.raises(ValueError, match="no form of an update"):
        table.apply([write], None)


def test_adding_to_what_is_no_number_is_refused(table: TableModel) -> None:
    write = {
        "Key": {"PK": {"S": "p"}, "SK": {"S": "s"}},
        "UpdateExpression": "ADD #a :b",
        "ExpressionAttributeNames": {"#a": "a"},
        "ExpressionAttributeValues": {":b": {"SS": ["x"]}},
    }
    with pytest.raises(ValueError, match="whole numbers only"):
        table.apply([write], None)
