"""Hold the measured coverage against the floor of each part.

    python -m tools.coverage_floors REPORT.json

REPORT is what `coverage json` writes. Exits with 1 and names every file that is below, with its
missing lines and branches.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGINE: Final = "layers/engine/python/everstep"
FLOORS: Final[Mapping[str, float]] = {
    f"{ENGINE}/core/": 100.0,
    f"{ENGINE}/app/": 100.0,
    "": 95.0,
}


class Summary(TypedDict):
    """The counts of one file, as coverage names them."""

    covered_lines: int
    num_statements: int
    covered_branches: int
    num_branches: int


class FileReport(TypedDict):
    """One file in the report of `coverage json`."""

    summary: Summary
    missing_lines: list[int]
    missing_branches: list[tuple[int, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The files under one folder, with the percentage they must reach together."""

    folder: str
    floor: float
    files: Mapping[str, FileReport]

    @property
    def percent(self) -> float:
        """Lines and branches covered, in percent; 100 where there is nothing to cover."""
        summaries = [report["summary"] for report in self.files.values()]
        total = sum(each["num_statements"] + each["num_branches"] for each in summaries)
        covered = sum(each["covered_lines"] + each["covered_branches"] for each in summaries)
        return 100.0 * covered / total if total else 100.0

    @property
    def name(self) -> str:
        """What to call the part in a sentence."""
        return self.folder.removeprefix(f"{ENGINE}/").rstrip("/") or "overall"

    def gaps(self) -> list[str]:
        """One line per file that is not fully covered."""
        return [
            f"    {path}: {_missing(report)}"
            for path, report in sorted(self.files.items())
            if report["missing_lines"] or report["missing_branches"]
        ]


def _missing(report: FileReport) -> str:
    """Write missing lines as ranges, then the branches that leave a line which did run."""
    lines = report["missing_lines"]
    # Within a run of consecutive numbers, number and position grow alike.
    runs = [[line for _, line in run] for _, run in groupby(enumerate(lines), _distance)]
    ranges = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    branches = [
        f"{start}→{'exit' if end < 0 else end}"
        for start, end in report["missing_branches"]
        if start not in lines
    ]
    return ", ".join(ranges + branches)


def _distance(numbered: tuple[int, int]) -> int:
    position, line = numbered
    return line - position


def parts_of(files: Mapping[str, FileReport]) -> list[Part]:
    """Divide the files of a report among the floors."""
    return [
        Part(
            folder=folder,
            floor=floor,
            files={path: report for path, report in files.items() if path.startswith(folder)},
        )
        for folder, floor in FLOORS.items()
    ]


def main(report: Path) -> int:
    """Print how each part stands and return the exit code."""
    below = False
    for part in parts_of(json.loads(report.read_text(encoding="utf-8"))["files"]):
        short = part.percent < part.floor
        below = below or short
        verdict = "BELOW" if short else "ok"
        print(f"coverage {part.name}: {part.percent:.2f} % (floor {part.floor:.0f} %) {verdict}")
        if short:
            print("\n".join(part.gaps()))
    return int(below)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
