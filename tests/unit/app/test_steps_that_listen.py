"""Steps that look whether their run is to end while they are at work."""

from __future__ import annotations

from typing import Any, Final

import pytest

from everstep import Context, Retry, RunCancelled, step, step_context, workflow
from everstep.app.cancel import cancel
from everstep.core.model import OpStatus, RunStatus
from everstep.testing import TestEngine

ENGINE: Final[list[TestEngine]] = []
UNDONE: Final[list[str]] = []


def call_off(run_id: str) -> None:
    """Cancel the run from outside, while its step is at work."""
    cancel(ENGINE[0]._world.inside, run_id, who="ann")


@step
def finishes() -> list[bool]:
    context = step_context()
    before = context.cancelled
    context.heartbeat()
    call_off(context.run_id)
    return [before, context.cancelled]


@step(retry=Retry.never())
def listens(times: int) -> int:
    for _ in range(times):
        step_context().heartbeat()
        call_off(step_context().run_id)
    return times


@step(at_most_once=True)
def listens_once(times: int) -> int:
    step_context().heartbeat()
    call_off(step_context().run_id)
    step_context().heartbeat()
    return times


@step
def undo(what: str) -> str:
    UNDONE.append(what)
    return what


@workflow
async def lets_it_finish(ctx: Context) -> list[bool]:
    seen = await ctx.step(finishes)
    try:
        await ctx.sleep(60)
    except RunCancelled:
        return seen
    return []


@workflow
async def listening(ctx: Context, which: str) -> int:
    async with ctx.saga() as saga:
        saga.compensate(undo, "before")
        return await ctx.step(listens_once if which == "once" else listens, 2)


def engine_of(*workflows: Any) -> TestEngine:  # noqa: ANN401 - of any types
    ENGINE[:] = [TestEngine(workflows)]
    UNDONE.clear()
    return ENGINE[0]


def test_a_step_that_does_not_stop_finishes_and_its_result_is_recorded() -> None:
    engine = engine_of(lets_it_finish)
    run = engine.start(lets_it_finish)
    engine.run_until_idle()
    assert run.result == [False, True]
    engine.verify()


@pytest.mark.parametrize("which", ["once", "again"])
def test_a_step_that_listens_stops_and_what_was_done_is_undone(which: str) -> None:
    engine = engine_of(listening)
    run = engine.start(listening, which)
    engine.run_until_idle()
    assert run.status is RunStatus.CANCELLED
    assert UNDONE == ["before"]
    first = next(iter(run.history))
    assert first.status == OpStatus.CANCELLED
    engine.verify()
