"""Where a retry goes on: every way in which a run can fail, or be ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from everstep import Context, NonRetryable, StepFailed, step, workflow
from everstep.core.errors import (
    IllegalStateError,
    RunNotFoundError,
)
from everstep.core.model import RunStatus
from everstep.testing import TestEngine
from tests.unit.testing.shop import KEYS, charge, failed, ship, shop, together


@pytest.fixture
def engine() -> TestEngine:
    KEYS.clear()
    return TestEngine([shop, together])


# --- Where a retry goes on


def test_what_other_branches_did_stays_done_and_every_failed_one_is_tried_again(
    engine: TestEngine,
) -> None:
    engine.fail("branch#1/0/double#2", NonRetryable("no"))
    engine.fail("branch#1/2/double#1", NonRetryable("no"))
    run = engine.start(together, 4)
    engine.run_until_idle()
    assert run.status is RunStatus.FAILED
    again = engine.retry(run.id)
    engine.run_until_idle()
    assert again.result == [0, 4, 8, 12]
    assert run.executions("double") + again.executions("double") <= 8 + 2
    engine.verify()


def test_only_a_run_that_failed_or_was_ended_is_retried(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    with pytest.raises(IllegalStateError, match="is RUNNING; only a run that is FAILED, CANCELLED"):
        engine.retry(run.id)
    with pytest.raises(RunNotFoundError):
        engine.retry("nobody")


@step
def refund(amount: int) -> int:
    return amount


@workflow
async def undoing(ctx: Context, amount: int) -> str:
    async with ctx.saga() as saga:
        saga.compensate(refund, await ctx.step(charge, amount))
        return await ctx.step(ship, amount)


def test_a_retry_of_a_run_that_undid_its_work_goes_on_from_what_failed() -> None:
    engine = TestEngine([undoing])
    engine.fail(ship, NonRetryable("no van"))
    run = engine.start(undoing, 7)
    engine.run_until_idle()
    assert [op.key for op in run.history] == ["charge#1", "ship#1", "refund#1"]
    again = engine.retry(run.id)
    engine.run_until_idle()
    assert again.result == "shipped for 7"
    assert [op.key for op in again.history] == ["charge#1", "ship#1"]


def test_a_cancelled_run_goes_on_where_its_code_was_told() -> None:
    engine = TestEngine([undoing, shop])
    run = engine.start(shop, 7)
    engine.run_until_idle()
    engine.cancel(run.id)
    engine.advance(timedelta(hours=1))
    assert run.status is RunStatus.CANCELLED
    again = engine.retry(run.id)
    engine.advance(timedelta(hours=1))
    assert again.status is RunStatus.COMPLETED
    assert again.executions("charge") == 0


def test_a_run_that_was_ended_at_once_goes_on_after_what_is_recorded(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.run_until_idle()
    engine.cancel(run.id, force=True)
    again = engine.retry(run.id)
    engine.advance(timedelta(hours=1))
    assert (again.status, again.executions("charge")) == (RunStatus.COMPLETED, 0)


@workflow(name="picky")
async def picky(ctx: Context, amount: int) -> str:
    await ctx.step(charge, amount)
    raise ValueError("not today")


@workflow(name="picky")
async def mended(ctx: Context, amount: int) -> str:
    await ctx.step(charge, amount)
    return "mended"


def test_a_run_that_failed_in_its_own_code_goes_on_after_what_is_recorded() -> None:
    engine = TestEngine([picky])
    run = engine.start(picky, 7)
    engine.run_until_idle()
    assert run.status is RunStatus.FAILED
    again = engine.retry(run.id)
    engine.run_until_idle()
    assert again.error is not None
    assert again.error.message == "not today"

    engine.deploy([mended])
    healed = engine.retry(again.id)
    engine.run_until_idle()
    assert (healed.result, healed.executions("charge")) == ("mended", 0)


@workflow
async def disguised(ctx: Context, amount: int) -> str:
    try:
        return await ctx.step(ship, amount)
    except StepFailed as error:
        raise LookupError("nobody ships") from error


def test_an_error_that_an_operation_led_to_is_that_operation_s() -> None:
    engine = TestEngine([disguised])
    engine.fail(ship, NonRetryable("no van"))
    run = engine.start(disguised, 7)
    engine.run_until_idle()
    again = engine.retry(run.id)
    engine.run_until_idle()
    assert again.result == "shipped for 7"


def test_a_version_that_is_not_deployed_goes_on_nowhere(engine: TestEngine) -> None:
    run_id = failed(engine)
    engine.deploy([together])
    with pytest.raises(IllegalStateError, match="is not deployed"):
        engine.retry(run_id)


@workflow(name="shop")
async def other_shop(ctx: Context, amount: int) -> str:
    return await ctx.step(ship, amount)


def test_code_that_disagrees_with_the_run_goes_on_nowhere(engine: TestEngine) -> None:
    run_id = failed(engine)
    engine.deploy([other_shop])
    with pytest.raises(IllegalStateError, match="no run can go on from"):
        engine.retry(run_id)
    with pytest.raises(IllegalStateError, match="without asking for charge#1, sleep#1"):
        engine.fork(run_id, "charge#1")
