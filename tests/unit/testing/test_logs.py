"""A test sees what a run logged: each line once, with where it comes from."""

from __future__ import annotations

import logging

from everstep import Context, Retry, step, step_context, workflow
from everstep.testing import Crash, LogLine, TestEngine


@step(retry=Retry(max_attempts=2, initial_delay=0))
def stumbles() -> int:
    context = step_context()
    context.logger.warning("try %d", context.attempt)
    if context.attempt == 1:
        raise ValueError("not yet")
    return 1


@workflow
async def talkative(ctx: Context) -> None:
    ctx.logger.debug("begin")
    await ctx.step(stumbles)
    ctx.logger.info("between")
    await ctx.sleep(60)
    ctx.logger.error("end")


def test_every_line_is_seen_once_with_its_source_and_level() -> None:
    engine = TestEngine([talkative])
    run, other = engine.start(talkative), engine.start(talkative)
    engine.advance(120)
    assert run.logs == [
        LogLine(level="DEBUG", message="begin", source="workflow"),
        LogLine(level="WARNING", message="try 1", source="step", operation="stumbles#1", attempt=1),
        LogLine(level="WARNING", message="try 2", source="step", operation="stumbles#1", attempt=2),
        LogLine(level="INFO", message="between", source="workflow"),
        LogLine(level="ERROR", message="end", source="workflow"),
    ]
    assert other.logs == run.logs
    assert engine.get(run.id).logs == run.logs


@workflow
async def nested(ctx: Context) -> None:
    async def impatient(ctx: Context) -> None:
        await ctx.race(ctx.sleep(10), ctx.sleep(100))
        ctx.logger.info("raced")

    await ctx.scope("inner", impatient)
    ctx.logger.info("left")


def test_what_is_logged_between_the_ends_of_two_groups_is_logged_once() -> None:
    engine = TestEngine([nested])
    run = engine.start(nested)
    engine.advance(200)
    assert [line.message for line in run.logs] == ["raced", "left"]


def test_no_handler_is_left_behind_also_after_a_crash() -> None:
    crashed: list[int] = []

    @step
    def dies() -> None:
        if not crashed:
            crashed.append(1)
            raise Crash

    @workflow
    async def fragile(ctx: Context) -> None:
        await ctx.step(dies)

    logger = logging.getLogger("everstep.workflow")
    before = logger.handlers[:]
    engine = TestEngine([fragile])
    run = engine.start(fragile)
    engine.run_until_idle()
    assert run.status == "COMPLETED"
    assert logger.handlers == before
