"""Many entries, little time: what is due is turned to in turns, and nothing holds up a timer."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from zlib import crc32

import pytest

from everstep.app.control import resume
from everstep.app.engine import Limits
from everstep.app.sweep import IncompleteSweepError, sweep
from everstep.core.model import HEAD, DueEntry, OpStatus
from everstep.core.transitions import REARMED
from everstep.core.unreadable import Unreadable, UnreadableError
from tests.unit.app.definitions import (
    hibernating,
    one_step,
)
from tests.unit.app.sweeping import GRACE, SOON, asleep, busy, large
from tests.unit.app.world import DAY, MINUTE, NOW, World


def out_of(times: int) -> Callable[[], bool]:
    """Return what says that time is up once it was asked so often."""
    left = iter([False] * times)
    return lambda: next(left, True)


def due_at(world: World, run_id: str) -> int | None:
    return world.records(run_id)["sleep#1"].due_at


def test_every_entry_is_looked_at_however_many_there_are() -> None:
    world = World(hibernating)
    for _ in range(250):
        world.begin()
    world.clock.set(SOON)

    swept = world.sweep()

    assert swept.timers == 250
    assert swept.finished


def test_timers_share_requests_to_the_queue() -> None:
    world = World(hibernating)
    for _ in range(50):
        world.begin()
    world.clock.set(SOON)
    before = world.outbox.requests

    assert world.sweep().timers == 50
    # Ten share one, as far as they stand in the same of the two shards.
    assert world.outbox.requests - before <= 50 / 10 + 2


def test_a_sweep_without_time_leaves_the_rest_to_the_next() -> None:
    world = World(hibernating)
    for _ in range(50):
        world.begin()
    world.clock.set(SOON)

    swept = sweep(world.engine, out_of(2))

    assert not swept.finished
    assert swept.entries == 20


def test_shards_take_turns_so_that_none_waits_for_the_end_of_another() -> None:
    world = World(hibernating)
    for _ in range(600):
        world.begin()
    world.clock.set(NOW + GRACE)
    world.sweep()
    world.clock.set(NOW + DAY)

    swept = sweep(world.engine, out_of(24))

    shards = Counter(crc32(each.message.run_id.encode()) % 2 for each in world.outbox.sent)
    assert swept.timers == sum(shards.values()) < 600
    assert set(shards) == {0, 1}


def test_a_lagging_index_does_not_keep_the_sweep_going_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(hibernating)
    for _ in range(250):
        world.begin()
    world.clock.set(NOW + DAY)
    as_it_was = world.store.copied()
    monkeypatch.setattr(world.store, "due", as_it_was.due)

    swept = world.sweep()

    # Head and timer of each, once: whatever is moved stays where it was, as far as one can see.
    assert swept.entries == 500
    assert swept.finished


def test_many_runs_to_be_removed_hold_up_no_timer_and_go_bit_by_bit() -> None:
    world = World(hibernating, busy)
    for _ in range(300):
        world.start("busy", 1, retention=DAY / 1000)
    world.lose()
    for run_id in list(world.store.run_ids):
        world.end(run_id)
    world.clock.set(NOW + MINUTE)
    sleepers = [world.begin() for _ in range(5)]
    removed, timers = [], 0
    for minute in range(10):
        world.clock.set(NOW + DAY + MINUTE + minute * MINUTE)
        swept = sweep(world.engine, out_of(80))
        removed.append(swept.removed)
        timers += swept.timers
        world.run()

    assert timers == len(sleepers)
    assert sum(removed) == 300
    assert removed[0] > 0


def test_a_run_that_ended_under_an_earlier_release_is_removed_as_well() -> None:
    world = World(one_step)
    run_id = world.start(value=1, retention=DAY / 1000).run_id
    world.run()
    world.store._due.put(run_id, HEAD, NOW + DAY)  # among what is to wake up, as it was then
    world.clock.set(NOW + DAY)

    assert world.sweep().removed == 1
    assert world.store.run_ids == []


def test_who_is_not_behind_reads_nothing_that_is_neither_due_nor_comes_within_reach() -> None:
    world = World(hibernating, busy)
    run_id = world.begin()
    world.clock.set(SOON)
    for _ in range(300):
        world.start("busy", 1)
    world.lose()
    assert sweep(world.engine, behind=False).timers == 1
    world.clock.set(SOON + MINUTE)

    assert sweep(world.engine, behind=False).entries == 0
    assert sweep(world.engine, behind=True).entries == 300
    assert due_at(world, run_id) == NOW + DAY + GRACE


def test_a_timer_that_no_sweep_saw_in_time_is_sent_by_who_is_behind_or_when_it_is_due() -> None:
    world, _ = asleep()
    world.clock.set(NOW + DAY - 10 * MINUTE)
    assert sweep(world.engine, behind=False).timers == 0
    world.clock.set(NOW + DAY)
    assert sweep(world.engine, behind=False).timers == 1

    world, _ = asleep()
    world.clock.set(NOW + DAY - 10 * MINUTE)
    assert world.sweep().timers == 1


def test_entries_that_cannot_be_read_are_reported_and_keep_no_timer_from_being_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, run_id = asleep()
    world.clock.set(NOW + DAY)
    broken = Unreadable(run_id="run-x", key=HEAD, reason="status")
    read = world.store.due

    def due(*asked: int) -> Sequence[DueEntry]:
        raise UnreadableError([broken], read(*asked))

    monkeypatch.setattr(world.store, "due", due)
    with pytest.raises(IncompleteSweepError, match="the first of run run-x: UnreadableError"):
        world.sweep()

    assert [each.message.run_id for each in world.outbox.sent] == [run_id]


def test_a_record_that_was_done_meanwhile_is_not_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    world, run_id = asleep()
    world.clock.set(SOON)
    done = replace(world.records(run_id)["sleep#1"], status=OpStatus.DONE, due_at=None)
    monkeypatch.setattr(world.outbox, "send", lambda _outgoing: world.write(run_id, done))

    world.sweep()

    assert due_at(world, run_id) is None


def test_an_entry_that_was_moved_beyond_now_is_passed_over() -> None:
    world, run_id = asleep()
    world.clock.set(NOW + DAY)
    world.sweep()
    world.lose()
    world.clock.set(NOW + DAY + MINUTE)

    assert world.sweep().timers == 0
    assert due_at(world, run_id) == NOW + DAY + GRACE


def test_a_timer_that_fell_out_of_the_index_is_given_its_place_again() -> None:
    world, run_id = asleep()
    world.store.move(run_id, "sleep#1", None, REARMED)
    world.stall(run_id)
    resume(world.engine, run_id)
    world.run()

    assert due_at(world, run_id) == NOW + DAY


def test_a_timer_behind_many_runs_whose_time_has_not_come_is_sent_all_the_same() -> None:
    world = World(hibernating, busy)
    world.begin()
    world.clock.set(SOON)
    for _ in range(450):
        world.start("busy", 1)
    world.lose()

    assert world.sweep().timers == 1


@pytest.mark.parametrize("others", [0, 1])
def test_a_run_that_cannot_be_looked_at_keeps_no_timer_from_being_sent(others: int) -> None:
    world = World(hibernating, large, limits=Limits(inline=10))
    broken = [world.start("large", "x" * 20).run_id for _ in range(1 + others)]
    world.lose()
    run_id = world.begin()
    world.clock.set(SOON)
    world.lose_payloads()

    expected = f"{1 + others} of .* entries could not be looked at, the first of run {broken[0]}: "
    with pytest.raises(IncompleteSweepError, match=expected + "MissingBlobError"):
        world.sweep()

    assert [each.message.run_id for each in world.outbox.sent] == [run_id]


def test_of_runs_that_ended_under_an_earlier_release_a_sweep_removes_a_hundred() -> None:
    world = World(one_step)
    for _ in range(150):
        run_id = world.start(value=1, retention=DAY / 1000).run_id
        world.run()
        world.store._due.put(run_id, HEAD, NOW + DAY)
    world.clock.set(NOW + DAY)

    assert [world.sweep().removed, world.sweep().removed] == [100, 50]
