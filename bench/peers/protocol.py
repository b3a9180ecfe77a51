"""What every script here does alike: it reads a task, plays its items, and tells when.

A script is started as `python -m bench.peers.<name> TASK` in an environment of its own, with the
standard library and its peer's packages only. It prints one JSON line when an item begins, when
all of its runs are asleep, and when it has ended; at its begin and its end the script waits for a
line in return. What steps do is to write a line to the item's file of marks; everything else is
computed from these by `bench.suite`, alike for all.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LOOK_EVERY: Final = 0.01
CRASH_SECONDS: Final = 60
LONG_SECONDS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to play: a workload with its size.

    Attributes:
        number: Its place in the task.
        workload: W1 to W5.
        shape: What runs do: `sequence`, `naps`, `fan` or `crash`.
        runs: How many runs.
        steps: Steps of each run, naps of each run, or steps side by side.
        seconds: How long a nap lasts.
        millis: How long a step of `crash` works.
        kill_at: After how many marks the worker of `crash` is killed.
        marks: The file that steps write to: a line with run, number and nanoseconds.
        again: Left out if the same took long just before.
    """

    number: int
    workload: str
    shape: str
    runs: int = 1
    steps: int = 1
    seconds: float = 0
    millis: int = 0
    kill_at: int = 0
    marks: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a script is asked to do.

    Attributes:
        items: What to play, in this order.
        state: An empty folder for whatever the peer keeps.
        options: What this peer needs besides.
    """

    items: tuple[Item, ...]
    state: Path
    options: Mapping[str, str]

    @classmethod
    def read(cls, path: str) -> Task:
        """Return the task in a file."""
        data = json.loads(Path(path).read_text(encoding="utf-8"))
        items = tuple(Item(**each) for each in data["items"])
        return cls(items=items, state=Path(data["state"]), options=data["options"])


def tell(event: str, **facts: object) -> None:
    """Print what happened."""
    print(json.dumps({"event": event, **facts}), flush=True)


def tell_and_wait(event: str, **facts: object) -> None:
    """Print what happened; wait until whoever listens has looked at this process."""
    tell(event, **facts)
    sys.stdin.readline()


def mark(path: str, run: object, number: int) -> None:
    """Write down that a step begins: in one write, so that lines of processes do not mix."""
    os.write(_opened(path), f"{run} {number} {time.monotonic_ns()}\n".encode())


@cache
def _opened(path: str) -> int:
    return os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY)


def count(path: str) -> int:
    """Return how many steps have begun."""
    try:
        return Path(path).read_bytes().count(b"\n")
    except FileNotFoundError:
        return 0


def work(path: str, run: object, number: int, millis: int = 0) -> int:
    """Do what a step does: leave a mark and return a number."""
    mark(path, run, number)
    if millis:
        time.sleep(millis / 1_000)
    return number


def play_all(task: Task, versions: Sequence[str], play: Callable[[Item], float | None]) -> None:
    """Play every item, and tell of each.

    Args:
        task: The items.
        versions: Packages whose versions are told.
        play: Carries an item out; may return the seconds that it took instead of all of them.
    """
    tell("ready", versions={name: version(name) for name in versions})
    last = 0.0
    for item in task.items:
        if item.again and last > LONG_SECONDS:
            continue
        tell_and_wait("begin", item=item.number)
        began = time.monotonic()
        try:
            seconds = play(item)
        except Exception as error:  # noqa: BLE001 - the next item may work
            tell_and_wait(
                "failed", item=item.number, reason=f"{type(error).__name__}: {error}"[:400]
            )
            last = LONG_SECONDS + 1
            continue
        last = time.monotonic() - began
        tell_and_wait("end", item=item.number, seconds=seconds or last)


def tell_when_asleep(item: Item, patience: float = 120) -> None:
    """Wait until every run of an item has begun, and say so if they must be asleep now."""
    if item.workload != "W3":
        return
    deadline = time.monotonic() + patience
    while (begun := count(item.marks)) < item.runs and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
    if begun == item.runs:
        tell("asleep", item=item.number)


def wait_for(ended: Callable[[], bool], seconds: float, what: str) -> None:
    """Look until something has happened.

    Raises:
        TimeoutError: It did not.
    """
    deadline = time.monotonic() + seconds
    while not ended():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} after {seconds:g} s")
        time.sleep(LOOK_EVERY)


def wait_until_killable(item: Item) -> None:
    """Wait until enough steps of a run have begun to kill its worker in the middle."""
    wait_for(lambda: count(item.marks) >= item.kill_at, CRASH_SECONDS, "no step to kill")


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process as if its machine had failed."""
    process.send_signal(signal.SIGKILL)
    process.wait()


@contextmanager
def child(module: str, *arguments: str, quiet: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a script of this folder in a process of its own; end it in the end."""
    process = start(module, *arguments, quiet=quiet)
    try:
        yield process
    finally:
        kill(process)


def start(module: str, *arguments: str, quiet: Path) -> subprocess.Popen[bytes]:
    """Start a script of this folder in a process of its own, with its output in a file."""
    with quiet.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", f"bench.peers.{module}", *arguments],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
        )


def arguments(item: Item, number: int) -> dict[str, Any]:
    """Return the input of a run, which is the same for every peer."""
    return {
        "marks": item.marks,
        "run": number,
        "steps": item.steps,
        "seconds": item.seconds,
        "millis": item.millis,
    }
