"""What README.md, docs/ and the examples' pages refer to is there: tests, files, headings."""

from __future__ import annotations

import ast
import re
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest

from tests.docs.snippets import prose_of
from tests.docs.test_snippets import PAGES, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TEST: Final = re.compile(r"`(test_[a-z0-9_]+)`")
_PATH: Final = re.compile(r"`((?:tests|docs|functions|localstack|examples)/[\w./-]+)`")
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#{1,6} +(.+?)\s*$")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@cache
def known_tests() -> frozenset[str]:
    """Return the name of every test function of the project."""
    return frozenset(
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def missing_tests(text: str) -> set[str]:
    """Return the tests that a page names and that do not exist."""
    return set(_TEST.findall(text)) - known_tests()


def broken_links(page: Path, text: str) -> Iterator[str]:
    """Yield the links of a page that lead to no file, or to no heading of one."""
    for link in _LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target.read_text("utf-8"))):
            yield link


def anchors_of(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = (_HEADING.match(line) for line in prose_of(text).splitlines())
    return {_anchor(found[1]) for found in headings if found}


def _anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")


@each_page
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    assert missing_tests(page.read_text(encoding="utf-8")) == set()


@each_page
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = set(_PATH.findall(prose_of(page.read_text(encoding="utf-8"))))
    assert {path for path in named if not (ROOT / path).exists()} == set()


@each_page
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    assert list(broken_links(page, prose_of(page.read_text(encoding="utf-8")))) == []


def test_a_test_that_does_not_exist_is_noticed() -> None:
    text = "`test_a_test_that_does_not_exist_is_noticed` and `test_of_nothing`"
    assert missing_tests(text) == {"test_of_nothing"}


def test_a_link_to_a_missing_file_or_heading_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here: `a` & b\n", encoding="utf-8")
    text = "[a](#here-a--b) [b](#there) [c](page.md#here-a--b) [d](none.md) [e](https://x.org/y)"
    assert list(broken_links(page, text)) == ["#there", "none.md"]


def test_code_blocks_have_no_headings_and_no_links(tmp_path: Path) -> None:
    text = "# One\n```sh\n# Two\n[x](none.md)\n```\n"
    assert anchors_of(text) == {"one"}
    assert list(broken_links(tmp_path / "page.md", prose_of(text))) == []
