"""What is owed when a branch ends, and when a group is complete."""

from __future__ import annotations

from everstep import Context, NonRetryable
from everstep.core.effects import Close, End, Send
from everstep.core.model import MessageKind
from everstep.core.replay import Replay
from tests.unit.core.builders import (
    NOW,
    SECOND,
    add,
    decide,
    definition,
    ended,
    frontier,
    make_history,
    message,
    returned,
)
from tests.unit.core.groups import (
    START,
    after,
    both,
    closed,
    limited,
    owed,
)


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
