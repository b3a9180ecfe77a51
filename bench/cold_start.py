"""What the start of each function takes, as built: `python -m bench.cold_start`.

A fresh process imports the handler with the environment of the template and a small package of
workflows; that is Lambda's init. No request is made: clients of AWS are made, and count. Processor
time is the figure, without the interpreter's own start; wall clock says as much only where nobody
else is at work.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from bench.starts.artifact import FUNCTIONS, artifact
from bench.starts.process import SDK, by_package, own_times, start

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bench.starts.artifact import Artifact

TARGET_MS: Final = 300
"""Processor time that the start of the step executor may take."""
_PROFILED: Final = 4
_TOP: Final = 12


def measure(
    rounds: int = 10, *, version: str | None = None, functions: Iterable[str] = (*FUNCTIONS, SDK)
) -> dict[str, Any]:
    """Start every function so many times, in turn; return the best of each.

    Args:
        rounds: Starts of each function.
        version: Of Python; that of this process if not given.
        functions: Which ones, by their folders, and the SDK alone.
    """
    with TemporaryDirectory() as folder:
        started = artifact(Path(folder), version)
        names = list(functions)
        times: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
        for _ in range(rounds):
            for name in names:
                times[name].append(start(started, name))
        return {
            "target_ms": TARGET_MS,
            "python": version or "this",
            "rounds": rounds,
            "functions": {name: _best(times[name]) | _profile(started, name) for name in names},
        }


def _best(starts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "cpu_ms": round(min(each["cpu_ms"] for each in starts), 1),
        "wall_ms": round(min(each["wall_ms"] for each in starts), 1),
        "modules": len(starts[0]["modules"]),
    }


def _profile(started: Artifact, function: str) -> dict[str, Any]:
    """Return packages by the time that their modules take by themselves, the longest first."""
    best: dict[str, float] = {}
    for _ in range(_PROFILED):
        for name, millis in own_times(started, function).items():
            best[name] = min(millis, best.get(name, millis))
    packages = [
        {
            "package": package,
            "modules": len(names),
            "own_ms": round(sum(best[each] for each in names), 1),
        }
        for package, names in by_package(best).items()
    ]
    return {"packages": sorted(packages, key=lambda each: -each["own_ms"])}


def table(measured: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a table in Markdown: a function per line."""
    yield "| function | CPU ms | wall ms | modules |"
    yield "|-|-:|-:|-:|"
    for name, found in measured["functions"].items():
        yield f"| {name} | {found['cpu_ms']:.0f} | {found['wall_ms']:.0f} | {found['modules']} |"


def profile(measured: dict[str, Any], function: str) -> Iterator[str]:
    """Yield the lines of a table in Markdown: what a function's start goes to, by package."""
    yield "| package | modules | ms |"
    yield "|-|-:|-:|"
    packages = measured["functions"][function]["packages"]
    for each in packages[:_TOP]:
        yield f"| `{each['package']}` | {each['modules']} | {each['own_ms']:.1f} |"
    rest = packages[_TOP:]
    modules, millis = (sum(each[key] for each in rest) for key in ("modules", "own_ms"))
    yield f"| {len(rest)} others | {modules} | {millis:.1f} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.cold_start", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="starts of each function")
    parser.add_argument("--python", help="version, 3.13 for example; this one if not given")
    parser.add_argument("--profile", action="store_true", help="print where the time goes, too")
    parser.add_argument("--json", type=Path, help="write everything to this file")
    given = parser.parse_args()
    measured = measure(given.rounds, version=given.python)
    print("\n".join(table(measured)))
    if given.profile:
        for name in measured["functions"]:
            print(f"\n{name}\n\n" + "\n".join(profile(measured, name)))
    if given.json:
        given.json.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
