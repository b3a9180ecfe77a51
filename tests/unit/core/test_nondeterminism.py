"""Code changes while runs are in flight: what just works, and what stands still and says why."""

import pytest

from everstep import Context
from everstep.core.decisions import Broken
from everstep.core.model import OpKind
from tests.unit.core.builders import (
    Body,
    add,
    broken,
    decide,
    frontier,
    history_of,
)
from tests.unit.core.checkout import CHECKOUT, charge, checkout, mail, recorded

# --- Changes of the code that are fine


def test_reordering_differently_named_operations_before_the_frontier_just_works() -> None:
    async def before(ctx: Context) -> None:
        await ctx.step(charge, 1)
        await ctx.step(mail, "x")
        await ctx.step(add, 1)

    async def after(ctx: Context) -> None:
        await ctx.step(mail, "x")
        await ctx.step(charge, 1)
        await ctx.step(add, 1)

    history = history_of(before, {"charge#1": "", "mail#1": None})

    assert frontier(decide(after, history)) == ["add#1"]


def test_appending_after_the_last_recorded_operation_just_works() -> None:
    async def longer(ctx: Context) -> None:
        await checkout(ctx)
        await ctx.step(add, 1)

    assert frontier(decide(longer, recorded(*CHECKOUT))) == ["add#1"]


def test_changing_what_comes_after_the_frontier_just_works() -> None:
    async def changed(ctx: Context) -> int:
        await ctx.step(charge, 10)
        return await ctx.step(add, 5)

    assert frontier(decide(changed, recorded("charge#1"))) == ["add#1"]


# --- Changes of the code that contradict the history


async def inserted(ctx: Context) -> None:
    await ctx.step(add, 1)
    await checkout(ctx)


async def removed(ctx: Context) -> str:
    return await ctx.step(charge, 10)


async def removed_before_an_error(ctx: Context) -> None:
    await ctx.step(charge, 10)
    raise ValueError("wrong")


async def changed_argument(ctx: Context) -> None:
    await ctx.step(charge, 11)


async def changed_sleep(ctx: Context) -> None:
    await ctx.step(charge, 10)
    await ctx.sleep(61, name="cool-down")


async def changed_kind(ctx: Context) -> None:
    await ctx.sleep(1, name="charge")


@pytest.mark.parametrize(
    ("body", "keys", "operation", "said"),
    [
        (inserted, ["charge#1"], "charge#1", "asks for the new add#1 where charge#1 stands"),
        (inserted, [*CHECKOUT], "charge#1", "where charge#1, cool-down#1, mail#1 stands"),
        (removed, ["charge#1", "cool-down#1"], "cool-down#1", "ends without asking for cool-down"),
        (
            removed_before_an_error,
            ["charge#1", "cool-down#1"],
            "cool-down#1",
            "raises ValueError (wrong) without asking for cool-down#1, recorded already",
        ),
        (changed_argument, ["charge#1"], "charge#1", "argument amount differs"),
        (changed_sleep, [*CHECKOUT], "cool-down#1", "the time differs (for=60000 recorded, for=61"),
        (changed_kind, ["charge#1"], "charge#1", "recorded as a step, today's code asks for a sle"),
    ],
    ids=["inserted", "inserted early", "removed", "removed, failing", "argument", "sleep", "kind"],
)
def test_a_contradiction_stands_still_and_says_what_was_recorded_and_what_is_asked(
    body: Body, keys: list[str], operation: str, said: str
) -> None:
    error = broken(decide(body, recorded(*keys)))

    assert error.type == "NonDeterminismError"
    assert error.operation == operation
    assert said in error.message


@pytest.mark.parametrize("body", [inserted, removed], ids=["inserted", "removed"])
def test_an_insertion_or_removal_proposes_a_patch(body: Body) -> None:
    assert "ctx.patched" in broken(decide(body, recorded("charge#1", "cool-down#1"))).message


def test_a_changed_kind_proposes_another_name() -> None:
    error = broken(decide(changed_kind, recorded("charge#1")))

    assert "give the new operation another name" in error.message


def test_a_changed_input_says_where_arguments_may_come_from() -> None:
    message = broken(decide(changed_argument, recorded("charge#1"))).message

    assert "compute them from the input and from recorded results" in message


def test_many_unclaimed_records_are_listed_in_part() -> None:
    async def many(ctx: Context) -> None:
        for number in range(5):
            await ctx.step(add, number)

    async def none(_ctx: Context) -> None: ...

    history = history_of(many, {f"add#{number}": 0 for number in range(1, 6)})

    assert "add#1, add#2, add#3 and 2 more" in broken(decide(none, history)).message


def test_a_second_occurrence_that_is_new_does_not_answer_for_the_first() -> None:
    async def swapped(ctx: Context) -> None:
        await ctx.step(charge, 2)
        await ctx.step(charge, 1)

    async def both(ctx: Context) -> None:
        await ctx.step(charge, 1)
        await ctx.step(charge, 2)

    error = broken(decide(swapped, history_of(both, {"charge#1": "", "charge#2": ""})))

    assert error.operation == "charge#1"


def test_a_contradiction_names_the_records_that_it_rests_on() -> None:
    decision = decide(removed, recorded("charge#1", "cool-down#1"))

    assert isinstance(decision, Broken)
    assert decision.keys == {"cool-down#1"}


def test_kinds_are_those_of_the_operations() -> None:
    history = recorded(*CHECKOUT)

    assert [each.kind for each in history.records.values()] == [
        OpKind.STEP,
        OpKind.SLEEP,
        OpKind.STEP,
    ]
