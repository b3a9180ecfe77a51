"""From the calls that functions made to what a step, and what a run's start and end took."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from bench.metering.sizes import read_units, sqs_requests
from bench.table_model import TableModel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from bench.table_model import Index

Line = dict[str, Any]

_HEAD: Final = "#HEAD"


class Phase(StrEnum):
    """What a call was made for.

    Values:
        START: Accepting a run: its record, its first message, and the read of its history by
            the executor that sends the first step's message.
        STEP: One step: the read before it, the write of its result, the message that brought it.
        END: The run's terminal write.
        OTHER: What the load did not ask for: people looking at runs, the sweeper.
    """

    START = "start"
    STEP = "step"
    END = "end"
    OTHER = "other"


@dataclass(slots=True, kw_only=True)
class Tally:
    """Sums over calls; every number is a count, nothing is timed."""

    calls: Counter[str] = field(default_factory=Counter)
    http_requests: int = 0
    read_units: float = 0
    write_units: int = 0
    index_units: Counter[str] = field(default_factory=Counter)
    sqs_requests: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0

    def per(self, count: int) -> dict[str, Any]:
        """Return the sums divided by the number of steps or runs, as plain data."""
        return {
            "calls": {name: _share(n, count) for name, n in sorted(self.calls.items())},
            "http_requests": _share(self.http_requests, count),
            "read_units": _share(self.read_units, count),
            "write_units": _share(self.write_units, count),
            "index_units": {name: _share(n, count) for name, n in sorted(self.index_units.items())},
            "sqs_requests": _share(self.sqs_requests, count),
            "bytes_sent": _share(self.bytes_sent, count),
            "bytes_received": _share(self.bytes_received, count),
        }


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Books every call under a phase and the run's group.

    Attributes:
        table: Follows the writes.
        groups: Run → group; calls for runs that are not in here are left out.
        tallies: What was booked.
        queries: Units of each read of a history by a step, to see them grow.
    """

    table: TableModel
    groups: Mapping[str, str]
    tallies: dict[tuple[Phase, str], Tally] = field(default_factory=dict)
    queries: Counter[float] = field(default_factory=Counter)

    def book(self, line: Line) -> None:
        """Book one call; lines must come in the order of time."""
        cost = self.table.apply(line["writes"], line["error"]) if line.get("writes") else None
        group = self.groups.get(run_of(line) or "")
        if group is None:
            return
        phase = phase_of(line)
        tally = self.tallies.setdefault((phase, group), Tally())
        tally.calls[f"{line['service']} {line['operation']}"] += 1
        tally.http_requests += line["requests"]
        tally.bytes_sent += line["sent"]
        tally.bytes_received += line["received"]
        if cost is not None:
            tally.write_units += cost.base
            tally.index_units.update(cost.index)
        if "read" in line:
            units = _units(line)
            tally.read_units += units
            if phase is Phase.STEP:
                self.queries[units] += 1
        if "bodies" in line:
            tally.sqs_requests += sqs_requests(line["bodies"])

    def of(self, phase: Phase, group: str | None = None) -> Tally:
        """Return the sums of a phase: of one group of runs, or of all."""
        found = [
            tally
            for (its_phase, its_group), tally in self.tallies.items()
            if its_phase is phase and group in (None, its_group)
        ]
        return _added(found)


def read_lines(folder: Path) -> list[Line]:
    """Return what all processes wrote, in the order of time."""
    lines: list[Line] = [
        json.loads(line)
        for path in sorted(folder.glob("*.jsonl"))
        # A process that is killed may leave half a line.
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True)
        if line.endswith("\n")
    ]
    return sorted(lines, key=lambda line: float(line["at"]))


def book_all(
    lines: Iterable[Line], indexes: Collection[Index], groups: Mapping[str, str]
) -> Ledger:
    """Return the ledger of all lines."""
    ledger = Ledger(table=TableModel(indexes=tuple(indexes)), groups=groups)
    for line in lines:
        ledger.book(line)
    return ledger


def run_of(line: Line) -> str | None:
    """Return the run that a call is about; none for one that is about no run."""
    if message := line.get("message"):
        return str(message["run"])
    if line.get("bodies"):
        return str(json.loads(line["bodies"][0])["run"])
    for write in line.get("writes", ()):
        kind, _, run = (write.get("Item") or write["Key"])["PK"]["S"].partition("#")
        if kind == "RUN":
            return str(run)
    found: str | None = line.get("run")
    return found


def phase_of(line: Line) -> Phase:
    """Return what a call was made for."""
    function = line["function"]
    if function.endswith("-trigger"):
        return Phase.START
    if not function.endswith("-step-executor"):
        return Phase.OTHER
    if line.get("bodies"):
        return _of_kind(json.loads(line["bodies"][0])["kind"])
    if line.get("writes"):
        key = line["writes"][0].get("Item") or line["writes"][0]["Key"]
        return Phase.END if key["SK"]["S"] == _HEAD else Phase.STEP
    return _of_kind((line.get("message") or {}).get("kind", ""))


def _of_kind(kind: str) -> Phase:
    """Return the phase of a message: of reading it, as well as of sending it."""
    return {"start": Phase.START, "step": Phase.STEP}.get(kind, Phase.OTHER)


def _units(line: Line) -> float:
    """Return what a read takes: of a batch every item by itself, also one that is not there."""
    sizes: list[int] = line["read"]
    together = [[size] for size in sizes] if line.get("one_by_one") else [sizes]
    return sum(read_units(each, consistent=line["consistent"]) for each in together)


def _added(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for each in tallies:
        total.calls.update(each.calls)
        total.http_requests += each.http_requests
        total.read_units += each.read_units
        total.write_units += each.write_units
        total.index_units.update(each.index_units)
        total.sqs_requests += each.sqs_requests
        total.bytes_sent += each.bytes_sent
        total.bytes_received += each.bytes_received
    return total


def _share(amount: float, count: int) -> float:
    return round(amount / count, 4)
