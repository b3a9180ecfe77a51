"""A process that keeps its pass over a run goes on with it, and reads what may have changed."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.app.cancel import cancel
from everstep.app.control import pause
from everstep.app.engine import Limits
from everstep.app.events import send_event
from everstep.app.kept import Passes
from everstep.app.outcomes import Done
from everstep.core.model import OpStatus, RunStatus
from tests.unit.app.keeping import (
    COUNTED,
    Keeping,
    chain,
    fans_out,
    naps,
    sizeable,
    waits,
)
from tests.unit.app.world import MINUTE, World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def by_itself() -> Iterator[None]:
    """Leave nothing behind that is let go, and counted, in another test."""
    yield
    Keeping.end_all()


def test_code_runs_once_from_its_first_line_to_its_last() -> None:
    world = Keeping(chain)
    run_id = world.begin(value=3)
    world.run()
    result = world.head(run_id).result
    assert result is not None
    assert result.at_hand == "48"
    assert COUNTED["chain"] == 1
    assert world.attempts == [(f"double#{number}", 1) for number in range(1, 5)]


def test_a_message_takes_one_small_read_however_long_the_history_is() -> None:
    world = Keeping(chain)
    world.begin(value=3)
    assert world.reads == {"load": 1}
    for _ in range(4):
        world.advance(world.take())
        assert world.reads == {"peek": 1}


def test_a_process_that_keeps_nothing_replays_for_every_message() -> None:
    world = World(chain)
    world.begin(value=3)
    world.run()
    assert COUNTED["chain"] == 5


def test_sleeps_refusals_and_failed_attempts_are_waited_for() -> None:
    world = Keeping(naps)
    run_id = world.begin(value=1)
    for _ in range(6):
        world.run()
        world.clock.set(world.clock.now() + 120 * MINUTE)
        world.sweep()
    assert world.status(run_id) is RunStatus.COMPLETED
    assert COUNTED["flaky"] == 3
    # The sweeper has looked at it once, when the grace of its start was over.
    assert COUNTED["naps"] == 2


def test_a_large_result_is_at_hand_for_code_that_was_kept() -> None:
    world = Keeping(sizeable, limits=Limits(inline=100))
    run_id = world.begin(value=1)
    world.run()
    result = world.head(run_id).result
    assert result is not None
    assert result.at_hand == "300"
    assert COUNTED["sizeable"] == 1


def test_steps_side_by_side_are_waited_for_and_their_end_is_found_by_a_replay() -> None:
    world = Keeping(fans_out)
    run_id = world.advance_to(1)
    assert world.keeps(run_id)
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED
    # By the last branch, and once more after its group was closed.
    assert COUNTED["fans_out"] == 3


def test_an_event_that_came_before_its_wait_is_taken_by_a_kept_pass() -> None:
    world = Keeping(waits)
    run_id = world.begin(value=1)
    step = world.take()
    send_event(world.engine, run_id, "word", 5)
    world.lose()
    assert world.keeps(run_id)
    world.advance(step)
    assert world.records(run_id)["word#1"].event == 1
    world.run()
    result = world.head(run_id).result
    assert result is not None
    assert result.at_hand == "14"


def test_nothing_is_kept_of_a_run_that_waits_for_what_others_send() -> None:
    world = Keeping(waits)
    run_id = world.advance_to(1)
    assert not world.keeps(run_id)
    send_event(world.engine, run_id, "word", 5)
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED


def test_nothing_is_kept_of_a_run_that_has_ended() -> None:
    world = Keeping(chain)
    run_id = world.begin(value=1)
    world.run()
    assert not world.keeps(run_id)
    assert COUNTED["let go"] == 1


# --- What people ask of the run meanwhile


def test_a_pause_is_seen_by_the_next_message() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(2)
    pause(world.engine, run_id)
    assert world.advance(world.take()) is Done.STANDS_STILL
    assert "double#3" not in world.records(run_id)
    assert not world.keeps(run_id)


def test_a_cancellation_is_seen_by_the_next_message() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(2)
    step = world.take()
    cancel(world.engine, run_id)
    world.lose()
    assert world.keeps(run_id)
    world.advance(step)
    assert world.records(run_id)["double#3"].status is OpStatus.CANCELLED
    assert ("double#3", 1) not in world.attempts
    assert world.status(run_id) is RunStatus.CANCELLED


def test_the_end_of_a_run_is_seen_by_the_next_message() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(2)
    world.end(run_id, RunStatus.CANCELLED)
    assert world.advance(world.take()) is Done.ENDED_BEFORE
    assert not world.keeps(run_id)


# --- What the workflow logs


def test_every_line_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = Keeping(chain)
    world.begin(value=1)
    world.run()
    assert lines(caplog) == ["is 2", "is 4", "is 8", "is 16"]


def test_what_another_process_has_come_to_is_logged_by_it_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = Keeping(chain)
    world.advance_to(1)
    other = world.elsewhere()
    other.advance(world.take())
    assert lines(caplog) == ["is 2", "is 4"]
    world.run()
    assert lines(caplog) == ["is 2", "is 4", "is 8", "is 16"]
    assert COUNTED["chain"] == 2


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what workflows have logged."""
    return [line for line in caplog.messages if line.startswith("is ")]


# --- How many there are


def test_only_so_many_are_kept_and_the_one_used_longest_ago_goes() -> None:
    world = Keeping(chain, most=2)
    runs = [world.advance_to(1, value) for value in (1,)]
    step = world.take()
    runs.append(world.advance_to(1, 2))
    world.lose()
    world.advance(step)
    world.lose()
    runs.append(world.advance_to(1, 3))
    assert [world.keeps(run_id) for run_id in runs] == [True, False, True]
    assert COUNTED["let go"] == 1


def test_only_so_much_memory_is_taken() -> None:
    world = Keeping(chain, room=13_000)
    one = world.advance_to(3)
    world.lose()
    assert world.keeps(one)
    two = world.advance_to(3)
    world.lose()
    three = world.advance_to(3)
    assert [world.keeps(run_id) for run_id in (one, two, three)] == [False, True, True]


def test_large_results_take_their_room() -> None:
    world = Keeping(sizeable, room=3_500, limits=Limits(inline=100))
    run_id = world.advance_to(1)
    assert not world.keeps(run_id)
    roomier = Keeping(sizeable, room=4_500, limits=Limits(inline=100))
    assert roomier.keeps(roomier.advance_to(1))


def test_room_is_given_back_when_a_pass_is_taken() -> None:
    world = Keeping(chain, room=8_000)
    for value in range(5):
        run_id = world.advance_to(4, value)
        assert world.status(run_id) is RunStatus.COMPLETED
    assert world.keeps(world.advance_to(3))


def test_a_pass_takes_the_place_of_the_one_that_was_kept_of_the_same_run() -> None:
    world = Keeping(chain)
    run_id = world.advance_to(2)
    kept = world.passes.take(run_id)
    assert kept is not None
    # While one process had it, another message of the run made a pass of its own.
    step = world.take()
    world.advance(replace(step, token="stranger"))
    world.passes.put(run_id, kept)
    assert COUNTED["let go"] == 1
    assert world.passes.take(run_id) is kept
    assert world.passes.take(run_id) is None


def test_short_histories_are_not_kept() -> None:
    world = Keeping(chain, from_records=3)
    run_id = world.advance_to(1)
    assert not world.keeps(run_id)
    assert COUNTED["let go"] == COUNTED["chain"] == 2
    world.advance(world.take())
    assert world.keeps(run_id)


def test_what_costs_no_more_to_read_than_two_items_is_not_kept_by_default() -> None:
    assert Passes().from_records == 32
