"""The sweeper: it sends first and moves after, and comes back in case a message gets lost."""

from dataclasses import replace

import pytest

from everstep.app.sweep import Swept, _turn_to
from everstep.core.errors import UnavailableError
from everstep.core.model import MessageKind, OpStatus, RunStatus
from everstep.core.transitions import REARMED
from tests.unit.app.definitions import (
    failing_slowly,
    napping,
    one_step,
    second_version,
    two_steps,
)
from tests.unit.app.sweeping import GRACE, SOON, WATCHDOG, asleep
from tests.unit.app.world import DAY, MINUTE, NOW, World


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


def test_a_second_look_that_comes_too_late_repairs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    world, run_id = asleep()
    world.clock.set(SOON)
    world.sweep()
    world.lose()
    world.clock.set(NOW + DAY + GRACE)
    done = replace(world.records(run_id)["sleep#1"], status=OpStatus.DONE, due_at=None)
    monkeypatch.setattr(world.outbox, "send", lambda _outgoing: world.write(run_id, done))

    world.sweep()

    assert due_at(world, run_id) is None
