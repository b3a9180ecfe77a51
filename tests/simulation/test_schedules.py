"""Every single fault, pairs of faults, and no fault at all, for every small workflow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep.app.engine import Limits
from everstep.core.model import OpStatus, RunStatus
from everstep.testing.simulation.deployment import START
from everstep.testing.simulation.explore import Scenario, pairs_of_faults, single_faults
from everstep.testing.simulation.faults import Meanwhile
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.scenarios import (
    MIXED,
    long_sleep,
    retries,
    rewritten,
    short_sleep,
    sleeps_first,
    three_steps,
)

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow
    from everstep.testing.simulation.explore import Plan

# Everything that the workflows record as text of this size goes through the blob store.
LIMITS: Final = Limits(inline=200)
DAY: Final = 24 * 3600 * 1000

# What a run costs without faults: messages sent, queries by executors, writes, blobs.
BUDGETS: Final = {
    "three_steps": {"queue.send": 4, "runs.put": 3},
    "retries": {"queue.send": 5, "runs.put": 4},
    "short_sleep": {"queue.send": 4, "runs.put": 3},
    # A long sleep is armed by one write, and its message is sent by the sweeper.
    "long_sleep": {"queue.send": 4, "runs.put": 4},
    # A short sleep leaves no record before its end. When nothing is recorded after the grace the
    # sweeper sends the start once more, and the second timer message finds the sleep over.
    "sleeps_first": {"queue.send": 6, "runs.put": 4},
    "long_retry": {"queue.send": 4, "runs.put": 3},
    "large_payload": {"queue.send": 3, "runs.put": 2, "blobs.put": 2},
    "fails": {"queue.send": 3, "runs.put": 2},
    "recovers": {"queue.send": 3, "runs.put": 2},
    "without_operations": {"queue.send": 1},
}
each_workflow = pytest.mark.parametrize("workflow", MIXED, ids=lambda workflow: workflow.name)


def one_run(workflow: Workflow[Any, Any]) -> Scenario:
    return Scenario(
        begin=lambda world: world.trigger(workflow.name, 1, "key"),
        workflows=MIXED,
        settings=lambda: Settings(limits=LIMITS),
    )


def outcome(world: World) -> tuple[object, ...]:
    """Return what a run has come to, apart from times, tokens and the runs' ids."""
    head, records = world.history().head, world.history().records
    operations = {
        key: (record.status, record.attempt, record.result) for key, record in records.items()
    }
    return head.status, head.result, head.error and head.error.type, operations


@each_workflow
def test_without_faults_a_run_costs_what_the_budget_says(workflow: Workflow[Any, Any]) -> None:
    world = one_run(workflow).play()

    budget = BUDGETS[workflow.name]
    received = sum(letter.receives for letter in world.queue.sent)
    assert {name: world.counts[name] for name in budget} == budget
    assert world.counts["ack"] == received == budget["queue.send"]
    assert world.counts["blobs.put"] == budget.get("blobs.put", 0)
    assert world.history().head.status is (
        RunStatus.FAILED if workflow.name == "fails" else RunStatus.COMPLETED
    )


@each_workflow
def test_one_fault_at_any_call_changes_no_outcome(workflow: Workflow[Any, Any]) -> None:
    scenario = one_run(workflow)
    expected = outcome(scenario.play())

    played = 0
    for plan, world in single_faults(scenario):
        assert outcome(world) == expected, plan
        must_not_have_been_rescued(plan, world)
        played += 1
    assert played > len(BUDGETS[workflow.name])


@pytest.mark.parametrize("workflow", [three_steps, short_sleep], ids=lambda each: each.name)
def test_two_faults_at_any_calls_change_no_outcome(workflow: Workflow[Any, Any]) -> None:
    any_two_faults(workflow)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "workflow",
    [each for each in MIXED if each not in (three_steps, short_sleep)],
    ids=lambda w: w.name,
)
def test_two_faults_at_any_calls_change_no_outcome_of_any_workflow(
    workflow: Workflow[Any, Any],
) -> None:
    any_two_faults(workflow)


def any_two_faults(workflow: Workflow[Any, Any]) -> None:
    scenario = one_run(workflow)
    expected = outcome(scenario.play())

    played = 0
    for plan, world in pairs_of_faults(scenario):
        assert outcome(world) == expected, plan
        must_not_have_been_rescued(plan, world)
        played += 1
    assert played > len(BUDGETS[workflow.name])


def must_not_have_been_rescued(plan: Plan, world: World) -> None:
    """Redelivery alone closes these windows; the watchdog is for what nobody thought of."""
    assert world.facts.recovered == 0, plan


def test_a_long_sleep_ends_within_a_sweep_and_a_redelivery_whatever_fails_once() -> None:
    for plan, world in single_faults(one_run(long_sleep)):
        late = world.time - START - 3 * DAY
        assert 0 <= late <= LIMITS.grace + 10 * 60 * 1000, plan


def test_code_that_disagrees_stalls_the_run_and_the_right_code_resumes_it_at_any_point() -> None:
    calls = one_run(three_steps).play().calls
    stalled = 0
    for call in calls:
        with World(MIXED) as world:
            world.faults = Meanwhile(call.number, partial(world.deploy, [rewritten]))
            world.trigger("three_steps", 1, "key")
            world.run()
            if "subtract#1" not in world.history().records:
                world.deploy(MIXED)
            world.check()

            if world.history().head.status is RunStatus.STALLED:
                stalled += 1
                reason = world.history().head.stall
                assert reason is not None
                assert reason.reason.type == "NonDeterminismError"
                world.resume(world.store.run_ids[0])
                world.run()
                world.check()
                assert all(count == 1 for count in world.facts.effects.values()), call

        records = world.history().records.values()
        assert world.history().head.status is RunStatus.COMPLETED, call
        assert [record.status for record in records] == [OpStatus.DONE] * 3, call
    assert stalled > len(calls) // 2


@pytest.mark.parametrize(
    "workflow", [three_steps, retries, short_sleep, long_sleep, sleeps_first], ids=lambda w: w.name
)
def test_a_version_missing_at_any_point_stalls_the_run_until_it_is_back(
    workflow: Workflow[Any, Any],
) -> None:
    expected = outcome(one_run(workflow).play())
    for call in one_run(workflow).play().calls[1:]:
        with World(MIXED, settings=Settings(limits=LIMITS)) as world:
            world.faults = Meanwhile(call.number, partial(world.deploy, []))
            world.trigger(workflow.name, 1, "key")
            world.run()
            world.deploy(MIXED)
            world.check()
            if world.history().head.status is RunStatus.STALLED:
                world.resume(world.store.run_ids[0])
                world.run()
                world.check()

        assert outcome(world) == expected, call
