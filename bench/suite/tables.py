"""A result as tables of text: what the terminal and docs/performance.md show alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bench.figures import Figures
from bench.long_runs import AT_A_TIME
from bench.suite import burst, results, targets

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Data = dict[str, Any]

_NOTHING: Final = "-"
_PEER_DIGITS: Final = 3
_SIDE_BY_SIDE: Final = {"fan": "side by side", "lanes": f"in {AT_A_TIME} lanes"}


def all_of(result: Data) -> dict[str, Figures]:
    """Return every table, by the name that the page asks for it."""
    return {
        "engines": engines(result),
        "many": many(result),
        "long": long(result),
        "sleeps": sleeps(result),
        "beside": beside(result),
        "crash": crash(result),
        "missing": missing(result),
        "alone": alone(result),
        "burst": burst.table(result),
        "targets": targets.table(result),
    }


def engines(result: Data) -> Figures:
    """Return what was measured, and what was not and why."""
    rows = [
        (
            _title(each),
            ", ".join(f"{name} {version}" for name, version in each.get("versions", {}).items())
            or _NOTHING,
            each["keeps"],
            _title_of(result, each["baseline"]),
            f"{each['load_before']:.2f}" if "load_before" in each else _NOTHING,
            each.get("reason", "yes"),
        )
        for each in result["engines"]
    ]
    columns = ("engine", "version", "keeps its state", "compared with", "load before", "measured")
    return Figures(title="What was measured", columns=columns, rows=tuple(rows))


def many(result: Data) -> Figures:
    """Return throughput and processor time of many runs (W1)."""
    shown = (
        ("steps/s", _shown(result, "W1", "steps_per_second")),
        ("x Everstep", _ratio(result, "W1", "steps_per_second")),
        ("CPU ms per step", _shown(result, "W1", "cpu_ms_per_step")),
        ("x Everstep", _ratio(result, "W1", "cpu_ms_per_step")),
        ("p50 ms", _shown(result, "W1", "p50_ms")),
        ("p95 ms", _shown(result, "W1", "p95_ms")),
    )
    return _table(result, "W1: many runs", shown, "W1")


def long(result: Data) -> Figures:
    """Return what a step takes in a long run, and how that grows (W2)."""
    shown = (
        ("p50 ms", _shown(result, "W2", "p50_ms")),
        ("x Everstep", _ratio(result, "W2", "p50_ms")),
        ("p95 ms", _shown(result, "W2", "p95_ms")),
        ("CPU ms per step", _shown(result, "W2", "cpu_ms_per_step")),
        ("ms early", _shown(result, "W2", "early_ms")),
        ("ms half-way", _shown(result, "W2", "middle_ms")),
        ("ms late", _shown(result, "W2", "late_ms")),
        ("growth", _shown(result, "W2", "growth")),
    )
    return _table(result, "W2: one long run", shown, "W2")


def sleeps(result: Data) -> Figures:
    """Return how late sleepers wake, and what they take while they sleep (W2b, W3)."""
    shown = (
        ("short: p50 ms late", _shown(result, "W2b", "late_p50_ms")),
        ("p95 ms late", _shown(result, "W2b", "late_p95_ms")),
        ("many: p50 ms late", _shown(result, "W3", "late_p50_ms")),
        ("p99 ms late", _shown(result, "W3", "late_p99_ms")),
        ("MB while asleep", _shown(result, "W3", "asleep_mb")),
        ("processors while asleep", _shown(result, "W3", "asleep_cpu")),
    )
    return _table(result, "W2b and W3: sleeps", shown, "W2b", "W3")


def beside(result: Data) -> Figures:
    """Return what steps side by side take (W4)."""
    names = sorted(
        {name for each in result["engines"] for name in each.get("workloads", ())}, key=_size
    )
    fans = [name for name in names if name.startswith("W4")]
    shown = [
        column
        for name in fans
        for column in (
            (f"{_size(name):,}: seconds", _shown(result, name, "seconds")),
            ("x Everstep", _ratio(result, name, "seconds")),
            ("CPU ms per item", _shown(result, name, "cpu_ms_per_step")),
        )
    ]
    return _table(result, "W4: side by side, and join", shown, *fans)


def crash(result: Data) -> Figures:
    """Return what became of a run whose worker was killed (W5)."""

    def finished(name: str) -> str:
        return {"1": "yes", "0": "no"}.get(_shown(result, "W5", "finished")(name), _NOTHING)

    shown = (
        ("finished", finished),
        ("steps run again", _shown(result, "W5", "again")),
        ("seconds to recover", _shown(result, "W5", "recovered_s")),
    )
    return _table(result, "W5: kill -9 in the middle", shown, "W5")


def missing(result: Data) -> Figures:
    """Return what an engine did not do, and why."""
    rows = [
        (_title(each), name, workload["reason"])
        for each in result["engines"]
        for name, workload in each.get("workloads", {}).items()
        if "reason" in workload
    ]
    columns = ("engine", "workload", "why")
    return Figures(title="What is missing", columns=columns, rows=tuple(rows))


def _item(each: Data, how: str) -> str:
    handed_over = "one by one" if each["batch"] == 1 else f"in batches of {each['batch']}"
    return f"an item of {each['items']:,} {how}, {handed_over}: requests, read units"


def alone(result: Data) -> Figures:
    """Return what was counted and timed of Everstep by itself."""
    counts, cpu = result["counted"], result["cpu"]
    rows = [
        ("a step: queries, write units, sends", _of_step(counts["step"])),
        *(
            (_after(each), f"{each['read_units']:g}, {each['requests'] + each['messages']:g}")
            for each in counts["late"]
        ),
        *(
            (
                _item(each, how),
                f"{each['requests_per_item']:.2f}, {each['read_units_per_item']:.2f}",
            )
            for name, how in _SIDE_BY_SIDE.items()
            for each in counts[name]
        ),
        *((f"processor ms per step, {name}", f"{ms:.3f}") for name, ms in cpu["step_ms"].items()),
        *(
            (
                f"processor ms of a replay, {each['operations']:,} operations, {name}",
                f"{each['total_ms']:.2f}",
            )
            for name, replays in cpu["replay"].items()
            for each in replays
        ),
    ]
    return Figures(title="Everstep by itself", columns=("", "measured"), rows=tuple(rows))


def number(value: float) -> str:
    """Return a figure with as many digits as say something."""
    if value >= 100:  # noqa: PLR2004 - three digits are enough
        return f"{value:,.0f}"
    return f"{value:.{_PEER_DIGITS}g}"


def _table(
    result: Data,
    title: str,
    shown: Sequence[tuple[str, Callable[[str], str]]],
    *workloads: str,
) -> Figures:
    """Return a row for every engine that has one of the workloads."""
    rows = [
        (_title(each), *(cell(each["name"]) for _, cell in shown))
        for each in result["engines"]
        if any("figures" in each.get("workloads", {}).get(name, {}) for name in workloads)
    ]
    columns = ("engine", *(name for name, _ in shown))
    return Figures(title=title, columns=columns, rows=tuple(rows))


def _shown(result: Data, workload: str, name: str) -> Callable[[str], str]:
    def cell(engine: str) -> str:
        found = results.figure(result, engine, workload, name)
        return _NOTHING if found is None else number(found)

    return cell


def _ratio(result: Data, workload: str, name: str) -> Callable[[str], str]:
    """Return what shows a figure divided by Everstep's in the mode that it is compared with."""
    baselines = {each["name"]: each["baseline"] for each in result["engines"]}

    def cell(engine: str) -> str:
        found = results.figure(result, engine, workload, name)
        own = results.figure(result, baselines[engine], workload, name)
        return f"{number(found / own)}" if found is not None and own else _NOTHING

    return cell


def _title(engine: Data) -> str:
    title = str(engine["title"])
    return f"**{title}**" if engine["name"].startswith("everstep") else title


def _title_of(result: Data, name: str) -> str:
    return next((str(each["title"]) for each in result["engines"] if each["name"] == name), name)


def _size(workload: str) -> int:
    _, _, size = workload.partition(" ")
    return int(size or 0)


def _after(late: Data) -> str:
    how = "kept" if late["kept"] else "replayed"
    return f"a step after {late['after']:,}, {how}: read units, requests"


def _of_step(step: Data) -> str:
    return f"{step.get('query', 0):g}, {step['write_units']:g}, {step['sends']:g}"
