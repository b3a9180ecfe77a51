"""One message: every situation in which it may find the run."""

import pytest

from everstep.app.engine import Limits
from everstep.app.outcomes import Done
from everstep.core.errors import UnavailableError
from everstep.core.model import MessageKind, OpStatus, Payload, RunStatus
from tests.unit.app.definitions import (
    empty,
    failing,
    hibernating,
    napping,
    one_step,
    talkative,
    two_steps,
)
from tests.unit.app.world import DAY, MINUTE, NOW, SECOND, World, message


def test_a_start_sends_the_first_step() -> None:
    world = World(one_step)
    run_id = world.start(value=1).run_id

    assert world.advance(world.take()) is Done.REPEATED
    sent = world.take()
    assert (sent.run_id, sent.kind, sent.op, sent.attempt) == (
        run_id,
        MessageKind.STEP,
        "double#1",
        1,
    )


def test_a_step_message_makes_one_attempt_and_sends_the_next() -> None:
    world = World(two_steps)
    world.begin(value=1)

    assert world.advance(world.take()) is Done.ADVANCED
    assert world.take().op == "double#2"
    assert world.attempts == [("double#1", 1)]


def test_the_last_step_completes_the_run() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    world.run()

    head = world.head(run_id)
    assert (head.status, head.result) == (RunStatus.COMPLETED, Payload(text="4", size=1))
    assert head.due_at is None
    assert head.ended_at == NOW


def test_a_run_without_operations_completes_with_its_start() -> None:
    world = World(empty)
    run_id = world.begin(value={"id": "o"})

    assert world.status(run_id) is RunStatus.COMPLETED


def test_an_output_over_the_limit_fails_the_run() -> None:
    world = World(talkative, limits=Limits(payload=100))
    run_id = world.begin(value=200)

    error = world.head(run_id).error
    assert error is not None
    assert "the output of the workflow is 202 bytes" in error.message


def test_a_message_for_an_unknown_run_does_nothing() -> None:
    assert World(one_step).advance(message("nobody", MessageKind.START)) is Done.UNKNOWN_RUN


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELLED])
def test_a_message_for_a_run_that_has_ended_does_nothing(status: RunStatus) -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.end(run_id, status)

    assert world.advance(world.take()) is Done.ENDED_BEFORE
    assert world.attempts == []


def test_a_timer_of_a_run_that_has_ended_leaves_the_due_index() -> None:
    world = World(hibernating)
    run_id = world.begin()
    world.end(run_id)

    world.advance(message(run_id, MessageKind.TIMER, "sleep#1"))

    assert world.records(run_id)["sleep#1"].due_at is None


def test_a_message_for_a_run_that_stands_still_leaves_everything_as_it_is() -> None:
    world = World(hibernating)
    run_id = world.begin()
    world.stall(run_id)

    world.clock.set(NOW + DAY)
    assert world.advance(message(run_id, MessageKind.TIMER, "sleep#1")) is Done.STANDS_STILL
    assert world.records(run_id)["sleep#1"].due_at == NOW + DAY


# --- Repeats


def test_a_repeat_of_a_message_sends_on_again_without_an_attempt() -> None:
    world = World(two_steps)
    world.begin(value=1)
    first = world.take()
    world.advance(first)
    before = world.take()

    assert world.advance(first) is Done.REPEATED
    again = world.take()
    assert (again.op, again.attempt) == (before.op, before.attempt)
    assert again.token != before.token
    assert world.attempts == [("double#1", 1)]


def test_another_message_for_work_that_is_done_sends_nothing() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    world.advance(world.take())
    world.take()

    stranger = message(run_id, MessageKind.STEP, "double#1", attempt=1)
    assert world.advance(stranger) is Done.REPEATED
    assert world.outbox.sent == []


def test_a_message_for_an_attempt_that_was_made_is_a_repeat() -> None:
    world = World(failing)
    run_id = world.begin()
    world.advance(world.take())
    world.take()

    world.clock.set(NOW + MINUTE)
    stale = message(run_id, MessageKind.STEP, "fail#1", attempt=1)
    assert world.advance(stale) is Done.REPEATED
    assert world.attempts == [("fail#1", 1)]


def test_a_repeat_of_the_last_message_ends_the_run_that_a_crash_left_open() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    last = world.take()
    world.advance(last)
    world.reopen(run_id)

    assert world.advance(last) is Done.REPEATED
    assert world.status(run_id) is RunStatus.COMPLETED
    assert world.attempts == [("double#1", 1)]


def test_a_send_that_failed_is_made_up_for_by_the_repeat() -> None:
    world = World(two_steps)
    world.begin(value=1)
    first = world.take()
    world.outbox.down = True
    with pytest.raises(UnavailableError):
        world.advance(first)
    world.outbox.down = False

    world.advance(first)

    assert world.take().op == "double#2"
    assert world.attempts == [("double#1", 1)]


# --- Early, superseded


def test_an_early_message_goes_back_with_the_remaining_delay() -> None:
    world = World(napping)
    world.begin()
    (outgoing,) = world.outbox.sent
    assert outgoing.delay == 60
    world.clock.set(NOW + 20 * SECOND)

    assert world.advance(world.take()) is Done.EARLY
    (again,) = world.outbox.sent
    assert (again.delay, again.message.due) == (40, NOW + MINUTE)
    assert again.message.op == "sleep#1"


def test_an_early_retry_keeps_its_attempt() -> None:
    world = World(failing)
    run_id = world.begin()
    world.advance(world.take())
    world.take()

    early = message(run_id, MessageKind.STEP, "fail#1", attempt=2, take=True)
    assert world.advance(early) is Done.EARLY
    again = world.take()
    assert (again.attempt, again.take, again.due) == (2, True, NOW + SECOND)


def test_a_short_sleep_ends_by_its_message() -> None:
    world = World(napping)
    run_id = world.begin()
    world.run()

    record = world.records(run_id)["sleep#1"]
    assert (record.status, record.started_at, record.wake_at) == (
        OpStatus.DONE,
        NOW,
        NOW + MINUTE,
    )
    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_long_sleep_ends_by_the_sweepers_message_after_it_was_armed() -> None:
    world = World(hibernating)
    run_id = world.begin()
    assert world.outbox.sent == []
    world.clock.set(NOW + DAY)

    assert world.advance(message(run_id, MessageKind.TIMER, "sleep#1")) is Done.ADVANCED
    record = world.records(run_id)["sleep#1"]
    assert (record.status, record.due_at) == (OpStatus.DONE, None)


def test_a_message_for_what_nobody_awaits_is_superseded() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)

    odd = message(run_id, MessageKind.STEP, "double#7", attempt=1)
    assert world.advance(odd) is Done.SUPERSEDED


def test_a_timer_that_nobody_awaits_leaves_the_due_index() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)

    assert world.advance(message(run_id, MessageKind.TIMER, "sleep#1")) is Done.SUPERSEDED


def test_attempts_go_on_from_the_record_after_a_restore_from_backup() -> None:
    world = World(failing)
    run_id = world.begin()

    world.advance(message(run_id, MessageKind.STEP, "fail#1", attempt=2))

    assert world.records(run_id)["fail#1"].attempt == 1
    assert world.attempts == [("fail#1", 1)]


def test_a_stray_message_while_the_frontier_has_its_own_is_dropped() -> None:
    world = World(failing)
    run_id = world.begin()
    world.advance(world.take())
    world.lose()

    stray = message(run_id, MessageKind.STEP, "double#7", attempt=1)
    assert world.advance(stray) is Done.SUPERSEDED
    assert world.outbox.sent == []


def test_a_stray_message_stands_in_for_the_one_that_the_code_waits_for_now() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.lose()

    stray = message(run_id, MessageKind.TIMER, "sleep#1")
    assert world.advance(stray) is Done.SUPERSEDED
    assert world.take().op == "double#1"
