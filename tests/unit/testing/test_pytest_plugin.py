"""The pytest plugin, seen from test files of its users."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import parse

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


MISNOT_TAKEN: Final = """
import pytest
from everstep import Context, workflow

async def campaign(ctx: Context) -> None:
    pass

@workflow
async def right(ctx: Context) -> None:
    pass

@pytest.mark.everstep(right)
def test_right(everstep_engine):
    pass

"""
MISUSED: Final = """
import pytest
from everstep import Context, step, workflow

@step
def act() -> None:
    pass

def plain() -> None:
    pass

@workflow
async def buy(ctx: Context) -> None:
    pass
"""
MISUSED_TEST: Final = """
@pytest.mark.everstep({arguments})
def test_misused_{number}(everstep_engine):
    pass
"""
NOT_TAKEN: Final = {
    "buy, plain": "takes workflows, not <function plain *>; is @workflow missing?",
    "[buy]": "takes workflows, not [[]*[]]; is @workflow missing?",
    "'buy'": "takes workflows, not 'buy'; is @workflow missing?",
    "buy, act": "takes workflows, not *; is @workflow missing?",
    "buy, bogus=3": "takes limits= and verify=, not bogus=",
    "buy, limits=3": "takes everstep.testing.Limits as limits=, not 3",
    "buy, verify='no'": "takes verify=True or verify=False, not 'no'",
}
TWO_MARKERS: Final = """
import pytest
from everstep import Context, workflow
from everstep.testing import Limits

@workflow
async def buy(ctx: Context) -> None:
    pass

@workflow
async def sell(ctx: Context) -> None:
    pass

@pytest.mark.everstep(buy, limits=Limits())
class TestShop:
    def test_of_the_class(self, everstep_engine):
        assert everstep_engine.start(buy).id

    @pytest.mark.everstep(sell)
    def test_of_the_function(self, everstep_engine):
        assert everstep_engine.start(sell).id
        with pytest.raises(Exception, match="buy"):
            everstep_engine.start(buy)
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
    done.assert_outcomes(failed=1)
    told = [line for line in done.outlines if line.startswith("after the test: history replays: ")]
    assert len(told) == 1
    assert "mail#1 was recorded with" in told[0]
    assert "ViolationError" not in done.stdout.str()


def test_a_test_that_failed_is_not_told_off_twice(pytester: pytest.Pytester) -> None:
    failing = DRIFTS.format(options="") + "    assert everstep_engine is None\n"
    pytester.makepyfile(test_drifts=failing)
    run_pytest(pytester).assert_outcomes(failed=1)


def test_the_marker_can_leave_that_check_out(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_drifts=DRIFTS.format(options=", verify=False"))
    run_pytest(pytester).assert_outcomes(passed=1)


def test_a_violation_makes_an_expected_failure_and_nothing_else(pytester: pytest.Pytester) -> None:
    expected = DRIFTS.format(options="").replace(
        "@pytest", "@pytest.mark.xfail(strict=True)\n@pytest"
    )
    pytester.makepyfile(test_drifts=expected)
    run_pytest(pytester).assert_outcomes(xfailed=1)


def test_a_violation_is_no_second_outcome_of_a_test_that_fails_as_expected(
    pytester: pytest.Pytester,
) -> None:
    expected = DRIFTS.format(options="").replace(
        "@pytest", "@pytest.mark.xfail(strict=True)\n@pytest"
    )
    pytester.makepyfile(test_drifts=expected + "    assert everstep_engine is None\n")
    run_pytest(pytester).assert_outcomes(xfailed=1)


# --- The marker


@pytest.mark.parametrize(
    "test",
    [
        "@pytest.mark.everstep(campaign)\ndef test_it(everstep_engine): pass",
        "@pytest.mark.everstep(campaign)\nclass TestIt: pass",
        "class TestIt:\n    @pytest.mark.everstep(campaign)\n    def test_it(self): pass",
    ],
    ids=["function", "class", "method"],
)
def test_a_test_marked_with_what_is_no_workflow_does_not_vanish(
    pytester: pytest.Pytester, test: str
) -> None:
    pytester.makepyfile(test_mistaken=MISNOT_TAKEN + test)
    done = run_pytest(pytester)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["campaign is no workflow*Is @workflow missing at campaign[?]"])


def test_it_does_not_vanish_either_where_the_function_is_in_another_module(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(flows_of_others="async def campaign(ctx): pass")
    pytester.makepyfile(
        test_mistaken="""
        import pytest, flows_of_others

        @pytest.mark.everstep(flows_of_others.campaign)
        def test_it(everstep_engine):
            pass
        """
    )
    done = run_pytest(pytester)
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["campaign is no workflow*"])


def test_functions_with_marks_of_others_and_marked_tests_are_left_alone(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.skip
        def helper():
            pass

        @pytest.mark.everstep
        def test_without_workflows(everstep_engine):
            pass
        """
    )
    run_pytest(pytester).assert_outcomes(passed=1)


def test_what_the_marker_does_not_take_is_told(pytester: pytest.Pytester) -> None:
    tests = [
        MISUSED_TEST.format(arguments=arguments, number=n) for n, arguments in enumerate(NOT_TAKEN)
    ]
    pytester.makepyfile(test_misused=MISUSED + "".join(tests))
    done = run_pytest(pytester)
    done.assert_outcomes(errors=len(NOT_TAKEN))
    done.stdout.fnmatch_lines([f"@pytest.mark.everstep {told}" for told in NOT_TAKEN.values()])
    done.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_the_marker_of_a_function_replaces_that_of_its_class(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_two=TWO_MARKERS)
    run_pytest(pytester).assert_outcomes(passed=2)


# --- The check


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


def test_a_distributed_run_says_the_same(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_doubled=PASSES)
    done = pytester.runpytest_subprocess("-n", "2", "--everstep-check", "nope")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*--everstep-check: 'nope' is neither*"])
    done.stdout.no_fnmatch_line("*INTERNALERROR*")


def test_a_file_that_several_targets_name_is_checked_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(orders=WRONG)
    targets = ["--everstep-check=.", "--everstep-check=orders", "--everstep-check=orders.py"]
    run_pytest(pytester, *targets).assert_outcomes(failed=1)


def test_checks_have_names_of_their_own_and_can_be_selected(pytester: pytest.Pytester) -> None:
    for name in ("a", "b"):
        folder = pytester.mkdir(name)
        (folder / "orders.py").write_text("import uuid", encoding="utf-8")
    done = run_pytest(pytester, "-vv", "--everstep-check", ".", "--junitxml=report.xml")
    done.assert_outcomes(passed=2)
    done.stdout.fnmatch_lines(
        ["a/orders.py::everstep PASSED*", "b/orders.py::everstep PASSED*"], consecutive=True
    )
    cases = parse(pytester.path / "report.xml").iter("testcase")  # noqa: S314 - pytest's own
    told = [(each.get("classname"), each.get("name")) for each in cases]
    assert told == [("a.orders", "everstep"), ("b.orders", "everstep")]

    only = run_pytest(pytester, "-vv", "--everstep-check", ".", "b/orders.py::everstep")
    only.assert_outcomes(passed=1)
    only.stdout.fnmatch_lines(["b/orders.py::everstep PASSED*"])

    left_out = run_pytest(pytester, "--everstep-check", ".", "-k", "not everstep")
    left_out.assert_outcomes(deselected=2)


def test_files_outside_the_folders_of_tests_are_checked_as_well(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("tests")
    (folder / "test_doubled.py").write_text(PASSES, encoding="utf-8")
    pytester.makepyfile(orders=WRONG)
    done = run_pytest(pytester, "tests", "--everstep-check", "orders.py", "--everstep-check=tests")
    done.assert_outcomes(passed=3, failed=1)
    done.stdout.fnmatch_lines(["FAILED orders.py::everstep - *"])
