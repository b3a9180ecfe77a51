"""Write the tables of docs/latency.md from the newest result: `python -m bench.latency_page`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.figures import Figures
from bench.page import markdown
from bench.virtual.assumptions import load_assumptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PAGE: Final = Path(__file__).parents[1] / "docs/latency.md"
RESULTS: Final = Path(__file__).with_name("results")
_BLOCK: Final = re.compile(r"(<!-- table: ([a-z0-9-]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
_OWN: Final = "Everstep, {name} (this model)"


def newest() -> dict[str, Any]:
    """Return the newest recorded result."""
    path = max(RESULTS.glob("????-??-??-latency.json"))
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def tables(result: Mapping[str, Any]) -> dict[str, str]:
    """Return every table of the page, by name."""
    told = load_assumptions().told
    return {
        name: markdown(Figures(title=name, columns=columns, rows=tuple(rows)))
        for name, (columns, rows) in {
            "steps": _steps(result),
            "runs": _runs(result),
            **{f"path-{place}": _path(case) for place, case in _shown(result)},
            "peers": _peers(result, told),
            "assumed": _assumed(told),
            "own": _own(result),
        }.items()
    }


def filled(text: str, result: Mapping[str, Any]) -> str:
    """Return the page with every table as it is now.

    Raises:
        KeyError: The page asks for a table that there is not.
    """
    now = tables(result)
    return _BLOCK.sub(lambda found: f"{found[1]}{now[found[2]]}{found[3]}", text)


def _shown(result: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the cases whose paths are shown, as the page calls them."""
    for case in result["cases"]:
        kind = "default" if case["steps_per_message"] == 1 else "burst"
        yield f"{kind}-{case['memory_mb']}", case


_Table = tuple[tuple[str, ...], "Sequence[tuple[str, ...]]"]


def _steps(result: Mapping[str, Any]) -> _Table:
    runs, steps = result["workload"]["w1"]
    columns = (
        "",
        f"W2, {result['workload']['w2']:,} steps in a row: p50",
        "p99",
        f"W1, {runs} runs of {steps} steps at once: p50",
        "p99",
    )
    rows = [
        (each["name"], *_both(each["w2"]["step_ms"]), *_both(each["w1"]["step_ms"]))
        for each in result["cases"]
    ]
    return columns, rows


def _runs(result: Mapping[str, Any]) -> _Table:
    naps, (runs, items) = result["workload"]["w2b"], result["workload"]["w4"]
    columns = (
        "",
        "from the start to the first step: p50",
        "p99",
        f"W2b, {naps} sleeps of a second, too late by: p50",
        "p99",
        f"W4, {items} side by side, until the run ends: p50 of {runs}",
        "p99",
    )
    rows = [
        (
            each["name"],
            *_both(each["w1"]["first_step_ms"]),
            *_both(each["w2b"]["late_ms"]),
            *_both(each["w4"]["run_ms"]),
        )
        for each in result["cases"]
    ]
    cold = result["cold"]
    rows.append((result["cold_name"], *_both(cold["first_step_ms"]), "-", "-", "-", "-"))
    return columns, rows


def _path(case: Mapping[str, Any]) -> _Table:
    path = case["w2"]["path"]
    rows = [(each["what"], f"{each['times']:.2f}", f"{each['mean_ms']:.1f}") for each in path]
    mean = case["w2"]["step_ms"]["mean"]
    return (
        ("on the way from one record to the next", "times per step", "mean ms"),
        [*rows, ("**a step**", "", f"**{mean:.1f}**")],
    )


def _peers(result: Mapping[str, Any], told: Mapping[str, Any]) -> _Table:
    own = [
        (_OWN.format(name=each["name"]), "per sequential step, median (p99)", _pair(each), "below")
        for each in result["cases"]
    ]
    others = [
        (each["name"], each["what"], each["ms"], _source(each["source"], each["date"]))
        for each in told["peers"]
    ]
    return ("", "what", "ms", "source"), [*own, *others]


def _source(where: str, date: str) -> str:
    return f"[{date}]({where})" if where.startswith("https://") else f"{where} ({date})"


def _pair(case: Mapping[str, Any]) -> str:
    p50, p99 = _both(case["w2"]["step_ms"])
    return f"{p50.removesuffix(' ms')} ({p99.removesuffix(' ms')})"


def _assumed(told: Mapping[str, Any]) -> _Table:
    named = {
        **told["calls"],
        "from the send to the handler": told["delivery"],
        "cold start": told["cold_start"],
    }
    rows = [
        (
            name,
            f"{each['p50']:g}",
            f"{each['p99']:g}",
            each["basis"],
            each["of"],
            _source(each["source"], each["date"]),
        )
        for name, each in named.items()
    ]
    return ("", "p50 ms", "p99 ms", "basis", "of", "source"), rows


def _own(result: Mapping[str, Any]) -> _Table:
    own = result["own"]
    return ("on a whole processor", "ms"), [
        ("the engine, per step", f"{own['engine_ms_per_step']:.2f}"),
        ("the AWS client, per request", f"{own['client_ms_per_request']:.2f}"),
    ]


def _both(percentiles: Mapping[str, float]) -> tuple[str, str]:
    return _ms(percentiles["p50"]), _ms(percentiles["p99"])


def _ms(millis: float) -> str:
    return f"{millis:,.0f} ms"


def main() -> None:
    """Renew the page."""
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), newest()), encoding="utf-8")


if __name__ == "__main__":
    main()
