"""One attempt of a step: what is recorded of how it went."""

from datetime import timedelta

import pytest

from everstep import Context, Retry, RetryAfter, step, workflow
from everstep.app.attempt import OutOfTimeError
from everstep.app.engine import Limits
from everstep.core.durations import LAST_INSTANT, to_datetime
from everstep.core.model import OpStatus, RunStatus
from tests.unit.app import definitions
from tests.unit.app.definitions import (
    extending,
    failing,
    failing_slowly,
    giving_up,
    misfit,
    observing,
    one_step,
    sizeable,
)
from tests.unit.app.world import DAY, NOW, SECOND, World


def test_a_result_is_recorded_with_its_attempt_and_times() -> None:
    world = World(one_step)
    run_id = world.begin(value=4)
    world.clock.set(NOW + SECOND)
    message = world.take()
    world.advance(message)

    record = world.records(run_id)["double#1"]
    assert (record.status, record.attempt, record.by) == (OpStatus.DONE, 1, message.token)
    assert record.started_at == record.ended_at == NOW + SECOND
    assert record.result is not None
    assert record.result.text == "8"
    assert world.attempts == [("double#1", 1)]


def test_a_failed_attempt_is_recorded_with_the_time_of_the_next() -> None:
    world = World(failing)
    run_id = world.begin()
    world.advance(world.take())

    record = world.records(run_id)["fail#1"]
    assert (record.status, record.attempt) == (OpStatus.RETRY, 1)
    assert (record.wake_at, record.due_at) == (NOW + SECOND, None)
    assert record.error is not None
    assert (record.error.type, record.error.message) == ("ValueError", "no")
    assert record.error.operation == "fail#1"


def test_a_long_wait_for_the_next_attempt_stands_in_the_due_index() -> None:
    world = World(failing_slowly)
    run_id = world.begin()
    world.advance(world.take())

    record = world.records(run_id)["fail_for_long#1"]
    assert record.wake_at == record.due_at == NOW + DAY
    assert world.outbox.sent == []


def test_the_last_attempt_fails_the_step_and_the_run() -> None:
    world = World(failing)
    run_id = world.begin()
    world.run()

    record = world.records(run_id)["fail#1"]
    assert (record.status, record.attempt) == (OpStatus.FAILED, 2)
    error = world.head(run_id).error
    assert error is not None
    assert error.message == "step fail#1 failed after 2 attempts: ValueError: no"


def test_a_step_that_gives_up_is_not_tried_again() -> None:
    world = World(giving_up)
    run_id = world.begin()
    world.run()

    assert world.attempts == [("give_up#1", 1)]
    assert world.status(run_id) is RunStatus.FAILED


def test_a_result_that_does_not_fit_fails_the_step_at_once() -> None:
    world = World(misfit)
    run_id = world.begin()
    world.run()

    error = world.records(run_id)["unfit#1"].error
    assert error is not None
    assert "a str does not fit the annotation int" in error.message
    assert world.attempts == [("unfit#1", 1)]


def test_a_result_over_the_limit_fails_the_step_before_anything_is_written() -> None:
    world = World(sizeable, limits=Limits(payload=100))
    run_id = world.begin(value=200)
    world.run()

    error = world.records(run_id)["large#1"].error
    assert error is not None
    assert error.type == "PayloadTooLargeError"
    assert "the result of step large#1 is 202 bytes, the limit is 100" in error.message


def test_a_large_result_goes_to_the_blob_store_and_comes_back() -> None:
    world = World(sizeable, limits=Limits(inline=100))
    run_id = world.begin(value=200)
    world.run()

    result = world.records(run_id)["large#1"].result
    assert result is not None
    assert (result.text, result.size) == (None, 202)
    output = world.head(run_id).result
    assert output is not None
    assert output.ref == result.ref
    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_step_changes_only_its_copy_of_the_arguments() -> None:
    world = World(extending)
    run_id = world.begin()
    world.run()

    result = world.head(run_id).result
    assert result is not None
    assert result.text == "0"
    assert world.status(run_id) is RunStatus.COMPLETED


@pytest.mark.parametrize(
    ("timeout", "left", "limit"),
    [
        (None, None, None),
        (None, 10_000, 8500),
        (5, 10_000, 5000),
        (20, 10_000, 8500),
        (5, None, 5000),
    ],
)
def test_an_attempt_may_take_its_time_out_or_what_the_function_has_left(
    timeout: float | None, left: int | None, limit: int | None
) -> None:
    limited = definitions.observe.with_options(timeout=timeout)

    @workflow(name="wf")
    async def limiting(ctx: Context) -> int:
        return await ctx.step(limited)

    world = World(limiting)
    world.begin()
    definitions.seen_deadlines.clear()
    world.advance(world.take(), None if left is None else lambda: left)

    expected = None if limit is None else to_datetime(NOW) + timedelta(milliseconds=limit)
    assert definitions.seen_deadlines == [expected]


def test_too_little_time_left_begins_nothing() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    message = world.take()

    with pytest.raises(OutOfTimeError, match="too little time is left"):
        world.advance(message, lambda: 2400)

    assert world.attempts == []
    assert world.records(run_id) == {}


def test_a_step_knows_its_idempotency_key_and_attempt() -> None:
    world = World(observing)
    run_id = world.begin()
    definitions.seen_keys.clear()
    world.run()

    assert definitions.seen_keys == [f"{run_id}:observe#1"]


@step(retry=Retry(max_attempts=2))
def postpone() -> None:
    """Ask for another attempt after the last instant there is."""
    raise RetryAfter(LAST_INSTANT / SECOND)


@workflow(name="wf")
async def postponing(ctx: Context) -> None:
    """Run a step that is put off for ever."""
    await ctx.step(postpone)


def test_no_attempt_is_put_off_beyond_what_a_datetime_can_express() -> None:
    world = World(postponing)
    run_id = world.begin()
    world.advance(world.take())

    record = world.records(run_id)["postpone#1"]
    assert (record.status, record.wake_at) == (OpStatus.RETRY, LAST_INSTANT)
