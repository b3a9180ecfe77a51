"""A run that has cost more than it may stands still, says on what, and can go on."""

from __future__ import annotations

import pytest

from everstep import Context, step, workflow
from everstep.app.prices import total_dollars
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


def test_what_the_start_says_goes_before_what_the_workflow_says() -> None:
    engine = TestEngine([frugal])
    run = engine.start(frugal, 10, budget=MUCH)
    engine.run_until_idle()
    assert run.status is RunStatus.COMPLETED
    engine.deploy([generous])
    less = engine.start(generous, 10, budget=LITTLE)
    engine.run_until_idle()
    assert less.status is RunStatus.STALLED
    assert less.error is not None
    assert "of a budget of $0.00002000" in less.error.message


@workflow
async def goes_on(ctx: Context, rounds: int) -> int:
    """Count five, then go on as new as often as it is told to."""
    number = 0
    for _ in range(5):
        number = await ctx.step(count, number)
    if rounds:
        await ctx.continue_as_new(rounds - 1)
    return number


def test_each_run_that_goes_on_as_new_has_the_budget_anew() -> None:
    engine = TestEngine([goes_on])
    # More than each of them takes, and less than all.
    run = engine.start(goes_on, 3, budget=2 * LITTLE)
    engine.run_until_idle()
    runs = [run]
    while (successor := runs[-1].successor) is not None:
        runs.append(successor)
    costs = [total_dollars(each.cost.spent, "arm64") for each in runs]
    assert len(costs) == 4
    assert max(costs) < 2 * LITTLE < sum(costs)
    assert runs[-1].status is RunStatus.COMPLETED


def test_a_run_that_goes_on_as_new_stands_still_by_the_budget_of_the_first() -> None:
    engine = TestEngine([goes_on])
    run = engine.start(goes_on, 1, budget=LITTLE / 2)
    engine.run_until_idle()
    assert run.status is RunStatus.STALLED
    engine.resume(run.id, budget=2 * LITTLE)
    engine.run_until_idle()
    assert run.successor is not None
    assert engine.ports.runs.head(run.successor.id).budget == to_nanos(2 * LITTLE)  # type: ignore[union-attr]


@workflow
async def starts(ctx: Context, steps: int) -> int:
    """Leave the counting to a child run."""
    return await ctx.call(free, steps)


def test_a_child_run_has_the_budget_of_its_workflow_and_no_other() -> None:
    engine = TestEngine([starts, free])
    run = engine.start(starts, 10, budget=LITTLE)
    engine.run_until_idle()
    assert run.result == 10


def test_a_fork_has_the_budget_of_the_run_that_it_goes_on_from() -> None:
    engine = TestEngine([free])
    run = engine.start(free, 3, budget=MUCH)
    engine.run_until_idle()
    again = engine.fork(run.id, from_step="count#2")
    head = engine.ports.runs.head(again.id)
    assert head is not None
    assert head.budget == to_nanos(MUCH)
