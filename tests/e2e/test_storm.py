"""100 runs in a storm: processes are killed at random, messages doubled, and nothing is lost.

The storm is planned by a seed, which is printed: STORM_SEED repeats the plan, STORM_SECONDS and
STORM_RUNS make it larger. It happens once; each test looks at one side of what it left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.invariants import check_since
from tests.e2e.storm import checks
from tests.e2e.storm.course import storm_over
from tests.e2e.storm.effects import TellingEffectServer
from tests.e2e.storm.plan import Plan
from tests.e2e.storm.summary import summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.stack import Stack
    from tests.e2e.storm.course import Storm

# Whichever test comes first waits for the storm.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(700)]


@pytest.fixture(scope="module")
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Tell people something at once, whether output is captured or not."""
    plugins = pytestconfig.pluginmanager
    reporter, capture = plugins.get_plugin("terminalreporter"), plugins.get_plugin("capturemanager")
    assert reporter is not None
    assert capture is not None

    def write(text: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(text)

    return write


@pytest.fixture(scope="module")
def aftermath(stack: Stack, say: Callable[[str], None]) -> checks.Aftermath:
    """Let the storm pass, wait until it is quiet, and return what is left."""
    plan = Plan.read()
    say(f"STORM_SEED={plan.seed} STORM_SECONDS={plan.seconds:g} STORM_RUNS={plan.runs}")
    with TellingEffectServer() as server, storm_over(stack, plan, server) as storm:
        try:
            storm.rage()
            storm.calm()
        finally:
            effects = checks.effects_of(server.received())
            say(summary(storm, effects))
    return checks.Aftermath(storm=storm, effects=effects, histories=checks.histories_of(storm))


@pytest.fixture
def storm(aftermath: checks.Aftermath) -> Storm:
    """Return the storm that has passed."""
    return aftermath.storm


def test_it_was_a_storm_and_not_a_calm(storm: Storm) -> None:
    minutes = storm.plan.seconds / 60
    assert storm.cut_off["StepExecutor"] >= 15 * minutes
    assert storm.cut_off["Trigger"] >= 2 * minutes
    assert storm.fleet.killed_busy >= 4 * minutes
    assert storm.duplicator.copies >= 5 * minutes
    assert storm.duplicator.copies + storm.duplicator.replays >= 40 * minutes
    assert storm.client.repeats >= 1
    assert storm.witness.looks >= 50 * minutes


def test_every_idempotency_key_started_exactly_one_run(storm: Storm) -> None:
    wrong = {number: told for number, told in storm.client.told.items() if len(told) != 1}
    assert wrong == {}
    assert len(set(storm.client.started)) == storm.plan.runs


def test_every_invariant_holds_for_these_runs_and_there_are_no_others(storm: Storm) -> None:
    assert check_since(storm.engine, storm.oldest) == storm.plan.runs


def test_every_run_has_the_outcome_and_the_records_of_an_undisturbed_one(
    aftermath: checks.Aftermath,
) -> None:
    for planned in aftermath.storm.client.planned:
        checks.as_planned(aftermath, planned)


def test_steps_had_the_effects_that_their_policy_promises(aftermath: checks.Aftermath) -> None:
    made = checks.attempts_of(aftermath.histories.values())
    checks.at_least_once(made, aftermath.effects)
    checks.at_most_once(aftermath.effects)


def test_the_one_result_of_a_step_is_that_of_one_of_its_executions(
    aftermath: checks.Aftermath,
) -> None:
    for run_id in aftermath.storm.client.started:
        checks.one_of_its_executions(aftermath, run_id)


def test_nobody_ever_saw_another_result_than_the_recorded_one(
    aftermath: checks.Aftermath,
) -> None:
    checks.the_same_for_everybody(aftermath.effects)


def test_what_the_table_has_no_room_for_is_in_the_bucket(aftermath: checks.Aftermath) -> None:
    histories = aftermath.histories.values()
    large = [history for history in histories if history.head.workflow == "storm-large"]
    assert large
    for history in large:
        for payload in (history.records["enlarge#1"].result, history.head.result):
            assert payload is not None
            assert payload.ref is not None


def test_nothing_is_left_in_the_queues(storm: Storm) -> None:
    assert storm.stack.depth("QueueUrl") == 0
    assert storm.stack.depth("DeadLetterQueueUrl") == 0
