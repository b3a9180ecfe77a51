"""What was read of branches, and which of them whoever has ended one may rely on."""

from __future__ import annotations

import pytest

from everstep import Context  # noqa: TC001 - the engine looks at it
from everstep.core.keys import span_of
from everstep.core.replay import Replay
from everstep.core.witnesses import Seen, coming
from tests.unit.core.builders import add, definition, make_history


async def one(ctx: Context, number: int) -> int:
    """Take one step."""
    return await ctx.step(add, number, 1)


async def body(ctx: Context, _given: object) -> None:
    """Take twenty-five steps side by side."""
    await ctx.map(one, range(25))


def test_a_stretch_shows_what_lies_between_its_ends_in_the_order_of_keys() -> None:
    seen = Seen(group="map#1", first="map#1/12/", last="map#1/20/", at=0)
    shown = [index for index in range(25) if seen.shows(f"map#1/{index}/add#1")]
    assert shown == [2, *range(12, 20)]


def test_a_stretch_shows_no_branch_that_is_not_as_the_pass_has_it() -> None:
    first, last = span_of("map#1")
    seen = Seen(group="map#1", first=first, last=last, at=0, but=frozenset({"map#1/3"}))
    assert seen.shows("map#1/30/add#1")
    assert not seen.shows("map#1/3/add#1")


def test_a_stretch_shows_nothing_of_other_groups_nor_of_those_within() -> None:
    first, last = span_of("map#1")
    seen = Seen(group="map#1", first=first, last=last, at=0)
    assert not seen.shows("map#1/3/map#1/0/add#1")
    assert not seen.shows("map#10/3/add#1")
    assert not seen.shows("add#1")


@pytest.mark.parametrize(
    ("index", "ahead"), [(2, range(3, 19)), (20, range(21, 25)), (24, range(0))]
)
def test_what_comes_next_are_a_few_branches_that_have_not_ended(index: int, ahead: range) -> None:
    with Replay(definition(body), make_history()) as replay:
        (group,) = replay._groups.values()
        assert coming(replay, group, index) == tuple(map(group.scope, ahead))


async def within(ctx: Context, number: int) -> int:
    """Take a step, or two of them side by side."""
    if number:
        return await ctx.step(add, number, 1)
    return sum((await ctx.map(one, range(2))).results)


async def groups(ctx: Context, _given: object) -> None:
    """Open a group within a group."""
    await ctx.map(within, range(3))


def test_the_latest_branches_of_a_group_are_those_that_wait_for_something_themselves() -> None:
    with Replay(definition(groups), make_history()) as replay:
        outer, inner = replay._groups.values()
        latest = [each.key for each in replay.frontier.latest(outer)]
        assert latest == [f"{outer.scope(index)}/add#1" for index in (2, 1)]
        assert len(list(replay.frontier.latest(inner, latest[0]))) == 2
