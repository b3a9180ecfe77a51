"""Burst mode beside the default: what a step takes, what it costs, how long it lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bench.figures import Figures
from bench.prices import ASSUMED_MS, Assumption, bill, load_prices
from bench.suite.plan import LOCALSTACK, MEMORY
from bench.suite.results import figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Data = dict[str, Any]

_MEMORY_MB: Final = 256
_NOTHING: Final = "-"
_READS: Final = ("query", "get_item", "batch_get_item")


def table(result: Data) -> Figures:
    """Return both, line by line."""
    runs = result["counted"]["runs"]
    both = runs["default"], runs["burst"]
    rows = [
        (name, *(f"{amount:.2f}" for amount in amounts))
        for name, amounts in {
            "reads": [sum(each.get(name, 0) for name in _READS) for each in both],
            "read units": [each["read_units"] for each in both],
            "write units": [each["write_units"] for each in both],
            "sends": [each["sends"] for each in both],
            "messages": [each["messages"] for each in both],
            "dollars per million steps": [dollars(each) for each in both],
        }.items()
    ]
    columns = ("a step of a run of 100", "default", "burst")
    return Figures(title="Burst mode", columns=columns, rows=(*rows, *_timed(result)))


def dollars(step: Mapping[str, float]) -> float:
    """Return what a million steps cost, each message an invocation of its own.

    A step in a burst is taken to be billed as long as one by itself, which is too much: it is
    neither read nor replayed, and nothing is sent.
    """
    counts = {
        "write_units": step["write_units"],
        "read_units": step["read_units"],
        "sqs_requests": step["sends"],
        "index_units": {},
        "calls": {},
    }
    billed = ASSUMED_MS[_MEMORY_MB] / step["messages"]
    assumed = Assumption(memory_mb=_MEMORY_MB, billed_ms=billed)
    return bill(load_prices(), counts, assumed, messages=step["messages"]).total


def _timed(result: Data) -> Iterator[tuple[str, ...]]:
    """Yield what a step of one long run took (W2), and many runs (W1), where they were played."""
    for engine, where in ((MEMORY, "memory"), (LOCALSTACK, "LocalStack")):
        for workload, name, what in (
            ("W2", "p50_ms", "ms per step, p50, one long run"),
            ("W1", "steps_per_second", "steps/s, many runs"),
        ):
            found = [figure(result, each, workload, name) for each in (engine, f"{engine}-burst")]
            if any(each is not None for each in found):
                shown = (_NOTHING if each is None else f"{each:.3g}" for each in found)
                yield (f"{what}, {where}", *shown)
