"""The sweeper: it sends first and moves after, and comes back in case a message gets lost."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from zlib import crc32

import pytest

from everstep import workflow
from everstep.app.control import resume
from everstep.app.engine import Limits
from everstep.app.sweep import IncompleteSweepError, Swept, _turn_to, sweep
from everstep.core.errors import UnavailableError
from everstep.core.model import HEAD, DueEntry, MessageKind, OpStatus, RunStatus
from everstep.core.transitions import REARMED
from everstep.core.unreadable import Unreadable, UnreadableError
from tests.unit.app.definitions import (
    anything,
    failing_slowly,
    hibernating,
    napping,
    one_step,
    second_version,
    two_steps,
)
from tests.unit.app.world import DAY, MINUTE, NOW, World

busy = workflow(name="busy")(one_step.fn)
large = workflow(name="large")(anything.fn)

GRACE = 7 * MINUTE
WATCHDOG = 360 * MINUTE
SOON = NOW + DAY - 15 * MINUTE


def asleep() -> tuple[World, str]:
    """Return a world in which one run sleeps for a day."""
    world = World(hibernating)
    return world, world.begin()


def out_of(times: int) -> Callable[[], bool]:
    """Return what says that time is up once it was asked so often."""
    left = iter([False] * times)
    return lambda: next(left, True)


def due_at(world: World, run_id: str) -> int | None:
    return world.records(run_id)["sleep#1"].due_at


def test_nothing_is_sent_while_nothing_is_due() -> None:
    world, _ = asleep()
    swept = world.sweep()

    assert (swept.timers, swept.starts, swept.recovered, swept.entries) == (0, 0, 0, 1)
    assert swept.finished
    assert world.outbox.sent == []


def test_a_timer_is_sent_in_its_last_fifteen_minutes_and_looked_at_again_after() -> None:
    world, run_id = asleep()
    world.clock.set(SOON)

    assert world.sweep().timers == 1
    (outgoing,) = world.outbox.sent
    assert (outgoing.message.kind, outgoing.message.op) == (MessageKind.TIMER, "sleep#1")
    assert (outgoing.delay, outgoing.message.due) == (900, NOW + DAY)
    assert due_at(world, run_id) == NOW + DAY + GRACE


def test_a_timer_is_sent_once_before_it_is_due() -> None:
    world, _ = asleep()
    world.clock.set(SOON)
    world.sweep()
    world.clock.set(SOON + MINUTE)

    assert world.sweep().timers == 0


def test_a_timer_whose_message_was_lost_is_sent_again() -> None:
    world, run_id = asleep()
    world.clock.set(SOON)
    world.sweep()
    world.lose()
    world.clock.set(NOW + DAY + GRACE)

    world.sweep()
    world.run()

    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_long_retry_is_sent_as_its_next_attempt() -> None:
    world = World(failing_slowly)
    world.begin()
    world.advance(world.take())
    world.clock.set(SOON)

    assert world.sweep().timers == 1
    message = world.take()
    assert (message.kind, message.attempt, message.due) == (MessageKind.STEP, 2, NOW + DAY)


@pytest.mark.parametrize("fate", ["ended", "expired"])
def test_a_timer_of_a_run_that_is_gone_leaves_the_due_index(fate: str) -> None:
    world, run_id = asleep()
    world.clock.set(SOON)
    world.sweep()
    world.lose()
    if fate == "ended":
        world.end(run_id)
    else:
        del world.store._heads[run_id]
    world.clock.set(NOW + DAY + GRACE)
    world.sweep()

    assert world.outbox.sent == []
    assert world.store._records[run_id]["sleep#1"].due_at is None


def test_a_timer_of_a_run_that_stands_still_is_looked_at_rarely() -> None:
    world, run_id = asleep()
    world.clock.set(SOON)
    world.sweep()
    world.lose()
    world.stall(run_id)
    world.clock.set(NOW + DAY + GRACE)
    world.sweep()

    assert world.outbox.sent == []
    assert due_at(world, run_id) == NOW + DAY + GRACE + WATCHDOG


def test_a_timer_that_cannot_be_sent_stays_where_it_is() -> None:
    world, run_id = asleep()
    world.clock.set(SOON)
    world.outbox.down = True

    with pytest.raises(UnavailableError, match=f"the first of run {run_id}: UnavailableError"):
        world.sweep()

    assert due_at(world, run_id) == NOW + DAY


def test_a_stale_entry_moves_nothing() -> None:
    world, run_id = asleep()
    world.clock.set(SOON)
    stale = world.store.due(0, NOW + DAY, 9) or world.store.due(1, NOW + DAY, 9)
    timer = next(entry for entry in stale if entry.key)
    world.store.move(run_id, "sleep#1", NOW + DAY + 5, REARMED)

    _turn_to(world.engine, Swept(), [timer])

    assert due_at(world, run_id) == NOW + DAY + 5


# --- Runs


def test_a_first_message_that_was_lost_is_sent_again() -> None:
    world = World(one_step)
    run_id = world.start(value=1).run_id
    world.take()
    world.clock.set(NOW + GRACE)

    assert world.sweep().starts == 1
    assert world.take().kind is MessageKind.START
    assert world.head(run_id).due_at == NOW + GRACE + WATCHDOG


def test_a_run_that_is_not_due_is_not_looked_at_closely() -> None:
    world = World(one_step)
    world.start(value=1)
    world.take()
    world.clock.set(NOW + MINUTE)

    assert world.sweep().starts == 0


def test_a_run_that_made_progress_is_left_alone() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    world.advance(world.take())
    world.take()
    world.clock.set(NOW + GRACE)
    world.sweep()

    assert world.outbox.sent == []
    assert world.head(run_id).due_at == NOW + WATCHDOG


def test_a_run_whose_message_was_lost_is_taken_over_and_completes() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    world.advance(world.take())
    world.take()
    world.clock.set(NOW + GRACE)
    world.sweep()
    world.clock.set(NOW + WATCHDOG)

    assert world.sweep().recovered == 1
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED
    assert world.attempts == [("double#1", 1), ("double#2", 1)]


def test_a_run_whose_code_is_missing_is_judged_by_its_traces() -> None:
    world = World(two_steps)
    world.begin(value=1)
    world.advance(world.take())
    world.take()
    world.deploy(second_version)
    world.clock.set(NOW + WATCHDOG)

    assert world.sweep().recovered == 1


@pytest.mark.parametrize("fate", ["stalled", "expired"])
def test_a_stale_entry_of_a_run_is_passed_over(fate: str) -> None:
    world = World(one_step)
    run_id = world.start(value=1).run_id
    world.take()
    world.clock.set(NOW + GRACE)

    def go() -> None:
        if fate == "stalled":
            world.stall(run_id)
        else:
            world.forget(run_id)

    world.store.before_load.append(go)
    world.sweep()

    assert world.outbox.sent == []


def test_a_sleeping_run_is_woken_once_although_both_its_entries_are_due() -> None:
    world = World(napping)
    run_id = world.begin()
    world.run()

    world.clock.set(NOW + DAY)
    assert world.sweep().entries == 0
    assert world.status(run_id) is RunStatus.COMPLETED


# --- Many entries, little time


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
