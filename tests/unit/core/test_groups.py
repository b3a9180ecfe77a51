"""Branches side by side: keys, order, joins, and what is owed when a group is complete."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from everstep import Context, NonRetryable, StepFailed, step
from everstep.core.completion import Reason
from everstep.core.decide import duties
from everstep.core.decisions import Decision, Suspended
from everstep.core.effects import Close, End, Send
from everstep.core.joins import Join, read_join, write_join
from everstep.core.model import History, Message, MessageKind, OpKind, OpRecord, OpStatus, Payload
from everstep.core.replay import Replay
from tests.unit.core.builders import (
    NOW,
    SECOND,
    Body,
    Failure,
    add,
    broken,
    decide,
    definition,
    ended,
    frontier,
    make_history,
    message,
    raised,
    returned,
)

START = message(MessageKind.START, token="start")


def step_on(body: Body, history: History, *outcomes: tuple[str, object]) -> History:
    """Return the history in which these operations have ended so, each a second later."""
    for at, (key, outcome) in enumerate(outcomes, 1):
        with Replay(definition(body), history) as replay:
            pending = replay.pending(key)
            assert pending is not None, (key, replay.decision)
        took = max(NOW + at * SECOND - pending.ready_at, 0)
        history = history.with_record(ended(pending, outcome, by=f"by {key}", took=took))
    return history


def after(body: Body, *outcomes: tuple[str, object]) -> History:
    return step_on(body, make_history(), *outcomes)


def closed(body: Body, history: History, by: str = "closer") -> History:
    """Return the history in which everything that can be closed is, by one message."""
    decision = decide(body, history)
    assert isinstance(decision, Suspended), decision
    for group in decision.closable:
        record = OpRecord(
            key=group.key,
            kind=OpKind.JOIN,
            status=OpStatus.DONE,
            by=by,
            input_hash=group.operation.input_hash,
            started_at=group.ready_at,
            ended_at=group.ready_at,
            result=Payload(text=write_join(group.join)),
        )
        history = history.with_record(record)
    return history


def joins(decision: Decision) -> list[tuple[str, Join]]:
    assert isinstance(decision, Suspended), decision
    return [(group.key, group.join) for group in decision.closable]


def owed(body: Body, history: History, mine: Message) -> list[Any]:
    decision = decide(body, history)
    return list(duties(mine, decision, history.records, NOW))


async def both(ctx: Context) -> list[int]:
    return list(await ctx.gather(ctx.step(add, 1), ctx.step(add, 2)))


async def two_deep(ctx: Context) -> int:
    async def inner(ctx: Context, number: int) -> int:
        return sum(await ctx.gather(ctx.step(add, number), ctx.step(add, 10 * number)))

    first, second = await ctx.gather(inner(ctx, 1), inner(ctx, 2))
    return await ctx.step(add, first, second)


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


# --- Batches


async def limited(ctx: Context) -> list[object]:
    batch = await ctx.map(step(add), [1, 2, 3], max_concurrency=2, tolerated_failures=3)
    return [batch.results, sorted(batch.errors), batch.total, batch.reason, batch.failed]


def test_a_lane_goes_on_where_its_branch_has_ended() -> None:
    assert frontier(decide(limited)) == ["add#1/0/add#1", "add#1/1/add#1"]
    history = after(limited, ("add#1/1/add#1", Failure()))
    assert frontier(decide(limited, history)) == ["add#1/0/add#1"]
    history = step_on(limited, history, ("add#1/0/add#1", 1))
    assert frontier(decide(limited, history)) == ["add#1/2/add#1"]
    history = closed(limited, step_on(limited, history, ("add#1/2/add#1", 3)))
    assert returned(decide(limited, history)) == '[[1,3],[1],3,"ALL_COMPLETED",1]'


@pytest.mark.parametrize(
    ("options", "outcomes", "told"),
    [
        ({}, [1, 2, 3], "ALL_COMPLETED 3/3 of 3"),
        ({}, [1, Failure()], "FAILURE_TOLERANCE_EXCEEDED 1/2 of 3"),
        ({"tolerated_failures": 1}, [Failure(), 2, 3], "ALL_COMPLETED 2/3 of 3"),
        ({"tolerated_failures": 1}, [Failure(), Failure()], "FAILURE_TOLERANCE_EXCEEDED 0/2 of 3"),
        ({"tolerated_failure_ratio": 0.34}, [Failure(), 2, 3], "ALL_COMPLETED 2/3 of 3"),
        (
            {"tolerated_failure_ratio": 0.3},
            [Failure()],
            "FAILURE_TOLERANCE_EXCEEDED 0/1 of 3",
        ),
        ({"min_successful": 2}, [1, 2], "MIN_SUCCESSFUL_REACHED 2/2 of 3"),
        (
            {"min_successful": 1, "tolerated_failures": 1, "max_concurrency": 2},
            [Failure(), 2],
            "MIN_SUCCESSFUL_REACHED 1/2 of 3",
        ),
    ],
)
def test_a_batch_ends_as_its_options_say(
    options: dict[str, Any], outcomes: list[object], told: str
) -> None:
    async def body(ctx: Context) -> str:
        batch = await ctx.map(step(add), [1, 2, 3], name="work", **options)
        ended = batch.succeeded + batch.failed
        return f"{batch.reason} {batch.succeeded}/{ended} of {batch.total}"

    keys = [f"work#1/{index}/add#1" for index in range(3)]
    history = after(body, *zip(keys, outcomes, strict=False))
    assert returned(decide(body, closed(body, history))) == f'"{told}"'


def test_named_branches_give_named_results() -> None:
    async def good(ctx: Context) -> int:
        return await ctx.step(add, 1)

    async def bad(_ctx: Context) -> int:
        raise ValueError("no")

    async def body(ctx: Context) -> object:
        batch = await ctx.parallel({"good": good, "bad": bad}, tolerated_failures=1)
        with pytest.raises(Exception, match="1 of 2 branches failed, first 'bad': ValueError: no"):
            batch.raise_for_failure()
        return [batch.results, list(batch.errors)]

    history = closed(body, after(body, ("parallel#1/0/add#1", 5)))
    assert returned(decide(body, history)) == '[{"good":5},["bad"]]'


def test_a_batch_without_failure_raises_nothing() -> None:
    async def body(ctx: Context) -> object:
        async def one(_ctx: Context) -> int:
            return 1

        batch = await ctx.parallel([one])
        batch.raise_for_failure()
        return batch.results

    assert returned(decide(body, closed(body, make_history()))) == "[1]"


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda ctx: ctx.map(step(add), [1], max_concurrency=0), "max_concurrency must be"),
        (lambda ctx: ctx.map(step(add), [1], min_successful=0), "min_successful must be"),
        (lambda ctx: ctx.map(step(add), [1], tolerated_failures=-1), "tolerated_failures must"),
        (lambda ctx: ctx.map(step(add), [1], tolerated_failure_ratio=2), "ratio must be"),
        (lambda ctx: ctx.map(add, [1]), "takes a step or an async def"),
        (lambda ctx: ctx.parallel([add]), "branch 0 of ctx.parallel must be an async def"),
        (lambda ctx: ctx.parallel({"a": add}), "branch 'a' of ctx.parallel must be"),
        (lambda ctx: ctx.gather(5), "ctx.gather takes operations of ctx and coroutines, not int"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(ask: Any, named: str) -> None:  # noqa: ANN401
    async def body(ctx: Context) -> None:
        await ask(ctx)

    assert named in broken(decide(body)).message


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


# --- What is owed


def test_the_start_sends_every_first_message() -> None:
    assert owed(both, make_history(), START) == [
        Send(kind=MessageKind.STEP, op="gather#1/0/add#1", attempt=1),
        Send(kind=MessageKind.STEP, op="gather#1/1/add#1", attempt=1),
    ]


def test_whoever_ended_a_branch_closes_the_group_and_nothing_else_before() -> None:
    history = after(both, ("gather#1/0/add#1", 1), ("gather#1/1/add#1", 2))
    for key in history.records:
        mine = message(MessageKind.STEP, key, token=f"by {key}", attempt=1)
        (close,) = owed(both, history, mine)
        assert isinstance(close, Close)
        assert (close.record.key, close.record.by) == ("gather#1", mine.token)
    other = message(MessageKind.STEP, "gather#1/0/add#1", token="other", attempt=1)
    assert owed(both, history, other) == []


def test_whoever_closed_the_group_owes_what_follows() -> None:
    history = closed(both, after(both, ("gather#1/0/add#1", 1), ("gather#1/1/add#1", 2)))
    closer = message(MessageKind.STEP, "gather#1/1/add#1", token="closer", attempt=1)
    (end,) = owed(both, history, closer)
    assert isinstance(end, End)


def test_who_came_too_late_to_close_looks_again_later() -> None:
    history = after(both, ("gather#1/0/add#1", 1), ("gather#1/1/add#1", 2))
    history = closed(both, history, by="by gather#1/1/add#1")
    loser = message(MessageKind.STEP, "gather#1/0/add#1", token="by gather#1/0/add#1", attempt=1)
    check = Send(kind=MessageKind.CHECK, op="gather#1", due=NOW + 900 * SECOND)
    assert owed(both, history, loser) == [check]

    looks = message(MessageKind.CHECK, "gather#1", token="check")
    (end,) = owed(both, history, looks)
    assert isinstance(end, End)


def test_a_look_sends_what_follows_if_nothing_is_recorded_of_it() -> None:
    async def goes_on(ctx: Context) -> int:
        return await ctx.step(add, *await both(ctx))

    history = after(goes_on, ("gather#1/0/add#1", 1), ("gather#1/1/add#1", 2))
    history = closed(goes_on, history)
    looks = message(MessageKind.CHECK, "gather#1", token="check")
    assert owed(goes_on, history, looks) == [Send(kind=MessageKind.STEP, op="add#1", attempt=1)]


def test_a_lane_that_goes_on_needs_no_fresh_look_and_its_end_does() -> None:
    with Replay(definition(limited), make_history()) as replay:
        first, second = replay.pending("add#1/0/add#1"), replay.pending("add#1/1/add#1")
        assert first is not None
        assert second is not None
        replay.resume(ended(first, 1))
        assert not replay.ended_branch
        assert frontier(replay.decision) == ["add#1/1/add#1", "add#1/2/add#1"]
        replay.resume(ended(second, 1))
        assert replay.ended_branch


def test_a_refused_step_in_a_branch_is_an_error_of_its_group() -> None:
    async def branch(_ctx: Context) -> None:
        raise NonRetryable("no")

    async def body(ctx: Context) -> str:
        try:
            await ctx.gather(branch(ctx))
        except NonRetryable as error:
            return str(error)
        return "fine"

    assert returned(decide(body, closed(body, make_history()))) == '"no"'
