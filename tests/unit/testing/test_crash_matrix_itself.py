"""The crash matrix gets nothing wrong itself: no violation is lost, no harmless thing is blamed."""

from __future__ import annotations

import dataclasses
import time
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from everstep import Context, step, workflow
from everstep.app import sweep
from everstep.core.invariants import ViolationError
from everstep.testing import CrashMatrixError, TestEngine, crash_matrix
from everstep.testing.simulation.deployment import Deployment
from tests.unit.testing.test_crash_matrix import (
    LEDGER,
    careful,
    careless,
    failing,
    hopeless,
    two_days,
)

if TYPE_CHECKING:
    from everstep.core.model import History
    from everstep.testing import TestRun


def test_a_violation_in_the_sweeper_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Deployment, before: History | None, after: History) -> None:
        if self._current is not None and self._current.name == "sweeper":
            raise ViolationError("made_up", "by the sweeper")
        return held(self, before, after)

    held = Deployment._hold
    monkeypatch.setattr(Deployment, "_hold", wrong)
    with pytest.raises(CrashMatrixError, match="made up: by the sweeper"):
        crash_matrix(two_days)


def test_a_bug_in_the_sweeper_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise TypeError("a bug")

    monkeypatch.setattr(sweep, "_come_back", broken)
    with pytest.raises(CrashMatrixError, match="no unexpected errors: TypeError"):
        crash_matrix(two_days)


def test_a_process_that_stands_still_under_a_script_wakes_up_when_all_is_over() -> None:
    stood: list[str] = []

    def script(engine: TestEngine, _run: TestRun[str]) -> None:
        engine.advance(timedelta(days=3))

    def check(_run: TestRun[str]) -> None:
        stood.append("x")

    report = crash_matrix(two_days, script=script, check=check)
    assert report.schedules["stands still"] > 5
    # Whoever executed the step and then stood still was taken for dead: another did it again.
    only = crash_matrix(two_days, script=script)
    assert only.executions["shaky"] > only.usual_executions["shaky"]


def test_what_a_step_raises_for_the_test_runner_reaches_it() -> None:
    @step
    def failing_test() -> None:
        pytest.fail("said by a mock")

    @workflow
    async def told(ctx: Context) -> None:
        await ctx.step(failing_test)

    engine = TestEngine([told])
    engine.start(told)
    for _ in range(2):
        with pytest.raises(pytest.fail.Exception, match="said by a mock"):
            engine.run_until_idle()


def test_a_check_that_fails_by_the_test_runners_own_means_is_a_counterexample() -> None:
    def check(run: TestRun[int]) -> None:
        if run.executions("pay") > 1:
            pytest.fail("paid twice")

    with pytest.raises(CrashMatrixError, match="paid twice"):
        crash_matrix(careless, 5, check=check)


def test_an_outcome_that_cannot_be_told_is_a_counterexample() -> None:
    def fragile(run: TestRun[int]) -> object:
        return 1 / (2 - run.executions("pay"))

    with pytest.raises(CrashMatrixError, match="ZeroDivisionError"):
        crash_matrix(careless, 5, outcome=fragile)


def test_an_async_check_is_refused() -> None:
    async def check(_run: TestRun[int]) -> None:
        pytest.fail("nobody awaits this")

    with pytest.raises(TypeError, match="check must be a plain function"):
        crash_matrix(careless, 5, check=check)


@pytest.mark.parametrize("plan", [{9999: "crash before"}, {1: "early"}, {7: "twice"}])
def test_a_plan_that_fits_no_longer_is_refused(plan: dict[int, str]) -> None:
    with pytest.raises(ValueError, match="made for other code"):
        crash_matrix(careless, 5, only=[plan])


def test_a_step_with_a_time_out_stands_still_without_harm() -> None:
    @step(timeout=0.2)
    def quick() -> int:
        return 1

    @step
    def slow() -> int:
        time.sleep(0.3)
        return 2

    @workflow
    async def mixed(ctx: Context) -> int:
        return await ctx.step(quick) + await ctx.step(slow)

    report = crash_matrix(mixed, only=[{7: "stands still"}, {8: "crash after"}])
    assert report.outcome.result == 3


def test_what_is_equal_only_as_it_is_recorded_is_one_outcome() -> None:
    @dataclasses.dataclass(eq=False)
    class Odd:
        number: float

    @step
    def odd() -> Odd:
        return Odd(1.5)

    @workflow
    async def returns_odd(ctx: Context) -> Odd:
        return await ctx.step(odd)

    @workflow
    async def addresses(_ctx: Context) -> None:
        raise ValueError(f"no good: {object()}")

    assert crash_matrix(returns_odd).outcome.status == "COMPLETED"


def test_a_failure_that_was_asked_for_comes_again_when_its_attempt_does() -> None:
    def prepare(engine: TestEngine) -> None:
        engine.fail(hopeless, ValueError)

    report = crash_matrix(failing, prepare=prepare)
    assert report.outcome.status == "FAILED"


def test_a_step_sees_what_its_test_has_set() -> None:
    tenant: ContextVar[str] = ContextVar("tenant", default="none")

    @step
    def who() -> str:
        return tenant.get()

    @workflow
    async def asks(ctx: Context) -> str:
        return await ctx.step(who)

    engine = TestEngine([asks])
    tenant.set("ada")
    run = engine.start(asks)
    engine.run_until_idle()
    assert run.result == "ada"


def test_every_answer_to_a_trigger_is_checked() -> None:
    report = crash_matrix(careful, 5, setup=LEDGER.clear, only=[{1: "twin at once"}])
    assert report.played == 1


def test_a_wrong_call_of_the_engine_raises_what_it_raises() -> None:
    with pytest.raises(TypeError, match="int"):
        TestEngine([careful]).start(careful, 5, idempotency_key=5)  # type: ignore[arg-type]
