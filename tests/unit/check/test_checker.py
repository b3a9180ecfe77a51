"""Checking a text: order of findings, broken text, comments that take findings back."""

from __future__ import annotations

import ast
import sys
import threading
import warnings
from unittest.mock import Mock

import pytest

from everstep.check import check_source
from everstep.check.checker import check_tree
from tests.unit.check.marks import findings

START = "import time\nfrom everstep import workflow\n@workflow\nasync def shop(ctx):\n"


def test_findings_come_by_line_and_column_and_each_once() -> None:
    source = START + "    print(time.time()), time.time()\n    time.sleep(1)\n"
    places = [(each.line, each.column, each.code) for each in check_source(source, "app.py")]
    assert places == [(5, 5, "EVS203"), (5, 11, "EVS101"), (5, 25, "EVS101"), (6, 5, "EVS301")]


def test_text_that_is_no_python_is_a_finding_with_its_line() -> None:
    (finding,) = check_source("x = 1\ndef (:\n", "app.py")
    assert (finding.path, finding.line, finding.code) == ("app.py", 2, "EVS001")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert finding.message == f"no valid Python {version}: invalid syntax"


def test_text_with_a_null_byte_is_a_finding() -> None:
    (finding,) = check_source("x = 1\0", "app.py")
    assert (finding.line, finding.code) == (1, "EVS001")


def test_text_that_cannot_be_encoded_is_a_finding() -> None:
    (finding,) = check_source("x = '\ud800'", "app.py")
    assert (finding.line, finding.code) == (1, "EVS001")
    assert finding.message.startswith("cannot be parsed: UnicodeEncodeError")


def test_text_that_is_nested_too_deeply_is_a_finding() -> None:
    (finding,) = check_source("-" * 100 * sys.getrecursionlimit() + "1", "app.py")
    assert (finding.line, finding.column, finding.code) == (1, 1, "EVS001")


@pytest.mark.parametrize(
    "deep",
    [
        "x = x" + ".filter(1)" * 200 + "\n",
        "x = 1" + " + 1" * 400 + "\n",
        "if x: pass\n" + "elif x: pass\n" * 400,
    ],
)
def test_code_in_long_chains_is_checked(deep: str) -> None:
    limit, stack = sys.getrecursionlimit(), threading.stack_size()
    assert [each.code for each in check_source(deep + START + "    time.time()", "")] == ["EVS101"]
    assert (sys.getrecursionlimit(), threading.stack_size()) == (limit, stack)


@pytest.mark.parametrize("error", [RecursionError, MemoryError])
def test_text_that_no_stack_is_large_enough_for_is_a_finding(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("everstep.check.checker.Analysis", Mock(side_effect=error))
    (finding,) = check_source("x = 1", "app.py")
    assert (finding.line, finding.code) == (1, "EVS001")
    assert finding.message == "nested too deeply for this check"
    assert check_tree(ast.parse("x = 1"), "app.py") == [finding]


def test_an_empty_text_has_no_findings() -> None:
    assert check_source("", "app.py") == []


def test_the_parsers_warnings_are_left_to_others() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check_source(r"x = '\d' is 1", "app.py") == []


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "#noqa",
        "# NOQA: evs101",
        "# noqa: EVS101",
        "# noqa:EVS101 - the clock is part of the joke",
        "# noqa: S311, EVS101",
        "# noqa: EVS203 EVS101",
        "# noqa: EVS1",
        "# noqa: EVS",
        "# because  # noqa: EVS101",
        "# noqa - all of it",
    ],
)
def test_a_comment_takes_a_finding_back(comment: str) -> None:
    assert check_source(f"{START}    time.time()  {comment}\n", "app.py") == []


@pytest.mark.parametrize("comment", ["# noqa: EVS102", "# noqa: S311", "# no, qa", "", "# EVS101"])
def test_a_comment_about_something_else_takes_nothing_back(comment: str) -> None:
    (finding,) = check_source(f"{START}    time.time()  {comment}\n", "app.py")
    assert finding.code == "EVS101"


def test_a_comment_where_a_statement_ends_takes_back_what_stands_in_it() -> None:
    body = "print(  # noqa: EVS102\n    time.time(),\n)  # noqa: EVS101\n"
    assert [each.code for each in findings(body, "import time")] == ["EVS203"]


def test_a_string_takes_nothing_back() -> None:
    body = "text = '# noqa', time.time()  # because\nmore = '\\n# noqa', time.time()\n"
    assert [each.code for each in findings(body, "import time")] == ["EVS101", "EVS101"]


def test_a_comment_on_another_line_takes_nothing_back() -> None:
    body = "# noqa\ntime.time()\n# noqa"
    assert [each.code for each in findings(body, "import time")] == ["EVS101"]


def test_columns_are_counted_in_characters() -> None:
    source = f"{START}    'é→😀', time.time()\r\n"
    assert [each.column for each in check_source(source, "app.py")] == [12]


def test_code_inside_long_strings_is_found() -> None:
    source = f'{START}    f"""\n\n{{time.time()}} {{\ntime.time()\n}}"""\n'
    assert [each.code for each in check_source(source, "app.py")] == ["EVS101", "EVS101"]


def test_lines_are_counted_as_python_counts_them() -> None:
    source = f"{START}    text = '\x0c \x1c \u2028'\n    time.time()  # noqa\n    time.time()\n"
    assert [each.line for each in check_source(source, "app.py")] == [7]
