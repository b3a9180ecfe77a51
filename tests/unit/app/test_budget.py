"""A run that has cost more than it may stands still, says on what, and can go on."""

from __future__ import annotations

import pytest

from everstep import Context, step, workflow
from everstep.core.errors import DefinitionError, InvalidRequestError
from everstep.core.model import RunStatus
from everstep.core.spending import to_nanos
from everstep.testing import TestEngine

# Dollars: far less than ten steps take, and far more.
LITTLE, MUCH = 0.00002, 0.01


@step
def count(number: int) -> int:
    """Count one up."""
    return number + 1


async def _counts(ctx: Context, steps: int) -> int:
    """Run so many steps, one after another."""
    number = 0
    for _ in range(steps):
        number = await ctx.step(count, number)
    return number


frugal = workflow(name="counts", budget=LITTLE)(_counts)
generous = workflow(name="counts", budget=MUCH)(_counts)
free = workflow(name="counts")(_counts)


def test_a_run_that_has_cost_more_than_it_may_stands_still_and_says_on_what() -> None:
    engine = TestEngine([frugal])
    run = engine.start(frugal, 10)
    engine.run_until_idle()
    assert run.status is RunStatus.STALLED
    assert run.error is not None
    assert run.error.type == "BudgetExceeded"
    assert "of a budget of $0.00002000 (SQS $" in run.error.message
    assert f"everstep runs resume {run.id} --budget " in run.error.message
    assert 1 < run.executions("count") < 10
    engine.verify()


def test_it_goes_on_with_a_larger_budget_of_its_own() -> None:
    engine = TestEngine([frugal])
    run = engine.start(frugal, 10)
    engine.run_until_idle()
    engine.resume(run.id, budget=MUCH)
    engine.run_until_idle()
    assert (run.status, run.result, run.executions("count")) == (RunStatus.COMPLETED, 10, 10)


def test_it_stands_still_again_if_it_is_resumed_as_it_is() -> None:
    engine = TestEngine([frugal])
    run = engine.start(frugal, 10)
    engine.run_until_idle()
    done = run.executions("count")
    engine.resume(run.id)
    engine.run_until_idle()
    assert (run.status, run.executions("count")) == (RunStatus.STALLED, done)


def test_it_goes_on_once_its_workflow_is_deployed_with_a_larger_budget() -> None:
    engine = TestEngine([frugal])
    run = engine.start(frugal, 10)
    engine.run_until_idle()
    engine.deploy([generous])
    engine.resume(run.id)
    engine.run_until_idle()
    assert run.status is RunStatus.COMPLETED


@pytest.mark.parametrize("flow", [generous, free])
def test_a_run_within_its_budget_or_without_one_goes_on(flow: object) -> None:
    engine = TestEngine([flow])  # type: ignore[list-item]  # both are workflows
    run = engine.start(free, 10)
    engine.run_until_idle()
    assert run.status is RunStatus.COMPLETED


def test_a_run_that_is_to_end_is_not_held_up_by_its_budget() -> None:
    engine = TestEngine([frugal])
    run = engine.start(frugal, 10)
    engine.run_until_idle()
    engine.cancel(run.id)
    engine.run_until_idle()
    assert run.status is RunStatus.CANCELLED


@pytest.mark.parametrize("budget", [0, -1, 1e-12, float("nan"), 1e9, True, "1"])
def test_a_budget_is_dollars_above_zero(budget: object) -> None:
    with pytest.raises(DefinitionError, match="budget must be dollars above 0"):
        workflow(name="counts", budget=budget)(_counts)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="budget must be dollars"):
        to_nanos(budget)


def test_a_run_is_not_resumed_with_a_budget_that_is_none() -> None:
    engine = TestEngine([frugal])
    run = engine.start(frugal, 10)
    engine.run_until_idle()
    with pytest.raises(InvalidRequestError, match="budget must be dollars"):
        engine.resume(run.id, budget=-1)
    assert run.status is RunStatus.STALLED
