"""docs/cost.md shows what the recorded results and the prices say, and nothing older."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from bench import page
from bench.prices import ASSUMED_MS, load_prices

if TYPE_CHECKING:
    from pathlib import Path

TEXT: Final = page.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [page.PAGE, page.README], ids=lambda path: path.name)
def test_the_tables_are_those_of_the_results_and_the_prices(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert page.filled(text) == text


def test_every_table_is_shown_once() -> None:
    shown = re.findall(r"<!-- table: ([a-z-]+) -->", TEXT)
    assert sorted(shown) == sorted(page.tables())


def test_a_change_of_a_price_changes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    prices = load_prices()
    prices["sqs"]["per_million_requests"] = 4.0
    monkeypatch.setattr(page, "load_prices", lambda: prices)
    assert page.filled(TEXT) != TEXT


def test_a_table_that_there_is_not_is_refused() -> None:
    with pytest.raises(KeyError, match="another"):
        page.filled("<!-- table: another -->\n<!-- end -->\n")


def test_the_assumed_times_are_those_that_the_text_names() -> None:
    for memory, billed in ASSUMED_MS.items():
        assert f"{billed:g} ms" in TEXT
        assert f"at {memory} MB" in TEXT


def test_the_result_that_the_page_rests_on_kept_the_budget_at_full_load() -> None:
    usual = page.results()["load"]
    assert usual["plan"] == {"runs": 200, "steps": 10, "result_bytes": 0}
    assert usual["stack"]["executors"] == 8
    assert [line["what"] for line in usual["budget"] if not line["kept"]] == []
