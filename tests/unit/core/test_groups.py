"""Branches side by side: keys, order, joins, and changed code."""

from __future__ import annotations

from dataclasses import replace

from everstep import Context, StepFailed
from everstep.core.completion import Reason
from everstep.core.decisions import Suspended
from everstep.core.joins import Join, read_join, write_join
from everstep.core.model import OpKind, OpRecord, OpStatus, Payload
from everstep.core.replay import Replay
from tests.unit.core.builders import (
    Failure,
    add,
    broken,
    decide,
    definition,
    frontier,
    make_history,
    raised,
    returned,
)
from tests.unit.core.groups import (
    after,
    both,
    closed,
    joins,
    two_deep,
)


def test_every_branch_is_asked_for_at_once_in_a_key_space_of_its_own() -> None:
    assert frontier(decide(both)) == ["gather#1/0/add#1", "gather#1/1/add#1"]
    assert frontier(decide(two_deep)) == [
        "gather#1/0/gather#1/0/add#1",
        "gather#1/0/gather#1/1/add#1",
        "gather#1/1/gather#1/0/add#1",
        "gather#1/1/gather#1/1/add#1",
    ]


def test_a_group_goes_on_when_its_join_is_recorded_and_not_before() -> None:
    history = after(both, ("gather#1/1/add#1", 2), ("gather#1/0/add#1", 1))
    assert joins(decide(both, history)) == [
        ("gather#1", Join(reason=Reason.ALL_COMPLETED, picked=None, begun=2))
    ]
    assert returned(decide(both, closed(both, history))) == "[1,2]"


def test_the_first_error_closes_a_gather_and_is_raised() -> None:
    history = after(both, ("gather#1/1/add#1", Failure()))
    ((_, join),) = joins(decide(both, history))
    assert join.picked == (1,)
    assert raised(decide(both, closed(both, history))).type == "StepFailed"


def test_a_branch_that_does_not_count_may_record_what_it_likes() -> None:
    async def careful(ctx: Context) -> int:
        try:
            await both(ctx)
        except StepFailed:
            return await ctx.step(add, 9)
        return 0

    history = closed(careful, after(careful, ("gather#1/1/add#1", Failure())))
    late = history.with_record(
        OpRecord(
            key="gather#1/0/add#1",
            kind=OpKind.STEP,
            status=OpStatus.DONE,
            by="late",
            input_hash="x",
        )
    )
    assert frontier(decide(careful, late)) == ["add#1"]
    with Replay(definition(careful), late) as replay:
        assert replay.abandoned("gather#1/0/add#1")
        assert not replay.abandoned("gather#1/1/add#1")
        assert not replay.abandoned("add#1")


def test_branches_are_resumed_in_the_order_in_which_they_went_on() -> None:
    seen: list[str] = []

    async def branch(ctx: Context, name: str) -> None:
        await ctx.step(add, 1)
        seen.append(name)

    async def body(ctx: Context) -> None:
        await ctx.gather(branch(ctx, "a"), branch(ctx, "b"), branch(ctx, "c"))

    history = after(body, ("gather#1/2/add#1", 1), ("gather#1/0/add#1", 1), ("gather#1/1/add#1", 1))
    seen.clear()
    decide(body, history)
    assert seen == ["c", "a", "b"]


def test_each_branch_has_its_own_time_chance_and_ids() -> None:
    told: dict[str, tuple[object, ...]] = {}

    async def branch(ctx: Context, name: str) -> None:
        await ctx.step(add, 1)
        told[name] = (ctx.now(), ctx.random().random(), ctx.uuid())

    async def body(ctx: Context) -> object:
        await ctx.gather(branch(ctx, "a"), branch(ctx, "b"))
        return ctx.now()

    history = after(body, ("gather#1/1/add#1", 1), ("gather#1/0/add#1", 1))
    decide(body, history)
    alone = dict(told)
    only_b = after(body, ("gather#1/1/add#1", 1))
    told.clear()
    decide(body, only_b)
    assert told["b"] == alone["b"]
    assert len({*alone["a"], *alone["b"]}) == 6


def test_a_race_is_won_by_what_ends_first_and_the_rest_is_not_even_begun_again() -> None:
    begun: list[int] = []

    async def branch(ctx: Context, number: int) -> int:
        begun.append(number)
        return await ctx.step(add, number)

    async def body(ctx: Context) -> tuple[int, int]:
        return await ctx.race(branch(ctx, 1), branch(ctx, 2))

    history = after(body, ("race#1/1/add#1", 7))
    assert joins(decide(body, history))[0][1].reason is Reason.FIRST_COMPLETED
    history = closed(body, history)
    begun.clear()
    assert returned(decide(body, history)) == '{"$tuple":[1,7]}'
    assert begun == [2]


def test_an_empty_gather_gives_nothing_at_once_and_an_empty_race_is_a_mistake() -> None:
    async def none(ctx: Context) -> list[object]:
        return await ctx.gather()

    async def nobody(ctx: Context) -> object:
        return await ctx.race()

    assert returned(decide(none)) == "[]"
    assert "something to wait for" in broken(decide(nobody)).message


def test_a_scope_is_a_branch_alone() -> None:
    async def inner(ctx: Context, number: int, *, more: int = 0) -> int:
        return await ctx.step(add, number, more)

    async def body(ctx: Context) -> int:
        return await ctx.scope("part", inner, 1, more=2)

    assert frontier(decide(body)) == ["part#1/0/add#1"]
    history = closed(body, after(body, ("part#1/0/add#1", 3)))
    assert returned(decide(body, history)) == "3"


# --- Mistakes and changes


def test_an_operation_handed_to_a_group_that_is_not_awaited_is_noticed() -> None:
    async def body(ctx: Context) -> None:
        ctx.gather(ctx.step(add, 1))  # type: ignore[unused-awaitable]  # the mistake

    assert "write await ctx.gather(…)" in broken(decide(body)).message


def test_an_operation_left_in_a_branch_is_noticed() -> None:
    async def branch(ctx: Context) -> None:
        left = ctx.step(add, 1)
        await ctx.step(add, 2)
        assert left  # type: ignore[truthy-bool]  # held, and never awaited

    async def body(ctx: Context) -> None:
        await ctx.gather(branch(ctx))

    assert "never awaited" in broken(decide(body, after(body, ("gather#1/0/add#1", 1)))).message


def test_an_operation_left_in_a_branch_that_does_not_count_is_no_mistake() -> None:
    async def branch(ctx: Context) -> None:
        left = ctx.step(add, 1)
        await ctx.sleep(60)
        await left

    async def body(ctx: Context) -> int:
        await ctx.race(branch(ctx), ctx.step(add, 2))
        return 1

    history = after(body, ("race#1/1/add#1", 2))
    with Replay(definition(body), history) as replay:
        assert isinstance(replay.decision, Suspended)
    assert returned(decide(body, closed(body, history))) == "1"


def test_another_number_of_branches_is_noticed() -> None:
    async def three(ctx: Context) -> object:
        return await ctx.gather(*(ctx.step(add, number) for number in (1, 2, 3)))

    history = closed(both, after(both, ("gather#1/0/add#1", 1), ("gather#1/1/add#1", 2)))
    assert "the number of branches differs" in broken(decide(three, history)).message


def test_a_branch_that_asks_for_less_is_noticed() -> None:
    async def other(ctx: Context) -> object:
        async def nothing() -> int:
            return 1

        return await ctx.gather(ctx.step(add, 1), nothing())

    history = after(both, ("gather#1/1/add#1", 2))
    assert "gather#1/1/add#1, recorded already" in broken(decide(other, history)).message


def test_a_join_seen_without_its_branches_is_read_again() -> None:
    history = closed(both, after(both, ("gather#1/0/add#1", 1), ("gather#1/1/add#1", 2)))
    torn = make_history(*(r for r in history.records.values() if r.key != "gather#1/1/add#1"))
    # The branch is asked for again: what the join counts is not there yet.
    assert frontier(decide(both, torn)) == ["gather#1/1/add#1"]


def test_a_join_that_counts_a_branch_that_never_ends_is_read_again_and_then_broken() -> None:
    async def forgetful(ctx: Context) -> object:
        async def inner(ctx: Context) -> object:
            return await ctx.race(ctx.step(add, 1), ctx.step(add, 2))

        return await ctx.gather(inner(ctx))

    history = after(forgetful, ("gather#1/0/race#1/0/add#1", 1))
    history = closed(forgetful, closed(forgetful, history))
    only = history.records["gather#1/0/race#1"]
    wrong = write_join(Join(reason=Reason.FIRST_COMPLETED, picked=(), begun=2))
    history = history.with_record(replace(only, result=Payload(text=wrong)))
    decision = decide(forgetful, history)
    assert "was closed with branches" in broken(decision).message


def test_joins_come_back_as_they_were() -> None:
    for join in (
        Join(reason=Reason.ALL_COMPLETED, picked=None, begun=3),
        Join(reason=Reason.MIN_SUCCESSFUL_REACHED, picked=(2, 0), begun=3),
    ):
        assert read_join(write_join(join)) == join
