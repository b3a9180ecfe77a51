"""A pass over a workflow's code: the same history always gives the same decision.

Operations are named, so code may change around what is recorded; where code and history
contradict each other the run stands still, with a message that says what to do.
"""

from dataclasses import replace

import pytest

from everstep import Context, StepFailed
from everstep.core.decisions import Broken, Raised, Returned, Suspended
from everstep.core.model import HEAD, OpStatus
from tests.unit.core.builders import (
    DAY,
    NOW,
    SECOND,
    Failure,
    add_twice,
    broken,
    decide,
    ended,
    history_of,
    make_history,
    one_pass,
    raised,
    record,
    returned,
)
from tests.unit.core.checkout import CHECKOUT, Order, charge, checkout, mail, make_order, recorded

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
        replay.resume(ended(second, 3))
        decision = replay.decision

    assert returned(decision) == "3"
    assert replay.asked == ["add#1", "add#2"]
    assert list(replay.records) == ["add#1", "add#2"]


def test_a_failed_attempt_leaves_the_operation_in_the_frontier() -> None:
    with one_pass(add_twice) as replay:
        pending = replay.pending("add#1")
        assert pending is not None
        again = replace(ended(pending), status=OpStatus.RETRY, wake_at=NOW + DAY)
        replay.resume(again)
        decision = replay.decision

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
