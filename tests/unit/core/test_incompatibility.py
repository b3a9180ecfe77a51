"""Where today's code cannot go on with a recorded run: the place, the difference, the cure."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from everstep import Context, step
from everstep.core.replay_reports import Verdict, pinned, restless
from tests.unit.core.builders import add, history_of, make_history
from tests.unit.core.charging import charge, check, history, nothing, recorded, said


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


def test_an_insertion_of_the_same_name_is_hinted_at() -> None:
    async def before(ctx: Context) -> None:
        await ctx.sleep(60, name="wait")
        await ctx.step(nothing)
        await ctx.step(charge, 10)

    async def other(ctx: Context) -> None:
        await ctx.sleep(60, name="wait")
        await ctx.step(charge, 12)

    told = history_of(before, {"wait#1": None, "nothing#1": None, "charge#1": "10 EUR"})

    assert check(other, told).notes == (
        "nothing#1, recorded before, was not asked for; is there a new charge?",
    )


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
