"""The test kit: workflows in memory, in virtual time."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from everstep import Context, EverstepError, Retry, step, step_context, workflow
from everstep.app.engine import Limits
from everstep.core.errors import (
    IdempotencyConflictError,
    InvalidInputError,
    RunNotFoundError,
    UnknownWorkflowError,
)
from everstep.core.model import OpKind, RunStatus
from everstep.testing import Crash, TestEngine, ViolationError

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@step(retry=Retry(max_attempts=3, jitter=False))
def double(value: int) -> int:
    return 2 * value


@step(retry=Retry(max_attempts=3, jitter=False))
def flaky() -> int:
    attempt = step_context().attempt
    if attempt < 3:
        raise ConnectionError(f"attempt {attempt}")
    return attempt


@step
def crash_once() -> None:
    if not crashes:
        crashes.append(1)
        raise Crash


@step
def always_crash() -> None:
    raise Crash


crashes: list[int] = []


@workflow
async def doubling(ctx: Context, value: int) -> int:
    return await ctx.step(double, value)


@workflow
async def patient(ctx: Context) -> str:
    await ctx.step(double, 1)
    await ctx.sleep(DAY * 400)
    return ctx.now().isoformat()


@workflow
async def retrying(ctx: Context) -> int:
    return await ctx.step(flaky)


@workflow
async def crashing(ctx: Context) -> int:
    await ctx.step(crash_once)
    return 1


@workflow
async def doomed(ctx: Context) -> None:
    await ctx.step(always_crash)


@workflow
async def blocking(_ctx: Context) -> None:
    await asyncio.sleep(1)


def test_a_run_goes_on_until_nothing_is_left_to_do() -> None:
    engine = TestEngine([doubling])
    run = engine.start(doubling, 4)
    before = (run.status, run.result)

    engine.run_until_idle()

    assert before == (RunStatus.PENDING, None)
    assert (run.status, run.result, run.error) == (RunStatus.COMPLETED, 8, None)
    assert run.executions("double") == 1
    assert run.executions("other") == 0
    assert repr(run) == f"<run {run.id} COMPLETED>"


def test_history_shows_what_is_done_what_waits_and_what_is_to_come() -> None:
    engine = TestEngine([patient])
    run = engine.start(patient)
    (scheduled,) = run.history
    assert (scheduled.key, scheduled.status, scheduled.kind) == (
        "double#1",
        "SCHEDULED",
        OpKind.STEP,
    )

    engine.run_until_idle()

    done, waiting = run.history
    assert (done.status, done.attempt, done.result) == ("DONE", 1, 2)
    assert (done.started_at, done.ended_at, done.error) == (START, START, None)
    assert (waiting.key, waiting.status) == ("sleep#1", "WAITING")
    assert waiting.wake_at == START + 400 * DAY
    assert run.status is RunStatus.SLEEPING


def test_a_short_sleep_shows_as_waiting_though_it_has_no_record() -> None:
    @workflow
    async def napping(ctx: Context) -> None:
        await ctx.sleep(60)

    engine = TestEngine([napping])
    run = engine.start(napping)
    engine.run_until_idle()

    (entry,) = run.history
    assert (entry.status, entry.wake_at) == ("WAITING", START + timedelta(minutes=1))


def test_running_until_idle_never_moves_the_clock() -> None:
    engine = TestEngine([patient])
    engine.start(patient)
    engine.run_until_idle()

    assert engine.now == START


def test_advance_fires_each_timer_at_its_own_time() -> None:
    engine = TestEngine([patient])
    run = engine.start(patient)

    engine.advance(399 * DAY)
    assert run.status is RunStatus.SLEEPING
    engine.advance(2 * DAY)

    assert run.result == (START + 400 * DAY).isoformat()
    assert engine.now == START + 401 * DAY


def test_retries_are_waited_for_in_virtual_time() -> None:
    engine = TestEngine([retrying])
    run = engine.start(retrying)
    engine.run_until_idle()
    (entry,) = run.history
    assert (entry.status, entry.attempt) == ("RETRY", 1)
    assert entry.error is not None
    assert entry.error.message == "attempt 1"

    engine.advance(3)

    assert (run.status, run.result) == (RunStatus.COMPLETED, 3)
    assert run.executions("flaky") == 3


def test_a_crash_is_followed_by_another_delivery() -> None:
    crashes.clear()
    engine = TestEngine([crashing])
    run = engine.start(crashing)
    engine.run_until_idle()

    assert run.status is RunStatus.COMPLETED
    assert run.executions("crash_once") == 2


def test_a_step_that_always_crashes_fails_when_its_attempts_are_used_up() -> None:
    engine = TestEngine([doomed])
    run = engine.start(doomed)
    engine.run_until_idle()
    # The first crash leaves no trace, the second one uses up an attempt.
    assert [(each.status, each.attempt) for each in run.history] == [("RETRY", 1)]
    engine.advance(10)

    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert run.error.type == "StepInterrupted"
    assert run.executions("always_crash") == 6


def test_code_that_cannot_go_on_stalls_its_run() -> None:
    engine = TestEngine([blocking])
    run = engine.start(blocking)
    engine.run_until_idle()

    assert run.status is RunStatus.STALLED
    assert run.error is not None
    assert run.error.type == "BlockingCallError"


def test_a_stalled_run_goes_on_with_mended_code() -> None:
    @workflow(name="blocking")
    async def mended(_ctx: Context) -> str:
        return "mended"

    engine = TestEngine([blocking])
    run = engine.start(blocking)
    engine.run_until_idle()
    engine.deploy([mended])
    engine.resume(run.id)
    engine.run_until_idle()

    assert run.status is RunStatus.COMPLETED
    assert engine.get(run.id).result == "mended"


def test_a_failed_run_says_why() -> None:
    @workflow
    async def failing(_ctx: Context) -> None:
        raise ValueError("no")

    engine = TestEngine([failing])
    run = engine.start(failing)
    engine.run_until_idle()

    assert run.status is RunStatus.FAILED
    assert run.error is not None
    assert (run.error.type, run.error.message) == ("ValueError", "no")


def test_an_idempotency_key_gives_the_same_run() -> None:
    engine = TestEngine([doubling])
    run = engine.start(doubling, 1, idempotency_key="k")

    assert engine.start(doubling, 1, idempotency_key="k").id == run.id
    with pytest.raises(IdempotencyConflictError):
        engine.start(doubling, 2, idempotency_key="k")


def test_requests_that_make_no_sense_are_refused_as_by_the_trigger() -> None:
    engine = TestEngine([doubling])

    with pytest.raises(InvalidInputError):
        engine.start(doubling, None)
    with pytest.raises(UnknownWorkflowError):
        engine.start(patient)
    with pytest.raises(RunNotFoundError):
        engine.get("nobody")


def test_a_workflow_that_never_rests_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everstep.testing.engine._RESTLESS", 50)

    @workflow
    async def restless(ctx: Context) -> None:
        while True:
            await ctx.step(double, 1)

    engine = TestEngine([restless])
    engine.start(restless)

    with pytest.raises(EverstepError, match="not idle after 50 turns: does a workflow loop"):
        engine.run_until_idle()


def test_limits_can_be_set() -> None:
    engine = TestEngine([doubling], limits=Limits(inline=0))
    run = engine.start(doubling, 4)
    engine.run_until_idle()

    assert run.result == 8


@pytest.mark.parametrize("duration", [-1, float("nan"), True])
def test_time_only_goes_forward(duration: float) -> None:
    with pytest.raises((TypeError, ValueError), match="advance"):
        TestEngine([]).advance(duration)


def test_it_works_inside_a_running_loop() -> None:
    @step
    async def patient_step() -> int:
        await asyncio.sleep(0)
        return 1

    @workflow
    async def mixed(ctx: Context) -> int:
        return await ctx.step(patient_step)

    async def main() -> int | None:
        engine = TestEngine([mixed])
        run = engine.start(mixed)
        engine.run_until_idle()
        return run.result

    assert asyncio.run(main()) == 1


@step
def book(seat: str) -> str:
    return seat


@workflow
async def drifting(ctx: Context) -> None:
    await ctx.step(book, str(uuid.uuid4()))
    await ctx.sleep(86_400)


def test_verifying_notices_code_that_asks_for_something_else_each_time() -> None:
    engine = TestEngine([drifting])
    engine.start(drifting)
    engine.run_until_idle()
    with pytest.raises(ViolationError, match=r"history replays: .* another input than today's"):
        engine.verify()
