"""What a step takes late in a long run, with passes kept and without: `python -m bench.long_runs`.

Reads, writes, requests and messages are counted, over the model of the table. Processor time is
measured, here, and says how it grows; how long it is depends on the machine.
"""

from __future__ import annotations

import argparse
from collections import deque
from dataclasses import dataclass, field, replace
from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Any, Final

from bench.table_client import TableClient, Taken
from everstep import Context, step, workflow
from everstep.adapters.dynamodb.store import DynamoRuns
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.store import MemoryStore
from everstep.app.advance import advance
from everstep.app.engine import Engine
from everstep.app.kept import Passes
from everstep.app.metering import processing
from everstep.app.start import start
from everstep.authoring.registry import Registry
from everstep.core.durations import SECOND
from everstep.core.messages import encode
from everstep.core.meter import meter
from everstep.core.spending import sends_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from everstep import Workflow
    from everstep.core.model import Outgoing

AT: Final = (100, 1_000, 5_000)
MAPS: Final = (100, 300, 1_000)
BATCHES: Final = (1, 10)
AT_A_TIME: Final = 10
_NOW: Final = 1_767_225_600_000
_SAMPLES: Final = 10


@step
def count(number: int) -> int:
    """Count one up."""
    return number + 1


@workflow(name="long")
async def counts(ctx: Context, steps: int) -> int:
    """Run so many steps, one after the other."""
    number = 0
    for _ in range(steps):
        number = await ctx.step(count, number)
    return number


@workflow(name="wide")
async def maps(ctx: Context, items: int) -> int:
    """Run a step for each of so many items, side by side."""
    batch = await ctx.map(count, range(items))
    return batch.succeeded


@workflow(name="lanes")
async def lanes(ctx: Context, items: int) -> int:
    """Run a step for each of so many items, ten of them at a time."""
    batch = await ctx.map(count, range(items), max_concurrency=AT_A_TIME)
    return batch.succeeded


@dataclass(slots=True)
class Messages:
    """A queue without a delay, of which every request and message is counted."""

    waiting: deque[Outgoing] = field(default_factory=deque)
    requests: int = 0
    sent: int = 0
    largest: int = 0

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send in batches of ten."""
        meter().send(sends_for(len(outgoing)))
        self.waiting.extend(outgoing)
        self.sent += len(outgoing)
        self.requests += -(-len(outgoing) // 10)
        self.largest = max(self.largest, *(len(encode(each.message)) for each in outgoing))


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What one step takes after so many others.

    Attributes:
        after: How many steps are recorded before it.
        kept: Whether the process keeps its passes.
        read_units: Of DynamoDB.
        write_units: Of DynamoDB's table, without its indexes.
        requests: To DynamoDB.
        messages: Sent.
        millis: Processor time, the median of some steps.
    """

    after: int
    kept: bool
    read_units: float
    write_units: float
    requests: float
    messages: float
    millis: float


class Process:
    """One process that works on its own, message by message."""

    def __init__(
        self,
        flow: Workflow[Any, Any],
        *more: Workflow[Any, Any],
        fresh: int = SECOND,
        batch: int = BATCHES[-1],
    ) -> None:
        """Deploy workflows to an empty table; runs are started of the first one.

        Args:
            flow: What runs are started of.
            more: What is deployed beside it.
            fresh: For so many milliseconds what was read is not read again; no time passes here.
            batch: How many messages the queue hands over at a time.
        """
        self.batch = batch
        self.client = TableClient()
        self.queue = Messages()
        self.handed_over = 0
        nobody = MemoryStore()
        client: Any = self.client
        self.engine = Engine(
            runs=DynamoRuns(client, "table"),
            timers=nobody,
            lists=nobody,
            dead_letters=nobody,
            queue=self.queue,
            blobs=MemoryBlobs(),
            clock=VirtualClock(_NOW),
            ids=SequenceIds(),
            registry=Registry([flow, *more]),
            kept=Passes(fresh=fresh),
        )
        self.flow = flow

    def start(self, value: object) -> str:
        """Start a run; return its id."""
        return start(self.engine, self.flow.name, value).run_id

    def messages(self) -> Iterator[None]:
        """Process messages until there are no more; yield after each."""
        while self.queue.waiting:
            self.next()
            yield

    def next(self) -> None:
        """Process the next message."""
        waiting = self.queue.waiting
        message = waiting.popleft().whole
        # The queue hands them over in batches, so that a process knows what comes next.
        self.handed_over += 1
        known = waiting and self.handed_over % self.batch
        following = encode(waiting[0].message) if known else ""
        with processing(self.engine, message, 1):
            advance(self.engine, message, following=following)

    def late(self, after: int) -> Late:
        """Process some messages and say what each takes."""
        self.client.taken, self.queue.sent = Taken(), 0
        times = []
        for _ in range(_SAMPLES):
            began = process_time()
            self.next()
            times.append(1_000 * (process_time() - began))
        taken = self.client.taken
        return Late(
            after=after,
            kept=self.engine.kept is not None,
            read_units=taken.read_units / _SAMPLES,
            write_units=taken.write_units / _SAMPLES,
            requests=taken.requests / _SAMPLES,
            messages=self.queue.sent / _SAMPLES,
            millis=median(times),
        )


def late_steps(at: Sequence[int] = AT) -> Iterator[Late]:
    """Bring one run to each of these lengths, and say what its next steps take, both ways."""
    process = Process(counts, fresh=0)
    process.start(max(at) + 10 * _SAMPLES)
    engine, done = process.engine, -1
    messages = process.messages()
    for after in at:
        while done < after:
            next(messages)
            done += 1
        yield process.late(after)
        process.engine = replace(engine, kept=None)
        yield process.late(after)
        process.engine = engine
        done += 2 * _SAMPLES


@dataclass(frozen=True, slots=True, kw_only=True)
class PerItem:
    """What an item of a map takes, its share of the beginning and the end included.

    Attributes:
        items: How many there are.
        batch: How many messages the queue hands over at a time.
        requests: To DynamoDB.
        sends: Requests to SQS that send.
        read_units: Of DynamoDB.
        write_units: Of DynamoDB's table, without its indexes.
        millis: Processor time.
    """

    items: int
    batch: int
    requests: float
    sends: float
    read_units: float
    write_units: float
    millis: float


def map_of(
    items: int,
    batch: int = BATCHES[-1],
    *,
    flow: Workflow[Any, Any] = maps,
    fresh: int = SECOND,
) -> PerItem:
    """Run a step for each of so many items, and say what each takes."""
    process = Process(flow, fresh=fresh, batch=batch)
    began = process_time()
    process.start(items)
    for _ in process.messages():
        pass
    taken = process.client.taken
    return PerItem(
        items=items,
        batch=batch,
        requests=taken.requests / items,
        sends=process.queue.requests / items,
        read_units=taken.read_units / items,
        write_units=taken.write_units / items,
        millis=1_000 * (process_time() - began) / items,
    )


def main(arguments: list[str] | None = None) -> None:
    """Print what a step takes at each length."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at", type=int, nargs="+", default=AT)
    parser.add_argument("--maps", type=int, nargs="*", default=MAPS)
    options = parser.parse_args(arguments)
    for late in late_steps(options.at):
        print(
            f"after {late.after:>5} steps, {'kept    ' if late.kept else 'replayed'}: "
            f"{late.read_units:6.1f} read units, {late.write_units:.1f} write units, "
            f"{late.requests:.1f} requests, {late.messages:.1f} messages, {late.millis:8.2f} ms"
        )
    for each in (map_of(items, batch) for items in options.maps for batch in BATCHES):
        print(
            f"map of {each.items:>5}, batches of {each.batch:>2}, an item: "
            f"{each.requests:.2f} requests, "
            f"{each.sends:.2f} sends, {each.read_units:.2f} read units, "
            f"{each.write_units:.2f} write units, {each.millis:.2f} ms"
        )


if __name__ == "__main__":
    main()
