"""What a run's code says is kept once, whoever dies and whatever is delivered twice."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

import pytest

from everstep import Context, Retry, step, step_context, workflow
from everstep.app.run_logs import LogQuery, read_logs
from everstep.authoring import capture
from everstep.core.model import RunStatus
from everstep.core.run_logs import LogLimits, LogSource
from everstep.testing.simulation.explore import Scenario, single_faults

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.testing.simulation.world import World

LOG: Final = logging.getLogger("told")


@step(retry=Retry(max_attempts=2, initial_delay=1, jitter=False))
def second_time_lucky(value: int) -> int:
    LOG.info("step %s, attempt %s", value, step_context().attempt)
    if step_context().attempt == 1:
        raise ValueError(value)
    return value


async def branch(ctx: Context, item: int) -> int:
    LOG.info("branch %s", item)
    return await ctx.step(second_time_lucky, item)


@workflow
async def tells(ctx: Context, value: int) -> int:
    LOG.info("begin")
    await ctx.step(second_time_lucky, value)
    LOG.info("between")
    await ctx.sleep(1)
    await ctx.gather(branch(ctx, 2), branch(ctx, 3))
    LOG.info("end")
    return value


SAID_BY_CODE: Final = Counter(["begin", "between", "branch 2", "branch 3", "end"])


@pytest.fixture(autouse=True)
def _heard() -> Iterator[None]:
    LOG.setLevel(logging.INFO)
    capture.install(LogLimits())
    yield
    LOG.setLevel(logging.NOTSET)


def begin(world: World) -> None:
    world.trigger("tells", 1, "key")


def said(world: World) -> tuple[Counter[str], Counter[str]]:
    """Return what workflow code has said, and what steps have."""
    run_id = world.history().head.run_id
    lines = read_logs(world.engine, run_id, LogQuery(limit=1000)).lines
    of = {
        source: Counter(each.line.message for each in lines if each.line.source is source)
        for source in LogSource
    }
    return of[LogSource.WORKFLOW], of[LogSource.STEP]


def test_whatever_goes_wrong_code_is_heard_once_and_so_is_every_attempt_that_counts() -> None:
    played = 0
    for plan, world in single_faults(Scenario(begin=begin, workflows=[tells])):
        if world.history().head.status is not RunStatus.COMPLETED:
            continue
        by_code, by_steps = said(world)
        assert by_code == SAID_BY_CODE, plan
        for number in (1, 2, 3):
            assert by_steps[f"step {number}, attempt 2"] == 1, plan
            # An attempt that died twice before it was recorded is told by nobody.
            assert by_steps[f"step {number}, attempt 1"] <= 1, plan
        played += 1
    assert played
