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
    from tests.e2e.storm.effects import TellingEffectServer
    from tests.e2e.storm.fleet import Fleet

FUNCTIONS: Final = ("StepExecutor", "Trigger", "Api", "Sweeper", "DeadLetter")
KILLED: Final = "signal: killed"
PATIENCE_SECONDS: Final = 4.0
STEP_PAUSE: Final = (0.4, 1.4)
# A step's work (see plan.py), the commit, the send and the answer, on an idle machine.
STEP_SECONDS: Final = 0.1
LOADED_SECONDS: Final = 1.5
LOADING: Final = 0.05


class Processes:
    """The processes that run some functions of one stack on one instance of LocalStack."""

    def __init__(self, stack: Stack, functions: Iterable[str]) -> None:
        self._root = str(stack.server.folders.root)
        self._names = {
            f"AWS_LAMBDA_FUNCTION_NAME={stack.outputs[f'{name}FunctionName']}".encode(): name
            for name in functions
        }

    def find(self) -> dict[int, str]:
        """Return their ids, and which function each runs."""
        found = {}
        for pid in processes.marked(INSTANCE_VARIABLE, self._root):
            try:
                environment = set(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
            except (FileNotFoundError, ProcessLookupError):
                continue
            for mark in self._names.keys() & environment:
                found[pid] = self._names[mark]
        return found


class StepKiller:
    """Kills a step executor shortly after a step had its effect.

    What then follows is over within some milliseconds, and all that can go wrong is in it: the
    step's own end, the commit, the send, the acknowledgement. Kills without aim would hardly ever
    hit it.

    Attributes:
        kills: How many processes of which function were killed.
    """

    def __init__(self, executors: Processes, effects: TellingEffectServer) -> None:
        self.kills: Counter[str] = Counter()
        self._executors = executors
        self._effects = effects

    def run(self, over: Event, rng: Random) -> None:
        """Kill an executor after every pause, until it is over."""
        while not over.wait(rng.uniform(*STEP_PAUSE)):
            found = self._executors.find()
            pid = self._effects.next_process(PATIENCE_SECONDS)
            # The server believes what it is told; only a process that was found is killed.
            if pid in found:
                time.sleep(rng.uniform(0, STEP_SECONDS))
                processes.kill([pid])
                self.kills[found[pid]] += 1


class FunctionKiller:
    """Kills processes of functions while they handle something, whatever that is.

    A process at work is one whose threads were scheduled within some milliseconds: an idle one
    sleeps in the request for its next invocation.

    Attributes:
        kills: How many processes of which function were killed.
    """

    def __init__(self, functions: Processes, pause: tuple[float, float]) -> None:
        self.kills: Counter[str] = Counter()
        self._functions = functions
        self._pause = pause

    def run(self, over: Event, rng: Random) -> None:
        """Kill a process after every pause, until it is over."""
        while not over.wait(rng.uniform(*self._pause)):
            self._kill_one(over, rng)

    def _kill_one(self, over: Event, rng: Random) -> None:
        """Kill the first process that is seen at work; give up if there is none for a while."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = self._functions.find()
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
