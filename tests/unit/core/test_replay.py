"""A pass over a workflow's code: the same history always gives the same decision.

Operations are named, so code may change around what is recorded; where code and history
contradict each other the run stands still, with a message that says what to do.
"""

from dataclasses import replace

import pytest
from pydantic import BaseModel

from everstep import Context, StepFailed
from everstep.core.model import HEAD, History, OpKind, OpStatus
from everstep.core.replay import Broken, Raised, Returned, Suspended
from tests.unit.core.builders import (
    DAY,
    NOW,
    SECOND,
    Body,
    Failure,
    add,
    add_twice,
    broken,
    decide,
    ended,
    frontier,
    history_of,
    make_history,
    one_pass,
    raised,
    record,
    returned,
)


class Order(BaseModel):
    id: str
    total: int


def charge(amount: int) -> str:
    return f"charged {amount}"


def mail(text: str) -> None: ...


def make_order() -> Order:
    return Order(id="o", total=1)


async def checkout(ctx: Context) -> str:
    receipt = await ctx.step(charge, 10)
    await ctx.sleep(60, name="cool-down")
    await ctx.step(mail, receipt)
    return receipt


CHECKOUT = {"charge#1": "charged 10", "cool-down#1": None, "mail#1": None}


def recorded(*keys: str, body: Body = checkout) -> History:
    return history_of(body, {key: CHECKOUT[key] for key in keys})


# --- Going along the history


def test_without_history_the_first_operation_is_the_frontier() -> None:
    decision = decide(checkout)

    assert isinstance(decision, Suspended)
    (pending,) = decision.frontier
    assert (pending.key, pending.unlocked_by, pending.ready_at) == ("charge#1", HEAD, NOW)
    assert pending.record is None
    assert pending.wake_at is None


def test_a_recorded_operation_is_answered_at_once() -> None:
    decision = decide(checkout, recorded("charge#1"))

    assert isinstance(decision, Suspended)
    (pending,) = decision.frontier
    assert (pending.key, pending.unlocked_by) == ("cool-down#1", "charge#1")
    assert pending.ready_at == NOW + SECOND
    assert pending.wake_at == NOW + 61 * SECOND


def test_a_complete_history_gives_the_result_and_the_operation_that_led_to_it() -> None:
    decision = decide(checkout, recorded(*CHECKOUT))

    assert decision == Returned(output='"charged 10"', last="mail#1")


def test_a_failed_step_is_raised_where_it_is_awaited() -> None:
    seen: list[StepFailed] = []

    async def careful(ctx: Context) -> str:
        try:
            return await ctx.step(charge, 10)
        except StepFailed as error:
            seen.append(error)
            return "declined"

    history = history_of(careful, {"charge#1": Failure(type="Declined", message="no money")})

    assert returned(decide(careful, history)) == '"declined"'
    assert (seen[-1].error_type, seen[-1].message, seen[-1].attempts) == ("Declined", "no money", 1)


def test_an_uncaught_failure_ends_the_run_with_its_operation() -> None:
    decision = decide(checkout, history_of(checkout, {"charge#1": Failure()}))

    assert isinstance(decision, Raised)
    assert decision.last == "charge#1"
    assert decision.error.operation == "charge#1"
    assert decision.error.type == "StepFailed"


@pytest.mark.parametrize("status", [OpStatus.RETRY, OpStatus.WAITING])
def test_an_unfinished_record_suspends(status: OpStatus) -> None:
    pending_step = record("charge#1", status, input_hash=hash_of("charge#1"), wake_at=NOW + DAY)

    decision = decide(checkout, make_history(pending_step))

    assert isinstance(decision, Suspended)
    assert decision.frontier[0].record == pending_step
    assert decision.frontier[0].wake_at == NOW + DAY


def hash_of(key: str) -> str:
    history = recorded(*CHECKOUT)
    return history.records[key].input_hash


def test_the_same_name_twice_is_told_apart_by_its_occurrence() -> None:
    async def both(ctx: Context) -> list[str]:
        return [await ctx.step(charge, 1), await ctx.step(charge, 2)]

    history = history_of(both, {"charge#1": "one", "charge#2": "two"})

    assert returned(decide(both, history)) == '["one","two"]'


def test_a_typed_result_reaches_the_workflow_as_its_type() -> None:
    async def typed(ctx: Context) -> bool:
        return isinstance(await ctx.step(make_order), Order)

    history = history_of(typed, {"make_order#1": {"id": "o", "total": 1}})

    assert returned(decide(typed, history)) == "true"


def test_a_step_without_a_recorded_result_gives_none() -> None:
    async def nothing(ctx: Context) -> object:
        return await ctx.step(mail, "x")

    history = history_of(nothing, {"mail#1": None})
    bare = replace(history.records["mail#1"], result=None)

    assert returned(decide(nothing, history.with_record(bare))) == "null"


def test_input_is_decoded_by_its_annotation() -> None:
    async def total(_ctx: Context, order: Order) -> int:
        return order.total

    assert returned(decide(total, make_history(given={"id": "o", "total": 7}))) == "7"


def test_input_that_no_longer_fits_stalls_the_run() -> None:
    async def total(_ctx: Context, order: Order) -> int:
        return order.total

    error = broken(decide(total, make_history(given={"id": "o"})))

    assert error.type == "SerializationError"
    assert "no longer fits the annotation Order" in error.message


def test_an_annotation_that_cannot_be_resolved_stalls_the_run() -> None:
    async def lost(_ctx: Context, order: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821
        ...

    error = broken(decide(lost))

    assert error.type == "DefinitionError"
    assert "import the type at module level" in error.message


def test_a_result_that_no_longer_fits_stalls_the_run_and_names_the_operation() -> None:
    async def typed(ctx: Context) -> int:
        return (await ctx.step(make_order)).total

    decision = decide(typed, history_of(typed, {"make_order#1": {"id": "o"}}))

    assert isinstance(decision, Broken)
    assert decision.error.operation == "make_order#1"
    assert decision.keys == {"make_order#1"}


def test_an_output_that_cannot_be_recorded_fails_the_run() -> None:
    async def odd(_ctx: Context) -> object:
        return object()

    assert raised(decide(odd)).type == "SerializationError"


def test_an_error_of_the_workflow_fails_the_run() -> None:
    async def wrong(_ctx: Context) -> None:
        raise KeyError("x")

    assert raised(decide(wrong)).type == "KeyError"


@pytest.mark.parametrize(
    "leave", [SystemExit(3), GeneratorExit()], ids=lambda each: type(each).__name__
)
def test_leaving_through_an_exit_fails_the_run(leave: BaseException) -> None:
    async def leaving(_ctx: Context) -> None:
        raise leave

    assert raised(decide(leaving)).type == type(leave).__name__


@pytest.mark.parametrize("signal", [KeyboardInterrupt(), BaseException()], ids=["Ctrl-C", "other"])
def test_what_ends_a_process_ends_it_here_too(signal: BaseException) -> None:
    async def stopped(_ctx: Context) -> None:
        raise signal

    with pytest.raises(type(signal)):
        decide(stopped)


# --- Resuming


def test_a_pass_goes_on_with_the_record_that_was_just_written() -> None:
    with one_pass(add_twice) as replay:
        pending = replay.pending("add#1")
        assert pending is not None
        replay.resume(ended(pending, 1))
        second = replay.pending("add#2")
        assert second is not None
        decision = replay.resume(ended(second, 3))

    assert returned(decision) == "3"
    assert replay.asked == ["add#1", "add#2"]
    assert list(replay.records) == ["add#1", "add#2"]


def test_a_failed_attempt_leaves_the_operation_in_the_frontier() -> None:
    with one_pass(add_twice) as replay:
        pending = replay.pending("add#1")
        assert pending is not None
        again = replace(ended(pending), status=OpStatus.RETRY, wake_at=NOW + DAY)
        decision = replay.resume(again)

    assert isinstance(decision, Suspended)
    assert decision.frontier[0].record == again
    assert decision.frontier[0].wake_at == NOW + DAY


def test_only_what_is_in_the_frontier_can_be_resumed() -> None:
    with one_pass(add_twice) as replay, pytest.raises(LookupError, match="x#1 is not in the fron"):
        replay.resume(record("x#1"))


def test_a_finished_pass_has_no_frontier() -> None:
    with one_pass(checkout, recorded(*CHECKOUT)) as replay:
        assert replay.pending("mail#1") is None


def test_a_pass_that_was_let_go_cannot_go_on() -> None:
    with one_pass(add_twice) as replay:
        pending = replay.pending("add#1")
    assert pending is not None

    with pytest.raises(RuntimeError, match="this pass is closed"):
        replay.resume(ended(pending, 1))


def test_letting_go_twice_is_harmless() -> None:
    with one_pass(add_twice) as replay:
        replay.close()


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
        (inserted, ["charge#1"], "charge#1", "asks for the new add#1 before charge#1, recorded"),
        (inserted, [*CHECKOUT], "charge#1", "before charge#1, cool-down#1, mail#1, recorded"),
        (removed, ["charge#1", "cool-down#1"], "cool-down#1", "ends without asking for cool-down"),
        (
            removed_before_an_error,
            ["charge#1", "cool-down#1"],
            "cool-down#1",
            "raises ValueError (wrong) without asking for cool-down#1, recorded already",
        ),
        (changed_argument, ["charge#1"], "charge#1", "argument 1 differs"),
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
