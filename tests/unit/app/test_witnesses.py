"""Who ends a branch leaves it to others to look at the group, if one of them is seen to go on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from everstep import Context, workflow
from everstep.app.advance import advance
from everstep.core.messages import encode
from everstep.core.model import RunStatus
from everstep.core.witnesses import in_question
from tests.unit.app.keeping import COUNTED, Keeping, double

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.core.model import Message
    from everstep.core.replay import Replay


@workflow(name="wf")
async def widens(ctx: Context, number: int) -> int:
    """Double seven numbers side by side."""
    COUNTED["widens"] += 1
    return number + (await ctx.map(double, range(7))).succeeded


@pytest.fixture(autouse=True)
def by_itself() -> Iterator[None]:
    """Leave nothing behind that is let go, and counted, in another test."""
    yield
    Keeping.end_all()


def spread() -> tuple[Keeping, str, list[Message]]:
    """Begin a run; return its world, its id, and the messages of its branches."""
    world = Keeping(widens)
    run_id = world.begin(value=1)
    letters = [each.message for each in world.outbox.sent]
    world.lose()
    assert world.reads == {"load": 1}
    return world, run_id, letters


def test_a_branch_is_read_and_no_more_while_another_goes_on() -> None:
    world, run_id, letters = spread()
    for letter in letters[:-1]:
        world.advance(letter)
        assert world.reads == {"peek": 1, "between": 1}
    world.advance(letters[-1])
    # Nobody is left: everything is read, and once more after the group was closed.
    assert world.reads == {"peek": 1, "load": 2}
    assert world.status(run_id) is RunStatus.COMPLETED
    assert COUNTED["widens"] == 3


def test_what_comes_next_is_looked_at_first_and_not_once_more() -> None:
    world, _, letters = spread()
    world.passes.fresh = 1000
    advance(world.engine, letters[5], following=encode(letters[1]))
    assert world.reads == {"record": 1, "between": 1}
    advance(world.engine, letters[1], following="no message")
    assert world.reads == {"between": 1}
    # Without it, what is looked at are those that come after this one.
    advance(world.engine, letters[0])
    assert world.reads == {"record": 1, "between": 1}


def test_what_comes_next_is_looked_at_again_if_it_comes_once_more() -> None:
    world, _, letters = spread()
    world.passes.fresh = 1000
    advance(world.engine, letters[0], following=encode(letters[1]))
    assert world.reads
    advance(world.engine, letters[1], receives=2)
    assert world.reads == {"peek": 1, "between": 1}


def test_who_finds_that_those_next_to_it_have_ended_sees_one_that_has_not() -> None:
    world, run_id, letters = spread()
    other = world.elsewhere()
    for letter in letters[2:]:
        other.advance(letter)
    assert world.reads
    world.advance(letters[0])
    assert world.reads == {"peek": 1, "between": 1}
    world.advance(letters[1])
    assert world.status(run_id) is RunStatus.COMPLETED


def test_who_finds_only_branches_that_have_ended_reads_everything_soon() -> None:
    world, run_id, letters = spread()
    other = world.elsewhere()
    for letter in letters[:-1]:
        other.advance(letter)
    assert world.reads
    world.advance(letters[-1])
    # Nothing comes after the last one: two that began before it are read, and have ended.
    assert world.reads == {"peek": 1, "between": 3, "load": 2}
    assert world.status(run_id) is RunStatus.COMPLETED


def test_an_end_that_leads_on_is_looked_at_as_a_whole() -> None:
    group = object()
    led_on = SimpleNamespace(ended=[(group, None)], frontier=SimpleNamespace(news=["next"]))
    ended: Any = SimpleNamespace(ended=[(group, None)], frontier=SimpleNamespace(news=[]))
    assert in_question(cast("Replay", led_on)) is None
    assert in_question(ended) is group
