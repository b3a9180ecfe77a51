"""What was promised before anything was measured, and what the measurements say to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.figures import Figures, log_dollars
from bench.long_runs import BATCHES
from bench.prices import ASSUMED_MS, Assumption, bill, load_prices
from bench.suite.plan import MEMORY
from bench.suite.results import figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Data = dict[str, Any]

_RESULTS: Final = Path(__file__).parents[1] / "results"
_LONG: Final = 1_000
_MEMORY_MB: Final = 256
_BATCH: Final = 10
_AWS: Final = "aws-durable"
_MILLIS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One promise.

    Attributes:
        what: What was promised, and of what it is said.
        allowed: The most that it may be.
        found: What it is; None if it was not measured.
    """

    what: str
    allowed: float
    found: float | None

    @property
    def verdict(self) -> str:
        """Say whether it is kept."""
        if self.found is None:
            return "-"
        return "PASS" if self.found <= self.allowed else "FAIL"


def table(result: Data) -> Figures:
    """Return every promise with its verdict."""
    rows = tuple(
        (
            each.what,
            f"{each.allowed:g}",
            "not measured" if each.found is None else f"{each.found:.3g}",
            each.verdict,
        )
        for each in of(result)
    )
    return Figures(title="Targets", columns=("", "at most", "measured", ""), rows=rows)


def of(result: Data) -> Iterator[Target]:
    """Yield every promise with what a result says to it."""
    yield from _per_step(result["counted"])
    yield Target(
        what="dollars per million steps, batches of 10, 256 MB", allowed=1.6, found=price()
    )
    yield from _growth(result)
    yield from _processor(result)
    cold = result["cold_start"].get("functions", {}).get("step_executor", {})
    yield Target(
        what="cold import of the step executor as built, processor ms",
        allowed=300,
        found=cold.get("cpu_ms"),
    )
    for batch in BATCHES:
        handed_over = [each for each in result["counted"]["fan"] if each["batch"] == batch]
        how = "messages one by one" if batch == 1 else f"messages in batches of {batch}"
        yield Target(
            what=f"map of 1,000, {how}: requests per item",
            allowed=3,
            found=_at(handed_over, "items", "requests_per_item"),
        )


def price() -> float | None:
    """Return the dollars of a million steps with their log lines, after the newest such load."""
    loads = sorted(_RESULTS.glob(f"????-??-??-load-batch-{_BATCH}.json"))
    if not loads:
        return None
    load, prices = json.loads(loads[-1].read_text(encoding="utf-8")), load_prices()
    assumed = Assumption(memory_mb=_MEMORY_MB, billed_ms=ASSUMED_MS[_MEMORY_MB], batch=_BATCH)
    return bill(prices, load["counted"]["step"], assumed).total + log_dollars(load, prices)


def _per_step(counted: Data) -> Iterator[Target]:
    step = counted["step"]
    found = {
        "queries": sum(step.get(name, 0) for name in ("query", "get_item", "batch_get_item")),
        "write units": step["write_units"],
        "sends": step["sends"],
    }
    for name, count in found.items():
        yield Target(what=f"a step of a sequence: {name}", allowed=1, found=count)


def _growth(result: Data) -> Iterator[Target]:
    kept = [each for each in result["counted"]["late"] if each["kept"]]
    first, last = kept[0]["read_units"], kept[-1]["read_units"]
    at = f"{kept[-1]['after']:,} : {kept[0]['after']:,}"
    yield Target(what=f"growth of read units, {at}", allowed=1.2, found=last / first)
    for each in result["engines"]:
        if each["name"].startswith("everstep"):
            grown = _full(result, each["name"], "W2", "growth")
            if grown is not None:
                what = f"growth of a step's time, late : early, {each['title']}"
                yield Target(what=what, allowed=1.2, found=grown)


def _processor(result: Data) -> Iterator[Target]:
    cpu = result["cpu"]
    for name, ms in cpu["step_ms"].items():
        what = f"processor ms per step, engine by itself, {name}"
        yield Target(what=what, allowed=0.5, found=ms)
    for workload in ("W1", "W2"):
        own = _full(result, MEMORY, workload, "cpu_ms_per_step")
        peer = _full(result, _AWS, workload, "cpu_ms_per_step")
        speed = _full(result, _AWS, workload, "steps_per_second")
        yield Target(
            what=f"processor time per step, of the AWS durable SDK's, {workload}",
            allowed=0.25,
            found=own / peer if own is not None and peer else None,
        )
        # What is published of the SDK is how long a step takes in process, waiting included.
        yield Target(
            what=f"processor time per step, of the AWS durable SDK's time in process, {workload}",
            allowed=0.25,
            found=own * speed / _MILLIS if own is not None and speed else None,
        )
    for name, replays in cpu["replay"].items():
        found = _at(replays, "operations", "total_ms")
        yield Target(what=f"replay of 1,000 operations, ms, {name}", allowed=20, found=found)


def _full(result: Data, engine: str, workload: str, name: str) -> float | None:
    """Return a figure of a workload of full size: small ones say nothing to a promise."""
    return None if result["quick"] else figure(result, engine, workload, name)


def _at(rows: list[Mapping[str, float]], by: str, name: str) -> float | None:
    """Return what the row about a thousand says; a group of a thousand is an operation more."""
    long = range(_LONG, _LONG + _LONG // 100)
    return next((float(row[name]) for row in rows if row[by] in long), None)
