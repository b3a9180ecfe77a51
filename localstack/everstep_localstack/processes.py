"""See and end processes of this user, by what the kernel tells (Linux only)."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

POLL_SECONDS: Final = 0.02
# Of the fields behind the program's name in /proc/<pid>/stat.
_STATE_FIELD: Final = 0
_THREADS_FIELD: Final = 17
_START_TIME_FIELD: Final = 19


def start_time(pid: int) -> int | None:
    """Return when a process started, in clock ticks since boot; None if it has ended.

    A process that has ended but was not waited for counts as ended.
    """
    fields = _stat(pid)
    if not fields or fields[_STATE_FIELD] in "ZX":
        return None
    return int(fields[_START_TIME_FIELD])


def is_running(pid: int, started: int) -> bool:
    """Say whether exactly this process runs, not another that got its id."""
    return start_time(pid) == started


def marked(variable: str, value: str) -> list[int]:
    """Return the processes whose environment has `variable=value`, but not this one."""
    wanted = f"{variable}={value}".encode()
    return [pid for pid in _process_ids() if pid != os.getpid() and wanted in _environment(pid)]


def command_line(pid: int) -> str:
    """Return what was called, for a person to recognise; empty if the process has ended."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace").strip()


def terminate(pid: int, started: int, grace_seconds: float) -> bool:
    """Ask a process to end, then make it; return False if it had to be made."""
    _signal(pid, signal.SIGTERM)
    if wait_gone(pid, started, grace_seconds):
        return True
    _signal(pid, signal.SIGKILL)
    wait_gone(pid, started, grace_seconds)
    return False


def wait_gone(pid: int, started: int, seconds: float) -> bool:
    """Wait until nothing is left of a process, not even a thread, and so none of its ports.

    Of a killed process the first thread ends at once; others may hold its files a little longer.
    """
    deadline = time.monotonic() + seconds
    while _has_threads(pid, started):
        if time.monotonic() > deadline:
            return False
        _reap(pid)
        time.sleep(POLL_SECONDS)
    return True


def kill(pids: Iterable[int]) -> None:
    """End processes at once."""
    for pid in pids:
        _signal(pid, signal.SIGKILL)


def _has_threads(pid: int, started: int) -> bool:
    fields = _stat(pid)
    if not fields or int(fields[_START_TIME_FIELD]) != started:
        return False
    return fields[_STATE_FIELD] not in "ZX" or int(fields[_THREADS_FIELD]) > 1


def _stat(pid: int) -> list[str]:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    # The name may contain anything, but nothing behind the last parenthesis can.
    return stat.rpartition(")")[2].split()


def _reap(pid: int) -> None:
    # Only the process that started it is its parent, and then it must take note of its end.
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _process_ids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environment(pid: int) -> frozenset[bytes]:
    try:
        return frozenset(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        # It has ended, or belongs to somebody else: none of ours.
        return frozenset()
