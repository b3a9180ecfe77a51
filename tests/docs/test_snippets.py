"""The Python shown in README.md, docs/ and the examples' pages runs as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from tests.docs.snippets import SnippetError, run_page, snippets_of

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted(
    page
    for pattern in ("README.md", "docs/**/*.md", "examples/**/README.md")
    for page in ROOT.glob(pattern)
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_snippets_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    runnable = [each for each in snippets_of(page) if each.reason_not_run is None]
    assert run_page(page) == len(runnable)


def page_with(tmp_path: Path, text: str) -> Path:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_blocks_of_a_page_share_a_namespace(tmp_path: Path) -> None:
    page = page_with(tmp_path, "```python\nx = 20\n```\ntext\n```python\nassert x + 1 == 21\n```\n")
    assert run_page(page) == 2


def test_a_failing_block_is_reported_with_the_line_of_the_page(tmp_path: Path) -> None:
    page = page_with(tmp_path, "# Title\n\n```python\nx = 1\nassert x == 2\n```\n")
    with pytest.raises(AssertionError) as failure:
        run_page(page)
    last = failure.traceback[-1]
    assert (last.path, last.lineno + 1) == (page, 5)


def test_an_indented_block_in_a_list_runs(tmp_path: Path) -> None:
    page = page_with(tmp_path, "1. First\n\n   ```python\n   assert True\n   ```\n")
    assert run_page(page) == 1


def test_other_languages_and_fences_inside_fences_are_left_alone(tmp_path: Path) -> None:
    page = page_with(tmp_path, "```bash\nfalse\n```\n\n````text\n```python\n1 / 0\n```\n````\n")
    assert run_page(page) == 0


def test_a_block_with_a_reason_is_not_run(tmp_path: Path) -> None:
    page = page_with(tmp_path, "```python no-run: needs an account\n1 / 0\n```\n")
    assert run_page(page) == 0
    assert [each.reason_not_run for each in snippets_of(page)] == ["needs an account"]


@pytest.mark.parametrize("words", ["no-run", "no-run:", "norun: a reason", "skip"])
def test_a_block_cannot_be_left_out_without_a_reason(tmp_path: Path, words: str) -> None:
    page = page_with(tmp_path, f"```python {words}\nx = 1\n```\n")
    with pytest.raises(SnippetError, match=r"page\.md:1: only `no-run: <reason>`"):
        run_page(page)


def test_an_unclosed_fence_is_an_error(tmp_path: Path) -> None:
    page = page_with(tmp_path, "text\n```python\nx = 1\n")
    with pytest.raises(SnippetError, match=r"page\.md:2: this fence is never closed"):
        run_page(page)
