"""Write the tables of docs/cost.md and the README from the results: `python -m bench.page`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench import figures
from bench.prices import load_prices

if TYPE_CHECKING:
    from bench.figures import Figures

PAGE: Final = Path(__file__).parents[1] / "docs/cost.md"
README: Final = Path(__file__).parents[1] / "README.md"
RESULTS: Final = Path(__file__).with_name("results")
_BLOCK: Final = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def results() -> dict[str, dict[str, Any]]:
    """Return the newest recorded result of each kind, by what follows the date in its name."""
    newest: dict[str, dict[str, Any]] = {}
    for path in sorted(RESULTS.glob("????-??-??-load*.json")):
        newest[path.stem[len("2026-01-01-") :]] = json.loads(path.read_text(encoding="utf-8"))
    return newest


def tables() -> dict[str, str]:
    """Return every table that the page shows, by name."""
    recorded = results()
    prices = load_prices()
    usual = recorded["load"]
    measured = {
        each["plan"]["steps"]: each["counted"]["step"]["read_units"]
        for each in recorded.values()
        if each["plan"]["result_bytes"] == 0
    }
    return {
        name: markdown(each)
        for name, each in {
            "step": figures.dollars(usual, prices, recorded["load-batch-10"]),
            "counted": figures.counted(usual),
            "peers": figures.peers(usual, prices),
            "run": figures.run_dollars(usual, prices),
            "history": figures.history(usual, prices, measured),
            "payloads": figures.payloads(usual, prices),
            "large": figures.loads(recorded, prices),
            "idle": figures.idle(usual, prices),
            "budget": figures.budget(usual),
            "functions": figures.functions(usual),
        }.items()
    }


def markdown(shown: Figures) -> str:
    """Return figures as a Markdown table."""
    rule = ["-", *("-:" for _ in shown.columns[1:])]
    rows = [shown.columns, rule, *shown.rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def filled(text: str) -> str:
    """Return the page with every table as it is now.

    Raises:
        KeyError: The page asks for a table that there is not.
    """
    now = tables()
    return _BLOCK.sub(lambda found: f"{found[1]}{now[found[2]]}{found[3]}", text)


def main() -> None:
    """Renew both pages."""
    for path in (PAGE, README):
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
