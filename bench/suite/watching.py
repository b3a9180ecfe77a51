"""Processor time and memory of everything that a child started, by its mark in the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from everstep_localstack import processes

if TYPE_CHECKING:
    from collections.abc import Iterable

VARIABLE: Final = "EVERSTEP_BENCH"
_GRACE_SECONDS: Final = 3
# Of the fields behind the program's name in /proc/<pid>/stat: own time, and that of ended children.
_TIMES: Final = slice(11, 15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What processes have used, and how much memory they hold.

    Attributes:
        cpu: Seconds of processor time since they began.
        memory_mb: Resident memory of all, where pages in common are counted more than once.
    """

    cpu: float
    memory_mb: float


def usage(marks: Iterable[str]) -> Usage:
    """Return what all processes with one of these marks use now."""
    pids = {pid for mark in marks for pid in processes.marked(VARIABLE, mark)}
    found = [each for each in map(_of_process, pids) if each is not None]
    return Usage(
        cpu=sum(each.cpu for each in found), memory_mb=sum(each.memory_mb for each in found)
    )


def end(mark: str) -> int:
    """End every process with a mark; return how many there were."""
    count = 0
    # Again, since a process may start another one while it is looked for.
    while left := processes.marked(VARIABLE, mark):
        known = [(pid, processes.start_time(pid)) for pid in left]
        processes.kill(left)
        count += len(left)
        for pid, started in known:
            if started is not None:
                processes.wait_gone(pid, started, _GRACE_SECONDS)
    return count


def _of_process(pid: int) -> Usage | None:
    """Return what a process uses; None if it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None
    ticks = sum(int(each) for each in fields[_TIMES])
    return Usage(
        cpu=ticks / os.sysconf("SC_CLK_TCK"),
        memory_mb=pages * os.sysconf("SC_PAGE_SIZE") / 1024 / 1024,
    )
