"""The pytest plugin, seen from test files of its users."""

from __future__ import annotations

from typing import Final

import pytest

PASSES: Final = """
import pytest
from everstep import Context, step, workflow

@step
def double(number: int) -> int:
    return 2 * number

@workflow
async def doubled(ctx: Context, number: int) -> int:
    return await ctx.step(double, number)

@pytest.mark.everstep(doubled)
def test_it_runs(everstep_engine):
    run = everstep_engine.start(doubled, 21)
    everstep_engine.run_until_idle()
    assert run.result == 42

def test_without_a_marker_nothing_is_deployed(everstep_engine):
    everstep_engine.deploy([doubled])
    assert everstep_engine.start(doubled, 1).status == "PENDING"
"""
DRIFTS: Final = '''
import pytest
from everstep import Context, step, workflow

passes = []

@step
def mail(to: str) -> None:
    """Do nothing."""

@workflow
async def reminder(ctx: Context) -> None:
    passes.append(len(passes))
    await ctx.step(mail, "ada" if len(passes) < 3 else "bob")
    await ctx.sleep(60)

@pytest.mark.everstep(reminder{options})
def test_it_sleeps(everstep_engine):
    everstep_engine.start(reminder)
    everstep_engine.run_until_idle()
'''
WRONG: Final = """
import uuid
from everstep import Context, workflow

@workflow
async def order(ctx: Context) -> str:
    return str(uuid.uuid4())
"""


def run_pytest(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest as a user does, with nothing of this project's configuration."""
    return pytester.runpytest_inprocess("-q", "--strict-markers", "-p", "no:randomly", *arguments)


def test_a_test_gets_an_engine_with_the_workflows_of_its_marker(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_doubled=PASSES)
    done = run_pytest(pytester)
    done.assert_outcomes(passed=2)


def test_a_run_that_does_not_replay_fails_its_test_afterwards(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_drifts=DRIFTS.format(options=""))
    done = run_pytest(pytester)
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(["*after the test: history replays: *mail#1 was recorded with*"])


def test_a_test_that_failed_is_not_told_off_twice(pytester: pytest.Pytester) -> None:
    failing = DRIFTS.format(options="") + "    assert everstep_engine is None\n"
    pytester.makepyfile(test_drifts=failing)
    run_pytest(pytester).assert_outcomes(failed=1)


def test_the_marker_can_leave_that_check_out(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_drifts=DRIFTS.format(options=", verify=False"))
    run_pytest(pytester).assert_outcomes(passed=1)


def test_files_with_determinism_mistakes_are_failing_items(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(orders=WRONG, fine="import uuid")
    done = run_pytest(pytester, "--everstep-check", ".")
    done.assert_outcomes(failed=1, passed=1)
    done.stdout.fnmatch_lines(["*orders.py:6:*ctx.uuid()*"])
    done.stdout.no_fnmatch_line("*Traceback*")


def test_a_target_that_does_not_exist_is_a_usage_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_doubled=PASSES)
    done = run_pytest(pytester, "--everstep-check", "no.such.module")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*no.such.module*"])
