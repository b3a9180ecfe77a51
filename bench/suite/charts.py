"""A result as pictures: throughput, processor time, growth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bench.suite import svg
from bench.suite.results import figure
from bench.suite.tables import number

if TYPE_CHECKING:
    from collections.abc import Mapping

Data = dict[str, Any]

_BLOCKS: Final = "blocks: in a process, with a database or a server; on moto"
_PLACES: Final = ("early_ms", "middle_ms", "late_ms")


def all_of(result: Data) -> Mapping[str, str]:
    """Return every picture for which there are figures, by name."""
    made = {
        "throughput": _bars(
            result,
            "W1",
            "steps_per_second",
            "Steps per second",
            f"longer is faster; {_BLOCKS}, on LocalStack",
            most=True,
        ),
        "processor": _bars(
            result,
            "W1",
            "cpu_ms_per_step",
            "Milliseconds of processor time per step",
            f"shorter is less; {_BLOCKS}; its database or server included",
        ),
        "growth": _growth(result),
    }
    return {name: each for name, each in made.items() if each}


def _bars(
    result: Data, workload: str, name: str, title: str, below: str, *, most: bool = False
) -> str:
    groups: dict[str, list[svg.Bar]] = {}
    for each in result["engines"]:
        value = figure(result, each["name"], workload, name)
        if value is not None:
            groups.setdefault(each["baseline"], []).append(
                svg.Bar(
                    name=each["title"],
                    value=value,
                    shown=number(value),
                    own=each["name"].startswith("everstep"),
                )
            )
    if not groups:
        return ""
    for found in groups.values():
        found.sort(key=lambda bar: bar.value, reverse=most)
    size = _size(result, workload)
    return svg.bars(f"{title} ({size})", below, list(groups.values()))


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
    places = [f"about {steps // 10:,}", f"about {steps // 2:,}", f"to {steps:,}"]
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
