"""The rules, and the page that documents them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from everstep.check import RULES, Finding

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = ROOT / "docs" / "reference" / "checks.md"


def test_the_page_has_the_table_of_the_rules() -> None:
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `EVS")
    ]
    assert rows == [
        f"| `{rule.code}` | {rule.name} | {rule.summary} | {rule.mend} |" for rule in RULES
    ]


def test_codes_and_names_are_unique_and_in_order() -> None:
    codes = [rule.code for rule in RULES]
    assert codes == sorted(set(codes))
    assert all(re.fullmatch(r"EVS\d{3}", code) for code in codes)
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_text_of_a_finding_leads_to_its_place_and_its_mend() -> None:
    finding = Finding(
        path="app.py",
        line=3,
        column=5,
        code="EVS101",
        message="time.time() reads the clock",
        mend="use ctx.now()",
    )
    assert str(finding) == "app.py:3:5: EVS101 time.time() reads the clock: use ctx.now()"
