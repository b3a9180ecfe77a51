"""Loggers of workflows and steps add their own fields to those that the user gives."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from everstep import Context, step, step_context, workflow
from everstep.testing import TestEngine

if TYPE_CHECKING:
    import pytest


@step
def speaks() -> None:
    step_context().logger.info("in the step", extra={"order": 7, "run_id": "forged"})


@workflow
async def talks(ctx: Context) -> None:
    ctx.logger.info("before", extra={"order": 6})
    await ctx.step(speaks)


def test_the_callers_fields_stand_beside_the_loggers_own_which_win(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    engine = TestEngine([talks])
    run = engine.start(talks)
    engine.run_until_idle()
    before, inside = (vars(record) for record in caplog.records)
    assert (before["order"], before["run_id"], before["workflow"]) == (6, run.id, "talks")
    assert (inside["order"], inside["run_id"], inside["operation"]) == (7, run.id, "speaks#1")
