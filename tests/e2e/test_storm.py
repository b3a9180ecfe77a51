"""100 runs in a storm: processes are killed at random, messages doubled, and nothing is lost.

The storm is planned by a seed, which is printed: STORM_SEED repeats the plan, STORM_SECONDS and
STORM_RUNS make it longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.invariants import check_since
from tests.e2e.storm import checks
from tests.e2e.storm.course import storm_over
from tests.e2e.storm.plan import Plan
from tests.e2e.storm.summary import summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.stack import Stack
    from tests.examples.effects import EffectServer


@pytest.fixture
def say(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Tell people something at once, also while output is captured."""
    reporter = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    write: Callable[[str], None] = reporter.write_line if reporter is not None else print
    return write


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_storm_of_kills_and_duplicates_loses_nothing_and_repeats_no_result(
    stack: Stack, effects: EffectServer, say: Callable[[str], None]
) -> None:
    plan = Plan.read()
    say(f"STORM_SEED={plan.seed} STORM_SECONDS={plan.seconds:g} STORM_RUNS={plan.runs}")
    with storm_over(stack, plan, effects.url) as storm:
        storm.rage()
        storm.calm()
        seen = checks.counted(effects.received())
        say(summary(storm, seen))
        checks.one_run_per_key(storm.client)
        assert check_since(storm.engine, storm.oldest) == plan.runs
        histories = checks.histories_of(storm.engine, storm.client)
        for planned in storm.client.planned:
            checks.as_planned(stack, histories[planned.number], planned.case, planned.number)
        checks.large_results_are_in_the_bucket(histories.values())
        made = set().union(*(checks.attempts_of(history) for history in histories.values()))
        checks.at_least_once(made, seen)
        checks.it_was_a_storm(storm)
