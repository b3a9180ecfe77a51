"""From the marks that steps left to figures: the same arithmetic for every engine."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from statistics import mean, median
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bench.peers.protocol import Item

Marks = dict[str, list[tuple[int, int]]]
Numbers = dict[str, float]

_NANOS_PER_MILLI: Final = 1_000_000
_HALF, _NINETY_FIVE, _NINETY_NINE = 0.5, 0.95, 0.99


class IncompleteError(Exception):
    """Steps are missing that an engine says were done."""


def read(lines: Iterable[str]) -> Marks:
    """Return run → number and nanoseconds of each step that began, in order.

    Args:
        lines: As steps wrote them; of half a line nothing is kept.
    """
    found: Marks = defaultdict(list)
    for line in lines:
        if line.endswith("\n"):
            run, number, nanos = line.split()
            found[run].append((int(number), int(nanos)))
    return dict(found)


def figures(item: Item, marks: Marks, seconds: float) -> Numbers:
    """Return what an item's marks say.

    Args:
        item: What was played.
        marks: Which steps began when.
        seconds: How long it took, or to recover.

    Raises:
        IncompleteError: Steps are missing.
    """
    _require_all(item, marks)
    if item.shape == "sequence":
        return _sequence(item, marks, seconds)
    if item.shape == "naps":
        return _naps(item, marks, seconds)
    if item.shape == "crash":
        return _crash(item, marks, seconds)
    return {"seconds": seconds, "ms_per_item": seconds * 1_000 / item.steps}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which so large a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def medians(rounds: Sequence[Mapping[str, float]]) -> Numbers:
    """Return the median of each figure over the rounds that have it."""
    names = dict.fromkeys(name for each in rounds for name in each)
    return {name: median(each[name] for each in rounds if name in each) for name in names}


def _require_all(item: Item, marks: Marks) -> None:
    per_run = item.steps + 1 if item.shape == "naps" else item.steps
    done = sum(len({number for number, _ in each}) for each in marks.values())
    if done != item.runs * per_run:
        raise IncompleteError(f"{done} of {item.runs * per_run} steps have begun")


def _gaps(marks: Marks) -> list[float]:
    return [gap for each in marks.values() for gap in _gaps_of(each)]


def _gaps_of(marks: Sequence[tuple[int, int]]) -> list[float]:
    times = [nanos for _, nanos in marks]
    return [(after - before) / _NANOS_PER_MILLI for before, after in pairwise(times)]


def _sequence(item: Item, marks: Marks, seconds: float) -> Numbers:
    gaps = _gaps(marks)
    found = {
        "seconds": seconds,
        "steps_per_second": item.runs * item.steps / seconds,
        "p50_ms": percentile(gaps, _HALF),
        "p95_ms": percentile(gaps, _NINETY_FIVE),
    }
    return found | (_growth(item.steps, gaps) if item.runs == 1 else {})


def _growth(steps: int, gaps: Sequence[float]) -> Numbers:
    """Return what a step takes at a tenth, at half and at the end of a run, and the ratio.

    Each is said of a fifth of all steps: what a machine does besides lasts for a hundred steps of
    some milliseconds, but seldom for two hundred. The ratio is that of medians.
    """
    window = max(1, steps // 5)
    parts = {
        "early": gaps[:window],
        "middle": gaps[(steps - window) // 2 : (steps + window) // 2],
        "late": gaps[-window:],
    }
    found = {f"{name}_ms": mean(part) for name, part in parts.items()}
    usual = {name: median(part) for name, part in parts.items()}
    return {
        **found,
        "growth": usual["late"] / usual["early"],
        "growth_of_means": found["late_ms"] / found["early_ms"],
    }


def _naps(item: Item, marks: Marks, seconds: float) -> Numbers:
    late = [gap - item.seconds * 1_000 for gap in _gaps(marks)]
    return {
        "seconds": seconds,
        "late_p50_ms": percentile(late, _HALF),
        "late_p95_ms": percentile(late, _NINETY_FIVE),
        "late_p99_ms": percentile(late, _NINETY_NINE),
    }


def _crash(item: Item, marks: Marks, seconds: float) -> Numbers:
    begun = Counter(number for each in marks.values() for number, _ in each)
    return {
        "again": sum(begun.values()) - len(begun),
        "finished": float(len(begun) == item.steps),
        "recovered_s": seconds,
    }
