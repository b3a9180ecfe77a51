"""A pass over many branches takes work in proportion to their number, and no more."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from everstep.core.completion import Reason
from everstep.core.joins import Join, write_join
from everstep.core.keys import scope_of
from everstep.core.model import OpKind, OpRecord, OpStatus, Payload
from everstep.core.replay import Replay
from tests.unit.core.builders import NOW, add, definition, ended, make_history
from tests.unit.core.groups import closed as closed_by
from tests.unit.core.groups import step_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep import Context
    from everstep.core.decisions import Decision
    from everstep.core.model import History
    from tests.unit.core.builders import Body

FEW: Final = 20
MANY: Final = 4 * FEW


def branches(number: int, lanes: int | None = None) -> Body:
    async def one(ctx: Context, item: int) -> int:
        return await ctx.step(add, item)

    async def body(ctx: Context) -> int:
        batch = await ctx.map(one, range(number), max_concurrency=lanes, name="all")
        return await ctx.step(add, batch.succeeded)

    return body


def almost_done(number: int) -> History:
    """All branches but the last have ended."""
    history = make_history()
    with Replay(definition(branches(number)), history) as replay:
        for index in range(number - 1):
            pending = replay.pending(f"all#1/{index}/add#1")
            assert pending is not None
            history = history.with_record(ended(pending, index, by="b", took=index))
    return history


def closed(number: int, picked: tuple[int, ...]) -> History:
    """The group was closed with some of those that have ended."""
    history = almost_done(number)
    first = next(iter(history.records.values()))
    join = Join(reason=Reason.FAILURE_TOLERANCE_EXCEEDED, picked=picked, begun=number)
    record = replace(
        first,
        key=scope_of(scope_of(first.key)),
        kind=OpKind.JOIN,
        input_hash=f"map={number}",
        result=Payload(text=write_join(join)),
        attempt=0,
        ended_at=NOW + number,
    )
    return history.with_record(record)


def effort(body: Body, history: History) -> int:
    """Return how many functions one pass calls, those of comprehensions and generators too."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        decision = passed(body, history)
    finally:
        sys.setprofile(before)
    assert [pending.key for pending in getattr(decision, "frontier", ())]
    return calls


def passed(body: Body, history: History) -> Decision:
    with Replay(definition(body), history) as replay:
        return replay.decision


@pytest.mark.parametrize(
    ("lanes", "history"),
    [
        (None, almost_done),
        (4, almost_done),
        (None, lambda number: closed(number, tuple(range(number - 1)))),
    ],
    ids=["side by side", "in lanes", "closed"],
)
def test_four_times_the_branches_take_four_times_the_work(
    lanes: int | None, history: Callable[[int], History]
) -> None:
    few, many = history(FEW), history(MANY)
    effort(branches(FEW, lanes), few)
    assert effort(branches(MANY, lanes), many) < 4.5 * effort(branches(FEW, lanes), few)


def in_turn(number: int) -> Body:
    async def body(ctx: Context) -> int:
        for item in range(number):
            await ctx.race(ctx.step(add, item), ctx.step(add, item, 1))
        return await ctx.step(add, number)

    return body


def races(number: int) -> History:
    """The first of two has won each of so many races."""
    history = make_history()
    for at in range(1, number + 1):
        history = step_on(in_turn(number), history, (f"race#{at}/0/add#1", at))
        history = closed_by(in_turn(number), history)
    return history


def test_four_times_the_groups_one_after_the_other_take_four_times_the_work() -> None:
    few, many = races(FEW), races(MANY)
    effort(in_turn(FEW), few)
    assert effort(in_turn(MANY), many) < 4.5 * effort(in_turn(FEW), few)


def test_what_a_closed_group_does_not_count_is_forgotten_however_deep() -> None:
    history = closed(FEW, (0, 1))
    deep = OpRecord(
        key="all#1/5/gather#1/0/add#1",
        kind=OpKind.STEP,
        status=OpStatus.DONE,
        by="b",
        input_hash="x",
    )
    decision = passed(branches(FEW), history.with_record(deep))
    assert [pending.key for pending in getattr(decision, "frontier", ())] == ["add#1"]
