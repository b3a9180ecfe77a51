"""Where today's code can go on with a recorded run, and how it would end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from everstep import Context  # noqa: TC001 - annotations of workflows are read
from everstep.core.model import ErrorInfo, OpKind, OpStatus, RunStatus, Stall
from tests.unit.core.builders import NOW, history_of, inserted_record, make_history, record
from tests.unit.core.charging import charge, check, ended, failed, history, nothing, recorded, said

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
        (True, 'the run returned "o-1"; today\'s code returned {"price":3,"pin":"***"}'),
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


def test_a_run_that_was_continued_as_new_is_to_be_continued_again() -> None:
    async def goes_on(ctx: Context) -> str:
        await recorded(ctx)
        await ctx.continue_as_new()

    made = ended()
    continued = replace(
        made,
        head=replace(made.head, status=RunStatus.CONTINUED, result=None, successor="run-2"),
    )

    assert check(goes_on, continued).same_outcome
    assert check(recorded, continued).notes == (
        'the run was continued as new; today\'s code returned "o-1"',
    )
    (note,) = check(goes_on, ended()).notes
    assert note.endswith("today's code goes on and asks for the continue continue_as_new#1")


# --- Branches


async def at_once(ctx: Context) -> list[int]:
    async def one() -> int:
        return 1

    return list(await ctx.gather(one(), one()))


def test_a_group_whose_branches_have_ended_is_what_comes_next() -> None:
    assert check(at_once, make_history()).notes == (
        "after the last recorded operation it passes the join gather#1",
    )
    made = make_history()
    over = replace(made, head=replace(made.head, status=RunStatus.COMPLETED))
    assert check(at_once, over).notes == (
        "the run returned null; today's code goes on and passes the join gather#1",
    )


def test_every_branch_says_what_it_waits_for_or_asks_for() -> None:
    async def waits(ctx: Context) -> None:
        await ctx.gather(ctx.step(nothing), ctx.wait_for_event("paid"))

    waiting = inserted_record(
        waits, make_history(), record("gather#1/1/paid#1", OpStatus.WAITING, kind=OpKind.WAIT)
    )
    made = make_history(waiting)
    assert check(waits, made).notes == (
        "it waits for the wait gather#1/1/paid#1 (WAITING)",
        "after the last recorded operation it asks for the step gather#1/0/nothing#1",
    )
    over = replace(made, head=replace(made.head, status=RunStatus.COMPLETED))
    assert check(waits, over).notes == (
        "the run returned null; today's code goes on and asks for the step gather#1/0/nothing#1",
    )
