"""What is read of the branches that come next serves whoever's message comes then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep import Context, NonRetryable, step, workflow
from everstep.app.cancel import cancel
from everstep.core.durations import GLANCED
from everstep.core.errors import UnavailableError
from everstep.core.model import RunStatus
from tests.unit.app.keeping import Keeping, double

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep import Workflow
    from everstep.core.model import Message

during: Final[dict[int, Any]] = {}


@step
def note(number: int) -> int:
    """Let something else happen meanwhile."""
    if number in during:
        during.pop(number)()
    return number


@workflow(name="wf")
async def forty(ctx: Context, number: int) -> int:
    """Double forty numbers side by side."""
    return number + (await ctx.map(double, range(40))).succeeded


@step
def write(number: int) -> str:
    """Return six kilobytes."""
    return str(number % 10) * 6000


@workflow(name="wf")
async def large_ones(ctx: Context, number: int) -> int:
    """Write twenty texts side by side."""
    return number + (await ctx.map(write, range(20))).succeeded


@workflow(name="wf")
async def half(ctx: Context, number: int) -> int:
    """Double forty numbers, of which all but one are enough."""
    return number + (await ctx.map(double, range(40), min_successful=39)).succeeded


@step
def accept(number: int) -> int:
    """Refuse 0."""
    if number == 0:
        raise NonRetryable("no")
    return number


@workflow(name="wf")
async def three_of_four(ctx: Context, number: int) -> int:
    """Need three of four, of which one fails."""
    batch = await ctx.map(accept, range(4), min_successful=3, tolerated_failures=1)
    return number + batch.succeeded


@workflow(name="wf")
async def lanes(ctx: Context, number: int) -> int:
    """Note seven numbers, three at a time."""
    return number + (await ctx.map(note, range(7), max_concurrency=3)).succeeded


@pytest.fixture(autouse=True)
def by_itself() -> Iterator[None]:
    """Leave nothing behind that is let go in another test."""
    yield
    Keeping.end_all()
    during.clear()


def spread(flow: Workflow[Any, Any]) -> tuple[Keeping, str, list[Message]]:
    """Begin a run; return its world, its id, and the messages of its first branches."""
    world = Keeping(flow, fresh=1000)
    run_id = world.begin(value=1)
    letters = [each.message for each in world.outbox.sent]
    world.lose()
    assert world.reads == {"load": 1}
    return world, run_id, letters


def following(world: Keeping) -> Message:
    """Return the message that was sent last, and forget it."""
    message = world.take()
    world.lose()
    return message


def test_a_message_for_any_branch_that_comes_soon_needs_no_read_before_its_step() -> None:
    world, _, letters = spread(forty)
    world.advance(letters[0])
    assert world.reads == {"record": 1, "between": 1}
    for index in (1, 20, 21, 30, 31):
        world.advance(letters[index])
        assert world.reads == {"between": 1}


def test_what_was_seen_before_the_last_message_is_seen_no_more() -> None:
    world, _, letters = spread(forty)
    world.advance(letters[20])
    world.advance(letters[30])
    assert world.reads
    # After the thirtieth nothing was read of what sorts before it.
    world.advance(letters[21])
    assert world.reads == {"record": 1, "between": 1}


def test_what_was_seen_a_while_ago_is_read_again() -> None:
    world, _, letters = spread(forty)
    world.advance(letters[0])
    world.clock.set(world.clock.now() + GLANCED - 1)
    assert world.reads
    world.advance(letters[1])
    assert world.reads == {"between": 1}
    world.clock.set(world.clock.now() + GLANCED)
    world.advance(letters[20])
    assert world.reads == {"record": 1, "between": 1}


def test_of_a_stretch_with_much_in_it_only_what_was_read_counts() -> None:
    world, run_id, letters = spread(forty)
    other = world.elsewhere()
    for index in range(10, 30):
        other.advance(letters[index])
    world.advance(letters[0])
    assert world.reads
    # The first sixteen records are those of 10 to 25 (2 has none yet): 3 was not read.
    world.advance(letters[3])
    assert world.reads == {"record": 1, "between": 1}
    for index in (1, 2, *range(4, 10), *range(30, 40)):
        world.advance(letters[index])
    assert world.status(run_id) is RunStatus.COMPLETED


def test_of_large_results_fewer_are_read() -> None:
    world, run_id, letters = spread(large_ones)
    for index in (10, 11, 0):
        world.advance(letters[index])
    assert world.reads
    # Two records of six kilobytes are read, those of 10 and 11; 12 lies after them.
    world.advance(letters[12])
    assert world.reads == {"record": 1, "between": 1}
    for index in (*range(1, 10), *range(13, 20)):
        world.advance(letters[index])
    assert world.status(run_id) is RunStatus.COMPLETED


def test_what_others_have_recorded_in_a_stretch_is_not_carried_out_again() -> None:
    world, _, letters = spread(forty)
    other = world.elsewhere()
    other.advance(letters[39])
    world.advance(letters[0])
    world.advance(letters[2])
    assert world.reads
    world.advance(letters[39])
    assert world.reads == {"record": 1, "peek": 1, "load": 1}


def test_one_stretch_shows_as_many_branches_as_are_needed() -> None:
    world, run_id, letters = spread(half)
    for letter in letters[:-3]:
        world.advance(letter)
        # The join is read before each: enough may have been done elsewhere.
        reads = world.reads
        assert (reads["peek"], reads["between"]) == (1, 1)
    for letter in letters[-3:-1]:
        world.advance(letter)
    assert world.status(run_id) is RunStatus.COMPLETED


def test_the_end_of_a_lane_is_left_to_a_later_branch_of_another_one() -> None:
    world, run_id, letters = spread(lanes)
    for index in (0, 1, 2):
        world.advance(letters[index])
        letters.append(following(world))
    assert world.reads == {"record": 3}
    world.advance(letters[4])
    assert world.reads == {"record": 1, "between": 1, "head": 1}
    world.advance(letters[5])
    assert world.reads == {"between": 1, "head": 1}
    world.advance(letters[3])
    world.advance(following(world))
    assert world.status(run_id) is RunStatus.COMPLETED


def test_nobody_relies_on_what_follows_in_a_lane_once_the_run_is_to_end() -> None:
    world, run_id, letters = spread(lanes)
    elsewhere = world.elsewhere()
    for index in (1, 0, 2):
        world.advance(letters[index])
        letters.append(following(world))
    fourth, third, fifth = letters[3:]

    def meanwhile() -> None:
        cancel(world.engine, run_id)
        world.lose()
        elsewhere.advance(fourth)
        world.clock.set(world.clock.now() + 10)
        world.outbox.down = True

    # What follows the third branch is not sent: whoever has ended it dies. Whoever comes after it
    # sees first that another branch was told to end, and so begins no other.
    during[3] = meanwhile
    with pytest.raises(UnavailableError):
        world.elsewhere().advance(third)
    world.outbox.down = False
    world.elsewhere().advance(third, receives=2)
    assert not world.outbox.sent
    assert world.reads
    world.advance(fifth)
    assert world.reads["head"] == 1
    assert world.status(run_id) is RunStatus.CANCELLED


def test_who_sees_fewer_branches_than_it_takes_reads_everything() -> None:
    world, run_id, letters = spread(three_of_four)
    for letter in letters[:2]:
        world.advance(letter)
    assert world.reads
    # Two have succeeded, and one failed: that three are not enough yet, one alone cannot show.
    world.advance(letters[2])
    assert world.reads["load"] == 1
    world.advance(letters[3])
    assert world.status(run_id) is RunStatus.COMPLETED


def test_what_other_code_has_recorded_of_a_branch_is_not_seen_as_the_pass_has_it() -> None:
    world, run_id, letters = spread(forty)
    other = world.elsewhere()
    other.advance(letters[1])
    (recorded,) = world.records(run_id).values()
    world.write(run_id, replace(recorded, input_hash="other"))
    assert world.reads
    world.advance(letters[0])
    assert world.reads == {"record": 1, "between": 1}
    world.advance(letters[1])
    assert world.status(run_id) is RunStatus.STALLED
