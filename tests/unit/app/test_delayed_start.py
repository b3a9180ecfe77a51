"""A run that is to begin later: no earlier, as late as any timer, and never forgotten."""

from datetime import UTC, datetime, timedelta

import pytest

from everstep import Context, step, workflow
from everstep.app.cancel import cancel
from everstep.app.control import resume
from everstep.app.outcomes import Done
from everstep.app.query import inspect
from everstep.core.model import MessageKind, RunStatus
from tests.unit.app.definitions import napping, one_step
from tests.unit.app.world import DAY, MINUTE, NOW, SECOND, World, message

MINUTES_10 = 10 * MINUTE
TOMORROW = NOW + DAY
SEEN: list[datetime] = []


@step
def nothing() -> None:
    """Do nothing."""


@workflow(name="wf")
async def tells_the_time(ctx: Context) -> str:
    """Tell with which time the code begins."""
    begins = ctx.now()
    await ctx.step(nothing)
    return begins.isoformat()


def due_at(world: World, run_id: str) -> int | None:
    return world.head(run_id).due_at


def test_a_delay_that_the_queue_can_hold_is_one_message_that_comes_when_it_is_due() -> None:
    world = World(one_step)
    accepted = world.start(value=1, delay=600)

    head = world.head(accepted.run_id)
    assert (head.created_at, head.starts_at) == (NOW, NOW + MINUTES_10)
    assert head.due_at == NOW + MINUTES_10 + 7 * MINUTE
    assert [each.delay for each in world.outbox.sent] == [600]
    assert world.take().due == NOW + MINUTES_10
    assert accepted.sent


def test_the_longest_delay_of_the_queue_needs_no_sweeper() -> None:
    world = World(one_step)

    assert world.start(value=1, delay=timedelta(minutes=15)).sent
    assert [each.delay for each in world.outbox.sent] == [900]


def test_a_longer_delay_stands_in_the_due_index_only() -> None:
    world = World(one_step)
    accepted = world.start(value=1, delay=901)

    assert not accepted.sent
    assert world.outbox.sent == []
    assert due_at(world, accepted.run_id) == NOW + 901 * SECOND


@pytest.mark.parametrize("at", [NOW, NOW - 1, NOW - DAY])
def test_a_time_that_is_past_is_at_once(at: int) -> None:
    world = World(one_step)
    run_id = world.start(value=1, at=datetime.fromtimestamp(at / 1000, UTC)).run_id

    assert world.head(run_id).starts_at is None
    assert world.take().due == 0


def test_no_delay_is_at_once() -> None:
    world = World(one_step)

    assert world.head(world.start(value=1, delay=0).run_id).starts_at is None


def test_code_begins_with_the_time_at_which_it_was_to_begin() -> None:
    world = World(tells_the_time)
    run_id = world.start(at=datetime(2026, 1, 1, 0, 5, tzinfo=UTC)).run_id
    world.clock.set(NOW + 6 * MINUTE)
    world.run()

    result = world.head(run_id).result
    assert result is not None
    assert result.text == '"2026-01-01T00:05:00+00:00"'


def test_a_message_that_comes_too_early_is_put_off_as_it_is() -> None:
    world = World(one_step)
    run_id = world.start(value=1, delay=600).run_id
    first = world.take()
    world.clock.advance(MINUTE)

    assert world.advance(first) is Done.EARLY
    (again,) = world.outbox.sent
    assert (again.message, again.delay) == (first, 540)
    assert world.records(run_id) == {}


@pytest.mark.parametrize("fields", [{}, {"take": True, "kind": MessageKind.RECOVER}])
def test_a_message_that_comes_far_too_early_is_left_to_the_sweeper(fields: dict[str, bool]) -> None:
    world = World(one_step)
    run_id = world.start(value=1, delay=901).run_id

    assert world.advance(message(run_id, **{"kind": MessageKind.START, **fields})) is Done.EARLY  # type: ignore[arg-type]
    assert world.outbox.sent == []
    assert due_at(world, run_id) == NOW + 901 * SECOND


def test_an_event_that_comes_before_the_beginning_begins_nothing() -> None:
    world = World(one_step)
    run_id = world.start(value=1, delay=600).run_id
    world.lose()

    world.advance(message(run_id, MessageKind.EVENT))

    assert world.outbox.sent == []
    assert world.records(run_id) == {}


def test_a_run_that_is_to_begin_later_is_pending_until_then() -> None:
    world = World(napping)
    run_id = world.start(delay=600).run_id

    seen = inspect(world.engine, run_id).progress
    assert (seen.status, seen.records, seen.scheduled) == (RunStatus.PENDING, (), ())
    world.clock.advance(MINUTES_10)
    assert inspect(world.engine, run_id).progress.status is RunStatus.SLEEPING


def test_a_run_that_stands_still_before_its_beginning_says_so() -> None:
    world = World(napping)
    run_id = world.start(delay=600).run_id
    world.stall(run_id)

    assert inspect(world.engine, run_id).progress.status is RunStatus.STALLED


def test_a_deadline_counts_from_the_beginning() -> None:
    world = World(one_step)
    run_id = world.start(value=1, delay=600, timeout=60).run_id

    assert world.head(run_id).deadline == NOW + 11 * MINUTE


# --- The sweeper


def far() -> tuple[World, str]:
    """Return a world with a run that is to begin tomorrow."""
    world = World(one_step)
    return world, world.start(value=1, delay=DAY / 1000).run_id


def test_the_sweeper_leaves_a_far_beginning_alone() -> None:
    world, run_id = far()
    world.clock.set(TOMORROW - 15 * MINUTE - 1)

    assert world.sweep().starts == 0
    assert due_at(world, run_id) == TOMORROW


def test_the_sweeper_sends_the_first_message_in_the_last_minutes_once() -> None:
    world, run_id = far()
    world.clock.set(TOMORROW - 15 * MINUTE)

    assert world.sweep().starts == 1
    assert due_at(world, run_id) == TOMORROW + 7 * MINUTE
    (sent,) = world.outbox.sent
    assert (sent.message.kind, sent.message.due, sent.delay) == (MessageKind.START, TOMORROW, 900)
    world.clock.advance(MINUTE)
    assert world.sweep().starts == 0


@pytest.mark.parametrize("delay", [600, DAY / 1000], ids=["near", "far"])
def test_a_first_message_that_gets_lost_is_sent_again_a_grace_after_the_beginning(
    delay: float,
) -> None:
    world = World(one_step)
    begins = NOW + int(delay * 1000)
    run_id = world.start(value=1, delay=delay).run_id
    world.clock.set(max(NOW, begins - MINUTES_10))
    world.sweep()
    world.lose()
    world.clock.set(begins + 7 * MINUTE)

    assert world.sweep().starts == 1
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_run_that_is_resumed_before_its_beginning_still_begins_in_time() -> None:
    world, run_id = far()
    world.stall(run_id)
    resume(world.engine, run_id)
    assert world.advance(world.take()) is Done.EARLY
    assert due_at(world, run_id) == NOW + 7 * MINUTE

    world.clock.set(NOW + 7 * MINUTE)
    world.sweep()
    assert (due_at(world, run_id), world.outbox.sent) == (TOMORROW, [])
    world.clock.set(TOMORROW - 13 * MINUTE)
    assert world.sweep().starts == 1
    world.run()
    assert (world.status(run_id), world.clock.now()) == (RunStatus.COMPLETED, TOMORROW)


def test_a_run_that_was_resumed_before_its_beginning_is_begun_again_if_that_gets_lost() -> None:
    world, run_id = far()
    world.stall(run_id)
    resume(world.engine, run_id)
    world.clock.set(TOMORROW - MINUTE)
    world.sweep()
    world.lose()
    world.clock.set(TOMORROW + 7 * MINUTE)

    assert world.sweep().starts == 1


def test_a_run_that_is_cancelled_before_its_beginning_does_not_wait_for_it() -> None:
    world, run_id = far()
    cancel(world.engine, run_id)
    world.run()

    assert world.status(run_id) is RunStatus.CANCELLED
    assert world.clock.now() == NOW
    assert world.attempts == []
