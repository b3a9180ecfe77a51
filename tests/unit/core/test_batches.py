"""What many branches come to: lanes, tolerated failures, named results."""

from __future__ import annotations

from typing import Any

import pytest

from everstep import Context, step
from tests.unit.core.builders import (
    Failure,
    add,
    broken,
    decide,
    frontier,
    make_history,
    returned,
)
from tests.unit.core.groups import (
    after,
    closed,
    limited,
    step_on,
)


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
        (
            lambda ctx: ctx.gather(5),
            "operations of ctx, callbacks and coroutines, not int",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(ask: Any, named: str) -> None:  # noqa: ANN401
    async def body(ctx: Context) -> None:
        await ask(ctx)

    assert named in broken(decide(body)).message
