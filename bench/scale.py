"""What the sweeper does with very many runs, on the memory adapters: `python -m bench.scale`.

Runs are started, sleep for days, are woken and end; every call to a port is counted. What is
claimed: the work of a sweep grows with what is due and not with what is asleep, and nothing on
the way of a run looks at other runs.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any, Final

from everstep import Context, step, workflow
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.store import MemoryStore
from everstep.app.advance import advance
from everstep.app.engine import Engine
from everstep.app.options import StartOptions
from everstep.app.start import start
from everstep.app.sweep import sweep
from everstep.authoring.registry import Registry
from everstep.core.durations import DAY, MINUTE, SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from everstep.core.model import Outgoing

RESULTS: Final = Path(__file__).with_name("results")
SHARDS: Final = 8
# Requests that a sweep has time for, of some 11 ms each in 50 seconds: see docs/scale.md.
PER_SWEEP: Final = 4_400
_NOW: Final = 1_767_225_600_000
_MINUTE_OF_DAY: Final = 24 * 60
_SCANS: Final = ("newest", "count", "every")


@step
def work(number: int) -> int:
    """Do next to nothing."""
    return number + 1


@workflow(name="sleeper")
async def sleeper(ctx: Context, seconds: int) -> int:
    """Run a step, sleep, run another."""
    number = await ctx.step(work, 1)
    await ctx.sleep(seconds)
    return await ctx.step(work, number)


@dataclass(slots=True)
class Counted:
    """An adapter of which every call is counted, and what it has given."""

    inner: Any
    calls: Counter[str]
    given: Counter[str]

    def __getattr__(self, name: str) -> object:
        """Return a call that is counted, or a property."""
        found = getattr(self.inner, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> object:  # noqa: ANN401 - as the adapter has it
            self.calls[name] += 1
            answer = found(*args, **kwargs)
            if isinstance(answer, list):
                self.given[name] += len(answer)
            return answer

        return call


@dataclass(slots=True)
class Messages:
    """A queue that finds its next message without looking at the others."""

    clock: VirtualClock
    waiting: list[tuple[int, int, Outgoing]] = field(default_factory=list)
    numbers: count[int] = field(default_factory=count)
    requests: int = 0

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Take messages, ten to a request."""
        self.requests += -(-len(outgoing) // 10)
        for each in outgoing:
            visible = self.clock.now() + each.delay * SECOND
            heappush(self.waiting, (visible, next(self.numbers), each))


class Deployment:
    """The engine with one workflow; nobody else disturbs it."""

    def __init__(self) -> None:
        """Deploy it to an empty table."""
        self.clock = VirtualClock(_NOW)
        self._behind = True
        self.calls: Counter[str] = Counter()
        self.given: Counter[str] = Counter()
        self.queue = Messages(self.clock)
        self.store = MemoryStore(SHARDS)
        counted: Any = Counted(self.store, self.calls, self.given)
        self.engine = Engine(
            runs=counted,
            timers=counted,
            lists=counted,
            dead_letters=counted,
            queue=self.queue,
            blobs=MemoryBlobs(),
            clock=self.clock,
            ids=SequenceIds(),
            registry=Registry([sleeper]),
        )

    def start(self, runs: int, seconds: Callable[[int], int], retention: int | None = None) -> None:
        """Start runs, and let each come to its sleep."""
        options = StartOptions(retention=retention)
        for number in range(runs):
            start(self.engine, "sleeper", seconds(number), options)
            self.work()

    def work(self) -> None:
        """Process every message that is visible now."""
        waiting = self.queue.waiting
        while waiting and waiting[0][0] <= self.clock.now():
            advance(self.engine, heappop(waiting)[2].message)

    def minute(self, most: int | None = None) -> dict[str, Any]:
        """Let a minute pass with its sweep, and return what the sweep did.

        Args:
            most: How many requests a sweep has time for; None for any number.
        """
        self.clock.advance(MINUTE)
        self.work()
        self.calls.clear()
        self.given.clear()
        sent = self.queue.requests

        def requests() -> int:
            return sum(self.calls.values()) + self.queue.requests - sent

        behind, self._behind = self._behind, True
        swept = sweep(self.engine, lambda: most is not None and requests() >= most, behind=behind)
        self._behind = not swept.finished
        done = {
            "queries": self.calls["due"],
            "read": self.given["due"],
            "entries": swept.entries,
            "timers": swept.timers,
            "removed": swept.removed,
            "sends": self.queue.requests - sent,
            "requests": requests(),
            "scans": sum(self.calls[name] for name in _SCANS),
            "finished": swept.finished,
        }
        self.work()
        return done

    @property
    def ended(self) -> int:
        """Return how many runs have ended."""
        return sum(each.status.terminal for each in self.store.every())


def measure(runs: int = 100_000) -> dict[str, Any]:
    """Return what sweeps do while so many runs sleep, wake and end, and when many are due at once.

    Args:
        runs: How many; parts of it where that is enough to see how it grows.
    """
    begun = process_time()
    return {
        "runs": runs,
        "through": through(runs),
        "asleep": [asleep(each) for each in (runs // 1_000, runs // 100, runs // 10)],
        "at_once": at_once(runs // 10),
        "removals": removals(runs // 20),
        "processor_seconds": round(process_time() - begun, 1),
    }


def asleep(runs: int, due: int = 10) -> dict[str, Any]:
    """Return what a sweep does with a few runs that are due among many that are not."""
    world = Deployment()
    world.start(runs, lambda number: 2 * DAY // SECOND if number >= due else DAY // SECOND)
    starts = dict(world.calls)
    # The first look at each head, seven minutes after its start, is behind.
    world.clock.advance(10 * MINUTE)
    world.minute()
    idle = world.minute()
    world.clock.set(_NOW + DAY - 16 * MINUTE)
    return {
        "runs": runs,
        "scans_at_start": sum(starts.get(name, 0) for name in _SCANS),
        "idle": idle,
        "due": world.minute(),
    }


def through(runs: int) -> dict[str, Any]:
    """Return what sweeps did while runs, started over a day, slept for a day and ended."""
    world = Deployment()
    each_minute = max(1, runs // _MINUTE_OF_DAY)
    sweeps: list[dict[str, Any]] = []
    started = 0
    while started < runs or world.queue.waiting or _sleeping(world):
        if started < runs:
            world.start(min(each_minute, runs - started), lambda _number: DAY // SECOND)
            started += min(each_minute, runs - started)
        sweeps.append(world.minute())
    return {
        "runs": runs,
        "started_a_minute": each_minute,
        "ended": world.ended,
        "minutes": len(sweeps),
        "scans": sum(each["scans"] for each in sweeps),
        "first_hour": _mean(sweeps[60:120]),
        "last_hour_of_starts": _mean(sweeps[1_380:1_440]),
        "while_they_wake": _mean(sweeps[1_500:1_560]),
        "most_read": max(each["read"] for each in sweeps),
        "most_entries": max(each["entries"] for each in sweeps),
    }


def at_once(runs: int, most: int = PER_SWEEP) -> dict[str, Any]:
    """Return how late runs are that are all due in the same minute, by what a sweep gets done."""
    world = Deployment()
    world.start(runs, lambda _number: DAY // SECOND)
    world.clock.advance(10 * MINUTE)
    world.minute()
    world.clock.set(_NOW + DAY - 16 * MINUTE)
    sweeps: list[dict[str, Any]] = []
    while sum(each["timers"] for each in sweeps) < runs:
        sweeps.append(world.minute(most))
    # Fifteen minutes before they are due the first ones are turned to.
    return {
        "runs": runs,
        "requests_a_sweep": most,
        "sweeps": len(sweeps),
        "minutes_late": max(0, len(sweeps) - 15),
        "most_read": max(each["read"] for each in sweeps),
        "idle_sweeps": sum(each["timers"] == 0 for each in sweeps),
        "requests_per_timer": sum(each["requests"] for each in sweeps) / runs,
    }


def removals(runs: int, most: int = PER_SWEEP) -> dict[str, Any]:
    """Return what sweeps did with runs to be removed all at once, while others are woken."""
    world = Deployment()
    world.start(runs, lambda _number: 0, retention=DAY // SECOND)
    world.clock.advance(MINUTE)
    world.start(100, lambda _number: DAY // SECOND)
    world.work()
    world.clock.set(_NOW + DAY + MINUTE)
    sweeps = [world.minute(most) for _ in range(5)]
    return {
        "runs": runs,
        "timers": sum(each["timers"] for each in sweeps),
        "removed": [each["removed"] for each in sweeps],
        "most_read": max(each["read"] for each in sweeps),
    }


def _sleeping(world: Deployment) -> bool:
    return any(
        next(iter(world.store.due(shard, 2**62, 1)), None) is not None for shard in range(SHARDS)
    )


def _mean(sweeps: Sequence[dict[str, Any]]) -> dict[str, float]:
    names = ("queries", "read", "entries", "timers", "requests")
    return {name: sum(each[name] for each in sweeps) / max(1, len(sweeps)) for name in names}


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--output", type=Path, help="file for the result as JSON")
    parsed = parser.parse_args(arguments)
    date = datetime.now(UTC).date().isoformat()
    result = {"date": date, "command": "python -m bench.scale", **measure(parsed.runs)}
    path = parsed.output or RESULTS / f"{date}-scale.json"
    text = json.dumps(result, indent=2)
    path.write_text(text + "\n", encoding="utf-8")
    print(text)
    print(f"written to {path}")


if __name__ == "__main__":
    main()
