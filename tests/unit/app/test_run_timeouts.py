"""Runs whose time is up come to their end in time, whatever they are doing."""

from __future__ import annotations

from typing import Any, Final

import pytest

from everstep import Context, RunCancelled, step, workflow
from everstep.app.engine import Limits
from everstep.core.durations import MINUTE
from everstep.core.model import RunStatus
from everstep.testing import TestEngine

done: list[str] = []


@step
def note(text: str) -> str:
    done.append(text)
    return text


@workflow(timeout=60)
async def short(ctx: Context) -> None:
    async with ctx.saga() as saga:
        saga.compensate(note, "undone")
        await ctx.wait_for_event("never")


@workflow(timeout=1000)
async def middling(ctx: Context) -> None:
    await ctx.sleep(3600)


@workflow(timeout=86_400)
async def long(ctx: Context) -> None:
    await ctx.callback()


@workflow(timeout=60)
async def quick(ctx: Context) -> str:
    return await ctx.step(note, "done")


@workflow
async def parent(ctx: Context) -> str:
    try:
        await ctx.call(short)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return str(getattr(error, "status", error))
    return "completed"


@workflow(timeout=60)
async def stubborn(ctx: Context) -> str:
    try:
        await ctx.sleep(3600)
    except RunCancelled as error:
        await ctx.sleep(3600)
        return str(error)
    return "slept"


ALL: Final = (short, middling, long, quick, parent, stubborn)


@pytest.fixture
def engine() -> TestEngine:
    done.clear()
    return TestEngine(ALL)


@pytest.mark.parametrize(("name", "seconds"), [(short, 60), (middling, 1000), (long, 86_400)])
def test_a_run_ends_when_its_time_is_up(engine: TestEngine, name: Any, seconds: int) -> None:  # noqa: ANN401
    run = engine.start(name)
    engine.advance(seconds - 1)
    assert not run.status.terminal
    engine.advance(2)
    assert run.status == "TIMED_OUT"
    assert run.error is not None
    assert run.error.message == "the time of the run is up"


def test_a_deadline_within_a_long_grace_is_kept_too() -> None:
    limits = Limits(grace=91 * MINUTE, watchdog=1500 * MINUTE)
    engine = TestEngine(ALL, limits=limits)
    run = engine.start(middling)
    engine.advance(1001)
    assert run.status == "TIMED_OUT"


def test_what_was_done_is_undone_when_time_is_up(engine: TestEngine) -> None:
    run = engine.start(short)
    engine.advance(61)
    assert (run.status, done) == ("TIMED_OUT", ["undone"])


def test_a_run_that_ends_in_time_is_left_alone(engine: TestEngine) -> None:
    run = engine.start(quick)
    engine.advance(120)
    assert (run.status, run.result) == ("COMPLETED", "done")


def test_a_child_run_has_a_time_of_its_own(engine: TestEngine) -> None:
    run = engine.start(parent)
    engine.advance(61)
    assert run.result == "TIMED_OUT"


def test_code_that_goes_on_when_its_time_is_up_is_not_interrupted_again(
    engine: TestEngine,
) -> None:
    run = engine.start(stubborn)
    engine.advance(61)
    assert run.status == "SLEEPING"
    engine.advance(3700)
    assert (run.status, run.result) == ("COMPLETED", "the time of the run is up")


def test_time_ends_a_paused_run_when_it_is_resumed(engine: TestEngine) -> None:
    run = engine.start(short)
    engine.advance(30)
    engine.pause(run.id)
    engine.advance(1000)
    assert run.status is RunStatus.PAUSED
    engine.resume(run.id)
    engine.run_until_idle()
    assert (run.status, done) == ("TIMED_OUT", ["undone"])


def test_a_deadline_that_is_far_when_the_run_is_resumed_is_kept(engine: TestEngine) -> None:
    run = engine.start(long)
    engine.advance(30)
    engine.pause(run.id)
    engine.resume(run.id)
    engine.advance(86_400 - 31)
    assert run.status == "WAITING"
    engine.advance(2)
    assert run.status == "TIMED_OUT"
