"""What holds where workflows and steps say nothing; a default that changes stops no run."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

import pytest

from everstep import Context, Retry, step, workflow
from everstep.app.engine import Limits
from everstep.app.options import StartOptions
from everstep.app.start import start
from everstep.core.model import OpStatus, RunStatus
from everstep.testing import TestEngine
from tests.unit.app.world import NOW, SECOND, World

PATIENT: Final = Retry(max_attempts=5, initial_delay=10, factor=1, jitter=False)


@step
def fails() -> None:
    raise ValueError("no")


@step(retry=Retry(max_attempts=2, initial_delay=1, jitter=False))
def fails_in_its_own_way() -> None:
    raise ValueError("no")


@step
def hangs() -> None:
    time.sleep(60)


@workflow(name="silent")
async def silent(ctx: Context) -> None:
    await ctx.step(fails)


@workflow(name="said")
async def said(ctx: Context) -> None:
    await ctx.step(fails_in_its_own_way)


@workflow(name="hanging")
async def hanging(ctx: Context) -> None:
    await ctx.step(hangs.with_options(retry=Retry.never()))


@workflow(name="waiting")
async def waiting(ctx: Context) -> None:
    await ctx.wait_for_event("never")


@workflow(name="hurried", timeout=60)
async def hurried(ctx: Context) -> None:
    await ctx.wait_for_event("never")


@workflow(name="parent")
async def parent(ctx: Context) -> None:
    await ctx.call(waiting)


def test_a_step_that_says_nothing_is_tried_as_the_deployment_says() -> None:
    engine = TestEngine([silent, said], limits=Limits(retry=PATIENT))
    run, own = engine.start(silent), engine.start(said)
    engine.run_until_idle()
    (waits,) = run.history
    assert (waits.status, waits.attempt) == ("RETRY", 1)
    engine.advance(9)
    assert (run.executions("fails"), own.executions("fails_in_its_own_way")) == (1, 2)
    assert own.status == RunStatus.FAILED
    engine.advance(31)
    assert (run.status, run.executions("fails")) == (RunStatus.FAILED, 5)


@pytest.mark.parametrize(
    ("later", "status"), [(Retry.never(), OpStatus.FAILED), (PATIENT, OpStatus.RETRY)]
)
def test_another_default_matters_to_the_attempts_to_come_and_stalls_nothing(
    later: Retry, status: OpStatus
) -> None:
    world = World(silent, limits=Limits(retry=Retry(max_attempts=4, jitter=False)))
    run_id = world.begin("silent", None)
    world.advance(world.take())
    before = world.records(run_id)["fails#1"]
    assert (before.status, before.wake_at) == (OpStatus.RETRY, NOW + SECOND)

    world.engine = replace(world.engine, limits=Limits(retry=later))
    world.clock.set(NOW + SECOND)
    world.advance(world.take())
    after = world.records(run_id)["fails#1"]
    assert (after.status, after.attempt) == (status, 2)
    assert after.input_hash == before.input_hash
    assert world.head(run_id).status is not RunStatus.STALLED


def test_a_step_that_says_no_time_out_has_the_deployment_s() -> None:
    world = World(hanging, limits=Limits(step_timeout=50))
    run_id = world.begin("hanging", None)
    world.run()
    error = world.records(run_id)["hangs#1"].error
    assert error is not None
    assert error.type == "StepTimeout"


def test_a_run_whose_workflow_and_start_say_no_time_out_has_the_deployment_s() -> None:
    world = World(waiting, hurried, limits=Limits(run_timeout=3600 * SECOND))

    def deadline(name: str, timeout: float | None = None) -> int | None:
        accepted = start(world.engine, name, None, StartOptions(timeout=timeout))
        return world.head(accepted.run_id).deadline

    assert deadline("waiting") == NOW + 3600 * SECOND
    assert deadline("hurried") == NOW + 60 * SECOND
    assert deadline("hurried", 90) == NOW + 90 * SECOND


def test_a_child_run_has_it_too() -> None:
    engine = TestEngine([parent, waiting], limits=Limits(run_timeout=100 * SECOND))
    run = engine.start(parent)
    engine.advance(50)
    (child,) = (each for each in engine.ports.lists.every() if each.run_id != run.id)
    head = engine.ports.runs.head(child.run_id)
    assert head is not None
    assert head.deadline == head.created_at + 100 * SECOND
