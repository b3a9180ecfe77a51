"""Where today's branches cannot go on with recorded ones."""

from __future__ import annotations

from dataclasses import replace

from everstep import Context, StepFailed
from everstep.core.model import Payload
from everstep.core.replay_reports import Verdict
from tests.unit.core.builders import Failure, add, inserted_record, record
from tests.unit.core.charging import check, said
from tests.unit.core.groups import after, both, closed

ADDED = (("gather#1/0/add#1", 1), ("gather#1/1/add#1", 2))


def test_another_number_of_branches_is_told() -> None:
    async def three(ctx: Context) -> object:
        return await ctx.gather(*(ctx.step(add, number) for number in (1, 2, 3)))

    report = check(three, closed(both, after(both, *ADDED)))

    assert (report.verdict, report.operation) == (Verdict.ARGUMENTS_CHANGED, "gather#1")
    assert report.reason == (
        "recorded ctx.gather of 2 branches, today's code asks for ctx.gather of 3 branches"
    )


def test_a_group_in_the_place_of_a_step_is_told() -> None:
    async def one(ctx: Context) -> object:
        return await ctx.step(add, 1)

    async def scoped(ctx: Context) -> object:
        return await ctx.scope("add", one)

    report = check(scoped, after(one, ("add#1", 1)))

    assert (report.verdict, report.operation) == (Verdict.KIND_CHANGED, "add#1")
    assert report.reason == "recorded as a step, today's code asks for a join"


def test_another_argument_in_a_branch_is_told_while_other_branches_wait() -> None:
    async def other(ctx: Context) -> object:
        return await ctx.gather(ctx.step(add, 1), ctx.step(add, 3))

    report = check(other, after(both, ("gather#1/1/add#1", 2)))

    assert (report.verdict, report.operation) == (Verdict.ARGUMENTS_CHANGED, "gather#1/1/add#1")
    assert report.reason.startswith("recorded with another a; today")


def test_an_operation_removed_from_a_branch_is_told_with_how_the_branch_ends() -> None:
    async def fails() -> int:
        raise ValueError("no")

    async def other(ctx: Context) -> object:
        return await ctx.gather(ctx.step(add, 1), fails())

    report = check(other, after(both, ("gather#1/1/add#1", 2)))

    assert report.verdict is Verdict.OPERATION_REMOVED
    assert report.reason == (
        "today's code failed with ValueError: no without asking for gather#1/1/add#1, recorded "
        "already"
    )


def test_an_operation_inserted_into_a_branch_is_told_with_what_stands_there() -> None:
    async def slower(ctx: Context) -> object:
        await ctx.sleep(1)
        return await ctx.step(add, 2)

    async def other(ctx: Context) -> object:
        return await ctx.gather(ctx.step(add, 1), slower(ctx))

    report = check(other, after(both, ("gather#1/1/add#1", 2)))

    assert (report.verdict, report.operation) == (
        Verdict.OPERATION_INSERTED,
        "gather#1/1/sleep#1",
    )
    assert "where the step gather#1/1/add#1 stands recorded" in report.reason


def test_records_of_a_branch_that_does_not_count_hint_at_nothing() -> None:
    async def going_on_with(ctx: Context, number: int) -> int:
        try:
            await both(ctx)
        except StepFailed:
            return await ctx.step(add, number)
        return 0

    async def careful(ctx: Context) -> int:
        return await going_on_with(ctx, 9)

    async def other(ctx: Context) -> int:
        return await going_on_with(ctx, 10)

    history = closed(careful, after(careful, ("gather#1/1/add#1", Failure())))
    history = history.with_record(record("gather#1/0/add#1"))
    done = inserted_record(careful, history, record("add#1", result=Payload(text="9")))
    history = history.with_record(done)

    assert check(careful, history).safe
    report = check(other, history)
    assert (report.operation, report.notes) == ("add#1", ())


def test_branches_that_no_longer_end_are_told() -> None:
    async def forgetful(ctx: Context) -> object:
        async def inner(ctx: Context) -> object:
            return await ctx.race(ctx.step(add, 1), ctx.step(add, 2))

        return await ctx.gather(inner(ctx))

    history = after(forgetful, ("gather#1/0/race#1/0/add#1", 1))
    history = closed(forgetful, closed(forgetful, history))
    inner = history.records["gather#1/0/race#1"]
    wrong = Payload(text='{"begun":2,"picked":[],"reason":"FIRST_COMPLETED"}')
    report = check(forgetful, history.with_record(replace(inner, result=wrong)))

    assert (report.verdict, report.operation) == (Verdict.BRANCHES_CHANGED, "gather#1")
    assert (
        "was closed with branches that today's code does not bring to their end"
        in (said(report)[0])
    )
