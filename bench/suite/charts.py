"""A result as pictures: throughput, processor time, growth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bench.suite import svg
from bench.suite.results import figure
from bench.suite.tables import number

if TYPE_CHECKING:
    from collections.abc import Mapping

Data = dict[str, Any]

_PLACES: Final = ("early_ms", "middle_ms", "late_ms")


def all_of(result: Data) -> Mapping[str, str]:
    """Return every picture for which there are figures, by name."""
    made = {
        "throughput": _bars(
            result, "W1", "steps_per_second", "Steps per second", "longer is faster", most=True
        ),
        "processor": _bars(
            result,
            "W1",
            "cpu_ms_per_step",
            "Milliseconds of processor time per step",
            "everything that belongs to the engine, database and server included; shorter is less",
        ),
        "growth": _growth(result),
    }
    return {name: each for name, each in made.items() if each}


def _bars(
    result: Data, workload: str, name: str, title: str, below: str, *, most: bool = False
) -> str:
    found = [
        svg.Bar(
            name=each["title"],
            value=value,
            shown=number(value),
            own=each["name"].startswith("everstep"),
        )
        for each in result["engines"]
        if (value := figure(result, each["name"], workload, name)) is not None
    ]
    if not found:
        return ""
    found.sort(key=lambda bar: bar.value, reverse=most)
    size = _size(result, workload)
    return svg.bars(f"{title} ({size})", below, found)


def _growth(result: Data) -> str:
    lines = [
        svg.Line(name=each["title"], values=values, own=each["name"].startswith("everstep"))
        for each in result["engines"]
        if len(values := _values(result, each["name"])) == len(_PLACES)
    ]
    if not lines:
        return ""
    steps = max(
        each["workloads"]["W2"]["size"]["steps"]
        for each in result["engines"]
        if "W2" in each.get("workloads", {})
    )
    places = [f"step {share:,}" for share in (steps // 10, steps // 2, steps)]
    title = f"Milliseconds per step in a run of {steps:,} steps"
    return svg.lines(title, "logarithmic; a flat line does not grow", places, lines)


def _values(result: Data, engine: str) -> tuple[float, ...]:
    found = (figure(result, engine, "W2", name) for name in _PLACES)
    return tuple(value for value in found if value is not None)


def _size(result: Data, workload: str) -> str:
    """Return the sizes that a workload had: there may be smaller ones on LocalStack."""
    sizes = dict.fromkeys(
        f"{size['runs']:,} x {size['steps']:,}"
        for each in result["engines"]
        if (size := each.get("workloads", {}).get(workload, {}).get("size"))
    )
    return f"{workload}: {' or '.join(sizes)}"
