"""Write the tables of docs/scale.md from the newest result: `python -m bench.scale_page`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.figures import Figures
from bench.page import markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

PAGE: Final = Path(__file__).parents[1] / "docs/scale.md"
RESULTS: Final = Path(__file__).with_name("results")
_BLOCK: Final = re.compile(r"(<!-- table: ([a-z-]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
_HOURS: Final = {
    "second hour of the starts": "first_hour",
    "last hour of the starts": "last_hour_of_starts",
    "an hour in which they wake": "while_they_wake",
}


def newest() -> dict[str, Any]:
    """Return the newest recorded result."""
    path = max(RESULTS.glob("????-??-??-scale.json"))
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def tables(result: Mapping[str, Any]) -> dict[str, str]:
    """Return every table of the page, by name."""
    found = (_through(result["through"]), _asleep(result), _at_once(result))
    return {each.title: markdown(each) for each in found}


def filled(text: str, result: Mapping[str, Any]) -> str:
    """Return the page with every table as it is now.

    Raises:
        KeyError: The page asks for a table that there is not.
    """
    now = tables(result)
    return _BLOCK.sub(lambda found: f"{found[1]}{now[found[2]]}{found[3]}", text)


def _through(told: Mapping[str, Any]) -> Figures:
    names = ("queries", "read", "entries", "timers", "requests")
    rows = [
        (title, *(f"{told[hour][name]:,.1f}" for name in names)) for title, hour in _HOURS.items()
    ]
    rows.append((f"{told['ended']:,} of {told['runs']:,} runs ended", *("" for _ in names)))
    columns = ("mean of a sweep", "queries", "entries read", "looked at", "woken", "requests")
    return Figures(title="through", columns=columns, rows=tuple(rows))


def _asleep(result: Mapping[str, Any]) -> Figures:
    rows = [
        (
            f"{each['runs']:,}",
            str(each["idle"]["read"]),
            str(each["idle"]["requests"]),
            str(each["due"]["read"]),
            str(each["due"]["timers"]),
            str(each["due"]["requests"]),
        )
        for each in result["asleep"]
    ]
    columns = ("runs asleep", "idle: read", "requests", "ten due: read", "woken", "requests")
    return Figures(title="asleep", columns=columns, rows=tuple(rows))


def _at_once(result: Mapping[str, Any]) -> Figures:
    told, gone = result["at_once"], result["removals"]
    rows = (
        ("runs due in one minute", f"{told['runs']:,}"),
        ("sweeps until all were woken", str(told["sweeps"])),
        ("sweeps of these that woke none", str(told["idle_sweeps"])),
        ("minutes that the last one was late", str(told["minutes_late"])),
        ("requests per timer", f"{told['requests_per_timer']:.2f}"),
        ("runs to be removed at once", f"{gone['runs']:,}"),
        ("removed in each of five sweeps", ", ".join(f"{each:,}" for each in gone["removed"])),
        ("others woken meanwhile, of 100", str(gone["timers"])),
    )
    return Figures(title="at-once", columns=("", "counted"), rows=rows)


def main() -> None:
    """Renew the page."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), newest()), encoding="utf-8")


if __name__ == "__main__":
    main()
