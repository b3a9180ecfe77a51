"""Sizes of items and units of writes, compared with the independent count of `bench`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.metering.sizes import item_size as independent
from bench.table_model import Index, TableModel
from everstep.adapters.dynamodb.sizes import INDEXES, Shape, Write, count, item_size, size_of
from everstep.adapters.dynamodb.updates import Update
from everstep.core.meter import Meter, metered
from everstep.core.spending import Spent
from tests import cloudformation

if TYPE_CHECKING:
    from everstep.adapters.dynamodb.values import Item

texts = st.text(max_size=20)
plain: st.SearchStrategy[Any] = (
    st.builds(lambda text: {"S": text}, texts)
    | st.builds(lambda number: {"N": str(number)}, st.integers(0, 2**53))
    | st.just({"NULL": True})
)
values: st.SearchStrategy[Any] = st.recursive(
    plain,
    lambda inner: (
        st.builds(lambda many: {"L": many}, st.lists(inner, max_size=3))
        | st.builds(lambda many: {"M": many}, st.dictionaries(texts, inner, max_size=3))
    ),
    max_leaves=6,
)
some_items = st.dictionaries(texts, values, max_size=6)
MODELS = tuple(Index(name=keys[0], keys=keys, projected=held) for keys, held in INDEXES.items())
KEY: Item = {"PK": {"S": "RUN#1"}, "SK": {"S": "#HEAD"}}


@given(some_items, some_items)
def test_sizes_are_those_of_the_independent_count(one: Item, other: Item) -> None:
    assert item_size(one) == independent(one)
    assert size_of([one, other]) == independent(one) + independent(other)


def test_indexes_hold_what_the_template_says() -> None:
    (table,) = cloudformation.of_type(cloudformation.load(), "AWS::DynamoDB::Table").values()
    said = {
        tuple(key["AttributeName"] for key in each["KeySchema"]): {
            *each["Projection"]["NonKeyAttributes"],
            *(key["AttributeName"] for key in each["KeySchema"]),
            *("PK", "SK"),
        }
        for each in table["GlobalSecondaryIndexes"]
    }
    assert {keys: set(held) for keys, held in INDEXES.items()} == said


indexed: st.SearchStrategy[Item] = st.fixed_dictionaries(
    {},
    optional={
        "due_pk": st.sampled_from([{"S": "DUE#1"}, {"S": "DUE#2"}]),
        "due_at": st.sampled_from([{"N": "1"}, {"N": "25"}]),
        "list_pk": st.just({"S": "LIST#a#RUNNING"}),
        "list_sk": st.just({"S": "1"}),
        "status": st.sampled_from([{"S": "RUNNING"}, {"S": "DONE"}]),
        "input": st.sampled_from([{"S": "x"}, {"S": "x" * 3000}]),
    },
)


def taken(*writes: Write) -> Spent:
    with metered(Meter("run")) as counts:
        count(*writes)
    return counts.left(0)


def model_of(item: Item) -> TableModel:
    return TableModel(indexes=MODELS, items={("RUN#1", "#HEAD"): dict(item)})


@given(indexed, indexed)
def test_a_put_takes_what_the_independent_count_says(before: Item, after: Item) -> None:
    cost = model_of(KEY | before).apply([{"Item": KEY | after}], None)
    spent = taken(Write.put(KEY | after, KEY | before))
    assert (spent.writes, spent.index_writes) == (cost.base, cost.index.total())


@given(indexed, indexed, st.lists(st.sampled_from(["due_pk", "due_at", "input"]), unique=True))
def test_an_update_takes_what_the_independent_count_says(
    before: Item, changed: Item, gone: list[str]
) -> None:
    update = Update(set=changed, remove=tuple(each for each in gone if each not in changed))
    request = {
        "Key": KEY,
        "UpdateExpression": update.expression,
        "ExpressionAttributeNames": update.names,
        "ExpressionAttributeValues": update.values,
    }
    cost = model_of(KEY | before).apply([request], None)
    spent = taken(Write.update(update, Shape.of(KEY | before))[0])
    assert (spent.writes, spent.index_writes) == (cost.base, cost.index.total())


@pytest.mark.parametrize("size", [900, 1006, 1007, 1008, 1009, 2040])
def test_a_write_tells_of_itself_what_it_takes(size: int) -> None:
    item: Item = {**KEY, "c": {"S": "D1"}, "x": {"S": "x" * (size - 20)}}
    spent = taken(Write.put(item))
    assert Spent.read(item["c"]["S"]) == spent
    assert spent.writes == -(-item_size(item) // 1024)


def test_a_transaction_takes_twice_as_much_and_is_told_as_a_whole() -> None:
    item: Item = {**KEY, "c": {"S": "D1"}, "due_pk": {"S": "DUE#1"}, "due_at": {"N": "1"}}
    spent = taken(Write.put(item), Write.put({**KEY, "x": {"S": "x" * 2000}}))
    assert Spent.read(item["c"]["S"]) == spent == Spent(requests=1, writes=6, index_writes=1)


def test_what_is_not_known_of_an_item_is_taken_to_be_small() -> None:
    there, told = Write.update(Update(set={"due_pk": {"S": "DUE#1"}, "due_at": {"N": "1"}}), None)
    assert told.set is there.changed
    gone, _ = Write.update(Update(remove=("due_pk", "due_at")), None)
    other, _ = Write.update(Update(set={"taken_by": {"S": "x"}}), None)
    assert [(each.units, each.index) for each in (there, gone, other)] == [(1, 2), (1, 1), (1, 0)]
