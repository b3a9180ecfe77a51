"""Attempts that are recorded when they begin: what becomes of one that leaves no result."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest

from everstep import (
    Context,
    Retry,
    StepInterrupted,
    StepNotExecuted,
    Workflow,
    step,
    step_context,
    workflow,
)
from everstep.app.attempt import OutOfTimeError
from everstep.app.cancel import cancel
from everstep.app.dead_letter import Buried
from everstep.app.engine import Limits
from everstep.app.outcomes import Done
from everstep.core.errors import ProbeFailedError
from everstep.core.model import Message, MessageKind, OpRecord, OpStatus, RunStatus
from everstep.testing import Crash
from tests.unit.app.definitions import double, one_step
from tests.unit.app.world import DAY, MINUTE, NOW, SECOND, World, message

KEY: Final = "act#1"
probed: Final[list[tuple[str, int]]] = []


def acting(
    *,
    probe: Callable[[int], object] | None = None,
    retry: Retry | None = None,
    at_most_once: bool = True,
    act: Callable[[int], int] = double.fn,
    timeout: float | None = None,
) -> Workflow[int, str]:
    """Return a workflow of one step that runs at most once."""
    policy = retry or Retry(jitter=False)
    once = step(name="act", at_most_once=at_most_once, probe=probe, retry=policy, timeout=timeout)(
        act
    )

    @workflow(name="wf")
    async def body(ctx: Context, value: int) -> str:
        try:
            return f"result {await ctx.step(once, value)}"
        except StepInterrupted as unknown:
            return f"unknown after {unknown.attempts}"

    return body


def die(value: int) -> int:
    """Kill the process."""
    raise Crash(value)


def found(value: int) -> int:
    """Find what the step has done."""
    probed.append((step_context().idempotency_key, step_context().attempt))
    return 2 * value


def not_found(value: int) -> int:
    """Find out that nothing was done."""
    raise StepNotExecuted(value)


def puzzled(value: int) -> int:
    """Find nothing out."""
    raise ConnectionError(f"nobody answers about {value}")


def interrupted(
    definition: Workflow[Any, Any], limits: Limits | None = None
) -> tuple[World, str, Message]:
    """Let the first attempt die after it was recorded as begun, until it is surely over."""
    world = World(definition, limits=limits)
    run_id = world.begin(value=2)
    first = world.take()
    world.deploy(acting(act=die))
    with pytest.raises(Crash):
        world.advance(first)
    world.deploy(definition)
    world.clock.set(world.records(run_id)[KEY].wake_at or 0)
    return world, run_id, first


# --- Beginning


def test_what_may_run_once_only_is_recorded_before_it_runs_and_after_it() -> None:
    world = World(acting())
    run_id = world.begin(value=2)
    first = world.take()
    seen: list[OpRecord] = []
    world.store.before_put += [seen.append, seen.append]

    assert world.advance(first, time_left=lambda: MINUTE) is Done.ADVANCED
    begun, ended = seen
    assert (begun.status, begun.attempt, begun.by) == (OpStatus.STARTED, 1, first.token)
    assert (begun.started_at, begun.wake_at) == (NOW, NOW + MINUTE + 5 * SECOND)
    assert (ended.status, ended.attempt, ended.started_at) == (OpStatus.DONE, 1, NOW)
    assert ended.wake_at is None
    assert world.status(run_id) is RunStatus.COMPLETED


@pytest.mark.parametrize(("timeout", "over"), [(20, 25 * SECOND), (None, MINUTE)])
def test_without_a_function_the_step_or_the_limits_say_when_an_attempt_is_over(
    timeout: float | None, over: int
) -> None:
    world = World(acting(timeout=timeout))
    world.begin(value=2)
    seen: list[OpRecord] = []
    world.store.before_put.append(seen.append)
    world.advance(world.take())

    assert seen[0].wake_at == NOW + over


def test_what_may_run_more_often_is_recorded_before_it_only_when_it_is_delivered_again() -> None:
    for receives, puts in ((1, [OpStatus.DONE]), (2, [OpStatus.STARTED, OpStatus.DONE])):
        world = World(one_step)
        world.begin(value=2)
        seen: list[OpRecord] = []
        world.store.before_put += [seen.append] * 2
        world.advance(world.take(), receives=receives)
        assert [record.status for record in seen] == puts


def test_too_little_time_left_records_no_beginning() -> None:
    world = World(acting())
    run_id = world.begin(value=2)
    with pytest.raises(OutOfTimeError):
        world.advance(world.take(), time_left=lambda: 2 * SECOND)
    assert world.records(run_id) == {}


def test_whoever_is_second_to_begin_does_not_run() -> None:
    world = World(acting())
    run_id = world.begin(value=2)
    first = world.take()
    world.store.before_put.append(lambda record: world.write(run_id, replace(record, by="rival")))

    assert world.advance(first) is Done.SUPERSEDED
    assert world.attempts == []
    assert world.records(run_id)[KEY].by == "rival"


@pytest.mark.parametrize("gone", [World.stall, World.forget])
def test_whoever_is_second_to_begin_in_a_run_that_does_not_go_on_does_nothing(
    gone: Callable[[World, str], None],
) -> None:
    world = World(acting())
    run_id = world.begin(value=2)
    first = world.take()

    def overtake(record: OpRecord) -> None:
        world.write(run_id, replace(record, by="rival"))
        world.store.before_load.append(lambda: gone(world, run_id))

    world.store.before_put.append(overtake)
    assert world.advance(first) is Done.SUPERSEDED
    assert world.attempts == []


# --- While it may be under way


def test_a_duplicate_of_a_message_at_work_waits_until_the_attempt_is_over() -> None:
    world, run_id, first = interrupted(acting())
    begun = world.records(run_id)[KEY]
    world.clock.set(NOW)

    assert world.advance(first) is Done.EARLY
    later = world.take()
    assert (later.token, later.due) == (first.token, begun.wake_at)
    assert world.records(run_id)[KEY] == begun


def test_another_message_leaves_what_was_begun_to_the_one_that_began_it() -> None:
    world, run_id, _ = interrupted(acting())
    stranger = message(run_id, MessageKind.STEP, KEY, attempt=1)

    assert world.advance(stranger) is Done.SUPERSEDED
    assert world.outbox.sent == []
    assert world.records(run_id)[KEY].status is OpStatus.STARTED


# --- Nobody to ask


def test_without_a_probe_it_stays_unknown_and_the_workflow_is_told() -> None:
    world, run_id, first = interrupted(acting())
    assert world.advance(first, receives=2) is Done.ADVANCED

    record = world.records(run_id)[KEY]
    assert (record.status, record.attempt, record.wake_at) == (OpStatus.FAILED, 1, None)
    assert record.error is not None
    assert record.error.message == (
        "attempt 1 began and left no result: its process died, or was taken for dead"
    )
    assert world.head(run_id).result is not None
    assert world.head(run_id).result.text == '"unknown after 1"'  # type: ignore[union-attr]
    assert world.attempts == [(KEY, 1)]


@pytest.mark.parametrize("named", [(StepInterrupted,), (ConnectionError, StepInterrupted)])
def test_a_policy_that_names_interruptions_tries_again(
    named: tuple[type[BaseException], ...],
) -> None:
    retry = Retry(max_attempts=2, jitter=False, retry_on=named)
    world, run_id, first = interrupted(acting(retry=retry))
    world.advance(first)

    record = world.records(run_id)[KEY]
    assert (record.status, record.attempt) == (OpStatus.RETRY, 1)
    assert record.wake_at == world.clock.now() + SECOND
    world.run()
    assert world.attempts == [(KEY, 1), (KEY, 2)]
    assert world.records(run_id)[KEY].status is OpStatus.DONE


def test_what_may_run_more_often_is_tried_again_as_after_any_error() -> None:
    definition = acting(at_most_once=False)
    world, run_id, first = interrupted(definition)
    world.advance(first, receives=3)
    assert world.records(run_id)[KEY].status is OpStatus.RETRY
    world.run()

    assert world.attempts == [(KEY, 1), (KEY, 2)]
    assert world.status(run_id) is RunStatus.COMPLETED


def test_what_dies_in_its_last_attempt_has_failed() -> None:
    world, run_id, first = interrupted(acting(at_most_once=False, retry=Retry.never()))
    world.advance(first, receives=3)

    assert world.records(run_id)[KEY].status is OpStatus.FAILED
    assert world.attempts == [(KEY, 1)]


def test_what_raises_fails_its_attempt_although_it_may_run_once_only() -> None:
    tries: list[int] = []

    def fail_once(value: int) -> int:
        tries.append(step_context().attempt)
        if len(tries) == 1:
            raise ConnectionError("no")
        return value

    world = World(acting(act=fail_once))
    run_id = world.begin(value=2)
    world.run()
    assert tries == [1, 2]
    assert world.records(run_id)[KEY].status is OpStatus.DONE


# --- The probe


def test_what_the_probe_finds_is_the_result() -> None:
    probed.clear()
    world, run_id, first = interrupted(acting(probe=found))
    world.advance(first)

    assert world.status(run_id) is RunStatus.COMPLETED
    assert world.records(run_id)[KEY].result is not None
    assert world.records(run_id)[KEY].result.text == "4"  # type: ignore[union-attr]
    assert probed == [(f"{run_id}:{KEY}", 1)]


def test_what_the_probe_says_was_not_executed_is_tried_again_at_once() -> None:
    world, run_id, first = interrupted(acting(probe=not_found))
    now = world.clock.now()
    world.advance(first)
    record = world.records(run_id)[KEY]
    assert (record.status, record.attempt, record.wake_at) == (OpStatus.RETRY, 1, now)

    again = world.take()
    assert (again.attempt, again.due) == (2, now)
    world.advance(again)
    assert world.records(run_id)[KEY].status is OpStatus.DONE


def test_what_was_not_executed_fails_when_no_attempt_is_left() -> None:
    world, run_id, first = interrupted(acting(probe=not_found, retry=Retry.never()))
    world.advance(first)

    record = world.records(run_id)[KEY]
    assert record.status is OpStatus.FAILED
    assert record.error is not None
    assert record.error.type == "StepInterrupted"


def unfit(value: int) -> object:
    """Find what cannot be recorded."""
    return f"not {value}"


@pytest.mark.parametrize("probe", [puzzled, unfit])
def test_a_probe_that_cannot_tell_records_nothing_and_is_asked_again(
    probe: Callable[[int], object],
) -> None:
    world, run_id, first = interrupted(acting(probe=probe))
    before = world.records(run_id)
    for _ in range(2):
        with pytest.raises(ProbeFailedError, match="could not find out what became of attempt 1"):
            world.advance(first)
    assert world.records(run_id) == before

    world.deploy(acting(probe=found))
    world.advance(first)
    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_probe_that_never_can_tell_stalls_the_run_and_says_so() -> None:
    world, run_id, first = interrupted(acting(probe=puzzled))

    assert world.bury(first) is Buried.STALLED
    stall = world.head(run_id).stall
    assert stall is not None
    assert "attempt 1 of act#1 began and left no result, and nobody could find out" in (
        stall.reason.message
    )


@pytest.mark.parametrize("receives", [1, 2])
def test_a_dead_letter_for_what_another_message_has_begun_is_owed_nothing(receives: int) -> None:
    world, run_id, _ = interrupted(acting(probe=puzzled))
    stranger = message(run_id, MessageKind.STEP, KEY, attempt=1)

    assert world.bury(stranger, receives) is Buried.NOTHING_OWED
    assert world.status(run_id) is RunStatus.RUNNING


def test_a_recovery_asks_for_what_was_begun_when_it_is_over() -> None:
    world, run_id, _ = interrupted(acting(probe=found))
    wake_at = world.records(run_id)[KEY].wake_at
    world.clock.set(NOW)
    world.advance(message(run_id, MessageKind.RECOVER, take=True))

    taking = world.take()
    assert (taking.kind, taking.op, taking.attempt) == (MessageKind.STEP, KEY, 1)
    assert (taking.due, taking.take) == (wake_at, True)
    world.clock.set(wake_at or 0)
    world.advance(taking)
    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_recovery_asks_also_for_what_takes_longer_than_the_queue_can_hold() -> None:
    world, run_id, _ = interrupted(acting(), limits=Limits(attempt=DAY))
    world.clock.set(NOW)
    world.advance(message(run_id, MessageKind.RECOVER, take=True))

    assert world.take().due == NOW + DAY


def test_a_zombie_does_not_replace_what_was_found_out_of_its_attempt() -> None:
    world = World(acting(probe=found, act=lambda value: value - 1))
    run_id = world.begin(value=2)
    first = world.take()

    def settle(_: OpRecord) -> None:
        world.clock.set(world.records(run_id)[KEY].wake_at or 0)
        world.advance(first)

    world.store.before_put += [lambda _: None, settle]
    assert world.advance(first) is Done.SUPERSEDED
    assert world.records(run_id)[KEY].result is not None
    assert world.records(run_id)[KEY].result.text == "4"  # type: ignore[union-attr]


def test_code_that_is_to_end_is_told_first_what_became_of_what_was_begun() -> None:
    world, run_id, first = interrupted(acting(probe=found))
    cancel(world.engine, run_id)
    world.lose()
    world.advance(first)

    assert world.records(run_id)[KEY].status is OpStatus.DONE
    assert world.status(run_id) is RunStatus.COMPLETED
