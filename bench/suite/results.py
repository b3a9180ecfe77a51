"""From what was played to plain data, which is written down and never changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.suite import marks
from bench.suite.facts import scrubbed
from bench.suite.plan import as_data, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bench.peers.protocol import Item
    from bench.suite.children import Played
    from bench.suite.engines import Engine

Data = dict[str, Any]

_DIGITS: Final = 4
# What a run is given, or where; not what a workload is.
_NOT_SIZES: Final = ("number", "workload", "marks", "again")


@dataclass(slots=True, kw_only=True)
class _Workload:
    """What came of one workload."""

    item: Item
    rounds: list[marks.Numbers] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def as_data(self) -> Data:
        sizes = {
            name: value for name, value in as_data(self.item).items() if name not in _NOT_SIZES
        }
        if not self.rounds:
            return {"size": sizes, "reason": self.reasons[0]}
        middle = marks.medians(self.rounds)
        return {
            "size": sizes,
            "rounds": len(self.rounds),
            "figures": {name: round(value, _DIGITS) for name, value in middle.items()},
        }


def of_engine(
    engine: Engine, versions: dict[str, str], load: float, played: Iterable[Played]
) -> Data:
    """Return what came of everything that an engine played."""
    return {
        **_about(engine),
        "versions": versions,
        "load_before": load,
        "workloads": {name: each.as_data() for name, each in _workloads(played).items()},
    }


def without(engine: Engine, reason: str) -> Data:
    """Return why there is nothing of an engine."""
    return {**_about(engine), "reason": scrubbed(reason)}


def figure(results: Data, engine: str, workload: str, name: str) -> float | None:
    """Return one figure of one engine; None if there is none."""
    for each in results["engines"]:
        if each["name"] == engine:
            found = each.get("workloads", {}).get(workload, {}).get("figures", {}).get(name)
            return None if found is None else float(found)
    return None


def newest(folder: Path) -> Path:
    """Return the newest result in a folder.

    Raises:
        FileNotFoundError: There is none.
    """
    found = sorted(folder.glob("????-??-??-bench.json"))
    if not found:
        raise FileNotFoundError("no result of `make bench`")
    return found[-1]


def _about(engine: Engine) -> Data:
    return {
        "name": engine.name,
        "title": engine.title,
        "keeps": engine.keeps,
        "baseline": engine.baseline,
    }


def _workloads(played: Iterable[Played]) -> dict[str, _Workload]:
    found: dict[str, _Workload] = {}
    for each in played:
        workload = found.setdefault(name_of(each.item), _Workload(item=each.item))
        try:
            workload.rounds.append(_figures(each))
        except marks.IncompleteError as error:
            workload.reasons.append(scrubbed(str(error)))
    return found


def _figures(played: Played) -> marks.Numbers:
    if played.reason:
        raise marks.IncompleteError(played.reason)
    item = played.item
    found = marks.figures(item, marks.read(_lines(item)), played.seconds)
    more = {
        "cpu_ms_per_step": _per_step(played),
        "asleep_mb": played.asleep_mb,
        "asleep_cpu": played.asleep_cpu,
    }
    return found | {name: value for name, value in more.items() if value is not None}


def _per_step(played: Played) -> float | None:
    if played.cpu is None:
        return None
    item = played.item
    steps = item.runs * (item.steps + (item.shape == "naps"))
    return played.cpu * 1_000 / steps


def _lines(item: Item) -> Sequence[str]:
    path = Path(item.marks)
    if not path.exists():
        return ()
    return path.read_text(encoding="utf-8").splitlines(keepends=True)
