"""SIGKILL from outside, at random, for processes that are at work."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from everstep_localstack import processes
from everstep_localstack.plugin.settings import INSTANCE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random
    from threading import Event

    from tests.e2e.stack import Stack
    from tests.e2e.storm.fleet import Fleet

FUNCTIONS: Final = ("StepExecutor", "Trigger", "Api", "Sweeper", "DeadLetter")
KILLED: Final = "signal: killed"
PATIENCE_SECONDS: Final = 4.0
LOADED_SECONDS: Final = 1.5
LOADING: Final = 0.05


class FunctionKiller:
    """Kills processes of some functions of one stack while they handle something.

    A process at work is one whose threads were scheduled within some milliseconds: an idle one
    sleeps in the request for its next invocation.

    Attributes:
        kills: How many processes of which function were killed.
    """

    def __init__(self, stack: Stack, functions: Iterable[str], pause: tuple[float, float]) -> None:
        self.kills: Counter[str] = Counter()
        self._root = str(stack.server.folders.root)
        self._names = {
            f"AWS_LAMBDA_FUNCTION_NAME={stack.outputs[f'{name}FunctionName']}".encode(): name
            for name in functions
        }
        self._pause = pause

    def run(self, over: Event, rng: Random) -> None:
        """Kill a process after every pause, until it is over."""
        while not over.wait(rng.uniform(*self._pause)):
            self._kill_one(over, rng)

    def _kill_one(self, over: Event, rng: Random) -> None:
        """Kill the first process that is seen at work; give up if there is none for a while."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = self._processes()
            # Most of the work is to load the code, and the least interesting to cut off.
            youngest = 0.0 if rng.random() < LOADING else LOADED_SECONDS
            before = {pid: _scheduled(pid) for pid in found if _age(pid) >= youngest}
            if over.wait(rng.uniform(0.01, 0.06)):
                return
            busy = [pid for pid, count in before.items() if count != _scheduled(pid)]
            if busy:
                chosen = rng.choice(busy)
                processes.kill([chosen])
                self.kills[found[chosen]] += 1
                return

    def _processes(self) -> dict[int, str]:
        """Return the processes of this instance that run one of the functions."""
        found = {}
        for pid in processes.marked(INSTANCE_VARIABLE, self._root):
            try:
                environment = set(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
            except (FileNotFoundError, ProcessLookupError):
                continue
            for mark in self._names.keys() & environment:
                found[pid] = self._names[mark]
        return found


class PollerKiller:
    """Kills pollers."""

    def __init__(self, fleet: Fleet, pause: tuple[float, float]) -> None:
        self._fleet = fleet
        self._pause = pause

    def run(self, over: Event, rng: Random) -> None:
        """Kill a poller after every pause, until it is over."""
        while not over.wait(rng.uniform(*self._pause)):
            self._fleet.kill_one(rng)


def cut_off(stack: Stack) -> Counter[str]:
    """Count the invocations that a kill has cut off so far, as the functions' logs tell."""
    return Counter(
        {
            name: sum(
                KILLED in line
                for line in stack.server.function_log(stack.outputs[f"{name}FunctionName"])
            )
            for name in FUNCTIONS
        }
    )


def _age(pid: int) -> float:
    """Return the seconds since a process started; 0 once it has ended."""
    started = processes.start_time(pid)
    if started is None:
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started / os.sysconf("SC_CLK_TCK")


def _scheduled(pid: int) -> int:
    """Return how often the threads of a process left the processor; -1 once it has ended."""
    try:
        texts = [
            (thread / "status").read_text(encoding="utf-8", errors="replace")
            for thread in list(Path(f"/proc/{pid}/task").iterdir())
        ]
    except (FileNotFoundError, ProcessLookupError):
        return -1
    lines = (line for text in texts for line in text.splitlines() if "ctxt_switches" in line)
    return sum(int(line.split()[1]) for line in lines)
