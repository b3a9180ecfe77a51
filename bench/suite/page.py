"""Write docs/performance.md's tables and pictures from the newest result: `-m bench.suite.page`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from bench.page import markdown
from bench.suite import charts, results, tables

Data = dict[str, Any]

PAGE: Final = Path(__file__).parents[2] / "docs/performance.md"
PICTURES: Final = PAGE.with_suffix("")
RESULTS: Final = Path(__file__).parents[1] / "results"
_BLOCK: Final = re.compile(r"(<!-- bench: ([a-z-]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def result() -> Data:
    """Return the newest result.

    Raises:
        FileNotFoundError: There is none.
    """
    found: Data = json.loads(results.newest(RESULTS).read_text(encoding="utf-8"))
    return found


def filled(text: str, found: Data) -> str:
    """Return the page with every table and the machine as a result says.

    Raises:
        KeyError: The page asks for a table that there is not.
    """
    made = {name: markdown(each) for name, each in tables.all_of(found).items()}
    made["machine"] = machine(found)
    return _BLOCK.sub(lambda block: f"{block[1]}{made[block[2]]}{block[3]}", text)


def machine(found: Data) -> str:
    """Return what a result was measured on, as a sentence."""
    facts = found["machine"]
    small = " **Small sizes, on a busy machine: to show the tables, not to compare.**"
    return (
        f"Measured on {found['date']} by `{found['command']}`: {facts['cores']} processors "
        f"({facts['cpu']}), {facts['memory_gb']} GB, {facts['system']}, Python {facts['python']}; "
        f"{facts['load']:.2f} processes wanted to run when it began; it took "
        f"{found['minutes']:.0f} minutes{_sittings(found)}.{small if found['quick'] else ''}\n"
    )


def _sittings(found: Data) -> str:
    """Say that a result was interrupted and gone on with."""
    count = found.get("sittings", 1)
    return f", in {count} sittings" if count > 1 else ""


def main() -> None:
    """Renew the page and its pictures."""
    found = result()
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")
    PICTURES.mkdir(exist_ok=True)
    for name, picture in charts.all_of(found).items():
        (PICTURES / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
