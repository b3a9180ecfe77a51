"""Kill a function that uses more memory than it was given, as AWS does."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INTERVAL_SECONDS: Final = 0.02
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process, or 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


def peak_bytes(pid: int) -> int:
    """Return the largest resident memory a process ever had, or 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    # A process that has ended but was not waited for has no memory lines.
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) * 1024 if lines else 0


class MemoryWatch:
    """Sample the processes that are working, in one thread for all of them.

    AWS limits by cgroup, at the first page too many. Sampling is later by up to `INTERVAL_SECONDS`,
    and sees the process that runs the handler, not processes which the handler starts.
    """

    def __init__(self) -> None:
        self._watched: dict[int, tuple[int, Callable[[], None]]] = {}
        self._working = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._sample, name="function-memory", daemon=True).start()

    @contextmanager
    def limit(self, pid: int, limit: int, on_exceeded: Callable[[], None]) -> Iterator[None]:
        """Call `on_exceeded` once if the process uses more than `limit` bytes meanwhile."""
        with self._lock:
            self._watched[pid] = (limit, on_exceeded)
            self._working.set()
        try:
            yield
        finally:
            with self._lock:
                self._watched.pop(pid, None)
                if not self._watched:
                    self._working.clear()

    def _sample(self) -> None:
        pause = threading.Event()
        while self._working.wait():
            with self._lock:
                watched = list(self._watched.items())
            for pid, (limit, on_exceeded) in watched:
                if resident_bytes(pid) > limit and self._forget(pid):
                    on_exceeded()
            pause.wait(INTERVAL_SECONDS)

    def _forget(self, pid: int) -> bool:
        with self._lock:
            return self._watched.pop(pid, None) is not None
