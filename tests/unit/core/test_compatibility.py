"""Recorded runs beside today's code: what is safe, and what is told where the two part."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, SecretStr

from everstep import Context, step
from everstep.core.codec import encode
from everstep.core.compatibility import (
    ReplayReport,
    Verdict,
    brief,
    check_replay,
    pinned,
    restless,
    told_time,
)
from everstep.core.model import ErrorInfo, OpStatus, Payload, RunStatus, Stall
from tests.unit.core.builders import (
    NOW,
    Body,
    add,
    definition,
    history_of,
    inserted_record,
    make_history,
    record,
)

if TYPE_CHECKING:
    from everstep.core.model import History


def charge(amount: int, currency: str = "EUR") -> str:
    return f"{amount} {currency}"


def ship(order: str) -> str:
    return order


def deliver(order: str) -> str:
    return order


def nothing() -> None:
    """Do nothing."""


async def recorded(ctx: Context) -> str:
    """Charge, wait, ship: the code that made the histories of these tests."""
    await ctx.step(charge, 10)
    await ctx.sleep(60, name="wait")
    return await ctx.step(ship, "o-1")


def history(*, status: RunStatus = RunStatus.RUNNING, **head: Any) -> History:  # noqa: ANN401
    """Return a history in which the shipping is still to come."""
    made = history_of(recorded, {"charge#1": "10 EUR", "wait#1": None})
    return replace(made, head=replace(made.head, status=status, **head))


def ended(result: object = "o-1") -> History:
    made = history_of(recorded, {"charge#1": "10 EUR", "wait#1": None, "ship#1": "o-1"})
    head = replace(
        made.head, status=RunStatus.COMPLETED, ended_at=NOW, result=Payload(text=encode(result))
    )
    return replace(made, head=head)


def failed(error: ErrorInfo, made: History | None = None) -> History:
    made = made or ended()
    return replace(made, head=replace(made.head, status=RunStatus.FAILED, result=None, error=error))


def check(body: Body, told: History | None = None, *, values: bool = True) -> ReplayReport:
    return check_replay(definition(body), told or history(), values=values)


def said(report: ReplayReport) -> list[str]:
    """Return the lines of a report without the last, which names the run."""
    *lines, last = str(report).splitlines()
    assert last == "(run run-1 of order version 1)"
    return lines


# --- Safe


def test_code_that_asks_for_what_is_recorded_is_safe_and_says_what_comes_next() -> None:
    report = check(recorded)

    assert report.safe
    assert report.same_outcome
    assert said(report) == [
        "safe: today's code asks for what is recorded (2 operations)",
        "Note: after the last recorded operation it asks for the step ship#1",
    ]


def test_a_run_that_has_not_begun_is_safe_whatever_the_code_asks_for() -> None:
    async def other(ctx: Context) -> None:
        await ctx.step(nothing)

    assert said(check(other, make_history())) == [
        "safe: nothing is recorded yet that could differ",
        "Note: after the last recorded operation it asks for the step nothing#1",
    ]


def test_an_operation_that_is_not_done_is_what_the_code_waits_for() -> None:
    unfinished = inserted_record(
        recorded,
        history(),
        record("ship#1", OpStatus.RETRY, wake_at=NOW, error=ErrorInfo(type="E", message="")),
    )

    assert said(check(recorded, history().with_record(unfinished)))[1:] == [
        "Note: it waits for the step ship#1 (RETRY)"
    ]


def test_an_end_right_after_the_last_record_is_safe_for_a_run_in_flight() -> None:
    async def shorter(ctx: Context) -> None:
        await ctx.step(charge, 10)
        await ctx.sleep(60, name="wait")

    report = check(shorter)

    assert report.safe
    assert report.notes == ()


def test_a_mended_run_that_stands_still_is_to_be_resumed() -> None:
    stall = Stall(reason=ErrorInfo(type="NonDeterminismError", message="…"), at=NOW)

    assert "the run stands still (NonDeterminismError): resume it" in (
        check(recorded, history(status=RunStatus.STALLED, stall=stall)).notes
    )


def test_one_operation_is_one_operation() -> None:
    made = history_of(recorded, {"charge#1": "10 EUR"})

    assert "(1 operation)" in check(recorded, made).reason


# --- How a run ended, and how it would today


def test_a_run_that_would_end_as_it_did_has_the_same_outcome() -> None:
    report = check(recorded, ended())

    assert (report.safe, report.same_outcome, report.notes) == (True, True, ())


def test_the_order_of_keys_in_a_result_makes_no_difference() -> None:
    async def other(ctx: Context) -> dict[str, int]:
        await recorded(ctx)
        return {"a": 1, "b": 2}

    assert check(other, ended({"b": 2, "a": 1})).same_outcome
    assert not check(other, ended({"b": 2, "a": True})).same_outcome


@pytest.mark.parametrize(
    ("values", "note"),
    [
        (True, 'the run returned "o-1"; today\'s code returned {"price":3,"pin":"**********"}'),
        (False, "the run returned a value; today's code returned another value"),
    ],
)
def test_another_result_is_safe_for_runs_in_flight_and_noted(values: bool, note: str) -> None:  # noqa: FBT001
    async def other(ctx: Context) -> dict[str, Any]:
        await recorded(ctx)
        return {"price": 3, "pin": SecretStr("1234")}

    report = check(other, ended(), values=values)

    assert report.safe
    assert not report.same_outcome
    assert report.notes == (note,)


def test_a_failure_where_there_was_a_result_is_another_outcome() -> None:
    async def other(ctx: Context) -> None:
        await recorded(ctx)
        raise ValueError("no")

    assert check(other, ended()).notes == (
        'the run returned "o-1"; today\'s code failed with ValueError: no',
    )
    assert check(other, ended(), values=False).notes == (
        "the run returned a value; today's code failed with ValueError",
    )
    assert check(other, failed(ErrorInfo(type="ValueError", message="no"))).same_outcome
    assert check(other, failed(ErrorInfo(type="ValueError", message="yes"))).notes == (
        "the run failed with ValueError: yes; today's code failed with ValueError: no",
    )


def test_code_that_goes_on_where_the_run_ended_is_another_outcome() -> None:
    async def longer(ctx: Context) -> str:
        order = await recorded(ctx)
        await ctx.sleep(1)
        return order

    report = check(longer, ended())

    assert report.safe
    assert report.notes == (
        'the run returned "o-1"; today\'s code goes on and asks for the sleep sleep#1',
    )


def test_a_result_that_was_refused_when_it_was_to_be_recorded_is_the_same_again() -> None:
    too_large = ErrorInfo(type="PayloadTooLargeError", message="too large")

    assert check(recorded, failed(too_large)).same_outcome
    assert check(recorded, failed(ErrorInfo(type="KeyError", message=""))).notes == (
        'the run failed with KeyError: ; today\'s code returned "o-1"',
    )


def test_an_ended_run_without_a_recorded_result_is_compared_with_null() -> None:
    made = ended()
    bare = replace(made, head=replace(made.head, result=None))

    assert check(recorded, bare).notes == ('the run returned null; today\'s code returned "o-1"',)


def test_a_run_that_was_cancelled_has_no_outcome_of_its_code() -> None:
    report = check(recorded, history(status=RunStatus.CANCELLED))

    assert (report.safe, report.same_outcome, report.notes) == (True, True, ())


# --- Broken


def test_a_changed_argument_is_named_with_what_today_s_code_passes() -> None:
    async def other(ctx: Context) -> None:
        await ctx.step(charge, 12)

    report = check(other)

    assert not report.safe
    assert (report.verdict, report.operation) == (Verdict.ARGUMENTS_CHANGED, "charge#1")
    assert said(report) == [
        (
            "broken at charge#1: recorded with another amount; today's code passes amount=12 "
            "(of what was recorded only hashes are kept)"
        ),
        (
            "What to do: compute what a recorded operation is asked for from the input, recorded "
            "results, ctx.now(), ctx.random() and ctx.uuid() alone; or deploy the change as a new "
            "version"
        ),
    ]
    assert "12" not in str(check(other, values=False))


def test_an_argument_that_is_new_or_gone_is_named() -> None:
    async def before(ctx: Context) -> None:
        await ctx.step(charge, 10, "EUR")

    in_full = history_of(before, {"charge#1": "10 EUR"})

    @step(name="charge")
    def charge_today(amount: int, tip: int) -> str:
        return f"{amount + tip}"

    async def other(ctx: Context) -> None:
        await ctx.step(charge_today, 10, 2)

    assert check(other, in_full, values=False).reason == (
        "recorded without tip; recorded with currency, not passed today"
    )

    @step(name="charge")
    def charge_simply(currency: str) -> str:
        return currency

    async def fewer(ctx: Context) -> None:
        await ctx.step(charge_simply, "EUR")

    assert check(fewer, in_full).reason == "recorded with amount, not passed today"


def test_of_many_arguments_those_of_today_are_named() -> None:
    def many(**fields: int) -> int:
        return len(fields)

    names = [f"field_{number}" for number in range(20)]

    async def before(ctx: Context) -> int:
        return await ctx.step(many, **dict.fromkeys(names, 1))

    async def today(ctx: Context) -> int:
        return await ctx.step(many, **dict.fromkeys(names, 2))

    assert check(today, history_of(before, {"many#1": 20})).operation == "many#1"


def test_another_sleep_is_told_in_time() -> None:
    async def other(ctx: Context) -> None:
        await ctx.step(charge, 10)
        await ctx.sleep_until(datetime(2027, 1, 1, tzinfo=UTC), name="wait")

    assert said(check(other))[0] == (
        "broken at wait#1: recorded for 0:01:00, today's code sleeps until 2027-01-01T00:00:00.000Z"
    )


def test_a_time_that_cannot_be_told_stands_as_it_was_recorded() -> None:
    assert told_time("") == ""
    assert told_time("until=9" + "9" * 20) == "until=9" + "9" * 20
    assert told_time(f"for={timedelta(days=400) // timedelta(milliseconds=1)}") == (
        "for 400 days, 0:00:00"
    )


def test_an_inserted_operation_is_named_with_what_stands_in_its_place() -> None:
    async def other(ctx: Context) -> None:
        await ctx.step(charge, 10)
        await ctx.step(add, 1)

    report = check(other)

    assert (report.verdict, report.operation) == (Verdict.OPERATION_INSERTED, "add#1")
    assert said(report) == [
        (
            "broken at add#1: today's code asks for the new step add#1 where the sleep wait#1 "
            "stands recorded"
        ),
        (
            "What to do: the one was inserted, or the other removed: keep the old order for runs "
            "in flight (ctx.patched), or deploy the change as a new version"
        ),
    ]


def test_a_renamed_operation_is_told_by_its_equal_arguments() -> None:
    async def other(ctx: Context) -> None:
        await ctx.step(charge, 10)
        await ctx.sleep(60, name="pause")

    report = check(other)

    assert (report.verdict, report.operation) == (Verdict.OPERATION_RENAMED, "pause#1")
    assert report.mend == (
        'it seems renamed, so keep the old name: name="wait"; or deploy the change as a new version'
    )


def test_without_arguments_a_new_name_may_be_a_new_operation() -> None:
    async def before(ctx: Context) -> None:
        await ctx.step(step(name="old")(nothing))

    async def today(ctx: Context) -> None:
        await ctx.step(nothing)

    assert check(today, history_of(before, {"old#1": None})).verdict is Verdict.OPERATION_INSERTED


@pytest.mark.parametrize("raises", [False, True])
def test_a_removed_operation_is_named_with_how_the_code_ends(raises: bool) -> None:  # noqa: FBT001
    async def other(_ctx: Context) -> None:
        if raises:
            raise LookupError("nobody")

    report = check(other)
    ends = "failed with LookupError: nobody" if raises else "ended"

    assert (report.verdict, report.operation) == (Verdict.OPERATION_REMOVED, "charge#1")
    assert said(report) == [
        (
            f"broken at charge#1: today's code {ends} without asking for charge#1 and 1 more, "
            "recorded already"
        ),
        (
            "What to do: keep the operation for runs in flight (ctx.patched), or deploy the change "
            "as a new version"
        ),
    ]


def test_an_operation_removed_at_the_end_is_named_alone() -> None:
    async def other(ctx: Context) -> None:
        await ctx.step(charge, 10)

    assert check(other).reason == ("today's code ended without asking for wait#1, recorded already")


def test_a_step_that_became_a_sleep_is_told() -> None:
    async def other(ctx: Context) -> None:
        await ctx.sleep(1, name="charge")

    report = check(other)

    assert (report.verdict, report.operation) == (Verdict.KIND_CHANGED, "charge#1")
    assert report.reason == "recorded as a step, today's code asks for a sleep"


def test_a_result_that_today_s_annotation_cannot_read_is_told_by_its_field() -> None:
    class Price(BaseModel):
        amount: int

    @step(name="charge")
    def priced(amount: int) -> Price:
        return Price(amount=amount)

    async def other(ctx: Context) -> None:
        await ctx.step(priced, 10)

    report = check(other, history_of(recorded, {"charge#1": {"cents": 1}}))

    assert (report.verdict, report.operation) == (Verdict.RESULT_UNREADABLE, "charge#1")
    assert report.reason == (
        "the result of charge#1: what was recorded no longer fits the annotation Price: "
        "amount: Field required"
    )


def test_an_input_that_today_s_annotation_cannot_read_is_told() -> None:
    async def other(ctx: Context, amount: int) -> None:
        """Take a number."""

    report = check(other, make_history(given="ten"))

    assert (report.verdict, report.operation) == (Verdict.INPUT_UNREADABLE, None)
    assert said(report)[0].startswith("broken: the run's input: what was recorded no longer fits")


def test_a_mistake_in_the_code_is_told_with_the_operation_before_it() -> None:
    async def other(ctx: Context) -> None:
        await ctx.step(charge, 10)
        await ctx.step(charge, "a", "b", "c")  # type: ignore[call-overload]

    report = check(other)

    assert report.verdict is Verdict.CODE_MISTAKE
    assert report.reason.startswith(
        "today's code makes a mistake after charge#1: DefinitionError: "
    )


def test_a_mistake_before_the_first_operation_has_none_before_it() -> None:
    async def other(ctx: Context) -> None:
        ctx.sleep(1)  # type: ignore[unused-awaitable]

    assert check(other).reason.startswith("today's code makes a mistake: UnawaitedOperationError: ")


def test_code_that_never_asks_twice_the_same_way_is_still_told_about() -> None:
    """The second look, which finds out what is asked for, may then find nothing."""
    passes = itertools.count()

    async def other(ctx: Context) -> None:
        if next(passes) == 0:
            await ctx.step(charge, 12)

    assert check(other).reason == "asked for in another way"
    passes = itertools.count()

    async def inserting(ctx: Context) -> None:
        if next(passes) == 0:
            await ctx.step(add, 12)

    assert check(inserting).reason == (
        "today's code asks for the new add#1 where the step charge#1 stands recorded"
    )


# --- Not to be compared at all


def test_a_version_that_is_not_there_is_to_be_deployed_beside_the_others() -> None:
    assert said(pinned(history(), ["2", "3"])) == [
        (
            "pinned: the run stays on version 1 of order, which is not among the workflows "
            "(versions there: 2, 3)"
        ),
        "What to do: deploy version 1 side by side with the others until its last run ends",
    ]
    assert "(versions there: none)" in pinned(history(), []).reason


def test_code_that_does_not_come_to_rest_is_told() -> None:
    assert said(restless(history(), 1500)) == [
        "broken: today's code did not come to rest within 1.5 s",
        "What to do: look for a loop that nothing ends, and put work that takes long into a step",
    ]


def test_values_are_told_in_short_and_whatever_their_class_does() -> None:
    class Silent:
        def __repr__(self) -> str:
            raise ValueError("no")

    assert brief("x" * 500) == f"'{'x' * 118}…"
    assert brief(Silent()) == "<Silent, whose repr raises ValueError>"
