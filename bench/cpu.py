"""Processor time of the engine itself, without any service: `python -m bench.cpu`.

Steps are processed over the memory adapters, one message after another, everything included that
a message takes: decode it, load, replay, run the step, commit, decide, send. Replays are measured
by themselves, from DynamoDB's items to the decision. All of it is processor time of this process,
the best of several rounds; how long it is depends on the machine.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
from collections import deque
from dataclasses import dataclass, field, replace
from time import process_time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from everstep import Context, step, workflow
from everstep.adapters.dynamodb.items import from_head, from_record
from everstep.adapters.dynamodb.store import DynamoRuns
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.store import MemoryStore
from everstep.adapters.system import SystemClock, SystemIds
from everstep.app.engine import Engine
from everstep.app.kept import Passes
from everstep.app.payloads import load
from everstep.app.receive import receive
from everstep.app.start import start
from everstep.authoring.registry import Registry
from everstep.core.decisions import Suspended
from everstep.core.joins import write_join
from everstep.core.messages import encode
from everstep.core.meter import meter
from everstep.core.model import History, OpRecord, OpStatus, Payload
from everstep.core.replay import Replay
from everstep.core.spending import sends_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from everstep import Workflow
    from everstep.core.decisions import Decision
    from everstep.core.model import Outgoing
    from everstep.core.operations import Operation

LENGTHS: Final = (100, 1_000, 5_000)
"""Operations of the histories that are replayed."""

RUNS: Final = 200
"""Runs of ten steps, which go on in turn (W1)."""
STEPS: Final = 1_000
"""Steps of one long run (W2)."""

_TEN: Final = 10
_AT: Final = 1_767_225_600_000

T = TypeVar("T")


@step
def count(number: int) -> int:
    """Count one up."""
    return number + 1


@workflow(name="sequence")
async def sequence(ctx: Context, steps: int) -> int:
    """Run so many steps, one after the other."""
    number = 0
    for _ in range(steps):
        number = await ctx.step(count, number)
    return number


@workflow(name="group")
async def group(ctx: Context, items: int) -> int:
    """Run a step for each of so many items side by side, then one more."""
    batch = await ctx.map(count, range(items))
    return await ctx.step(count, batch.succeeded)


@dataclass(slots=True)
class Bodies:
    """A queue without delays, which holds messages as they are sent: as text."""

    waiting: deque[str] = field(default_factory=deque)

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send every message."""
        self.waiting.extend([encode(each.message, each.cost) for each in outgoing])
        meter().send(sends_for(len(outgoing)))


@dataclass(slots=True)
class Answered:
    """A DynamoDB client that has the answer to a query at hand, as botocore has parsed it."""

    items: list[Any]

    def query(self, **_request: Any) -> dict[str, Any]:  # noqa: ANN401 - botocore's
        """Return the items."""
        return {"Items": self.items}


class Process:
    """A process that works on its own, message by message, over the memory adapters."""

    def __init__(self, flow: Workflow[Any, Any]) -> None:
        """Deploy a workflow to an empty store."""
        self.store = MemoryStore()
        self.queue = Bodies()
        self.flow = flow
        self.engine = Engine(
            runs=self.store,
            timers=self.store,
            lists=self.store,
            dead_letters=self.store,
            queue=self.queue,
            blobs=MemoryBlobs(),
            clock=SystemClock(),
            ids=SystemIds(),
            registry=Registry([flow]),
            kept=Passes(),
        )

    def start(self, value: object) -> str:
        """Start a run; return its id."""
        return start(self.engine, self.flow.name, value).run_id

    def work(self) -> int:
        """Process messages until there are no more; return how many there were."""
        done = 0
        while self.queue.waiting:
            receive(self.engine, f"message-{done}", self.queue.waiting.popleft())
            done += 1
        return done


def steps_of_many(runs: int = RUNS) -> float:
    """Return the milliseconds of a step where many runs of ten go on in turn (W1)."""
    process = Process(sequence)
    for _ in range(runs):
        process.start(_TEN)
    return _millis(process.work)[1] / (runs * _TEN)


def steps_of_one(steps: int = STEPS) -> float:
    """Return the milliseconds of a step of one long run, whose pass is kept (W2)."""
    process = Process(sequence)
    process.start(steps)
    return _millis(process.work)[1] / steps


def replay_of(flow: Workflow[Any, Any], operations: int, rounds: int) -> dict[str, float]:
    """Return the milliseconds that it takes to load and replay a run that waits for a last step.

    Args:
        flow: What is run; its input says how many steps it has.
        operations: How many of them are recorded.
        rounds: How often it is replayed; the best one counts.
    """
    process = Process(flow)
    history = _recorded(process, operations)
    run_id = history.head.run_id
    records = [from_record(run_id, record) for record in history.records.values()]
    text = json.dumps([from_head(history.head), *records])
    found = [loaded_and_replayed(process, run_id, json.loads(text)) for _ in range(rounds)]
    decoding, replaying = (min(times) for times in zip(*found, strict=True))
    return {
        "operations": len(records),
        "decode_ms": round(decoding, 3),
        "replay_ms": round(replaying, 3),
        "total_ms": round(decoding + replaying, 3),
    }


def loaded_and_replayed(process: Process, run_id: str, items: list[Any]) -> tuple[float, float]:
    """Return the milliseconds that it takes to load a run from its items, and to replay it."""
    client: Any = Answered(items)
    engine = replace(process.engine, runs=DynamoRuns(client, "table"))
    history, decoding = _millis(lambda: _there(load(engine, run_id)))
    replay, replaying = _millis(lambda: Replay(process.flow, history, masking=engine.masking))
    suspended(replay.decision)
    replay.close()
    return decoding, replaying


def _recorded(process: Process, operations: int) -> History:
    """Return the history of a run that waits for one more step after so many."""
    more = process.flow is sequence
    history = _there(process.store.load(process.start(operations + more)))
    with Replay(process.flow, history) as replay:
        for number in range(operations):
            first, *_ = suspended(replay.decision).frontier
            replay.resume(_done(first.key, first.operation, str(number + 1)))
        records = dict(replay.records)
        for joined in suspended(replay.decision).closable:
            join = write_join(joined.join)
            records[joined.key] = _done(joined.key, joined.operation, join)
    return replace(history, records=records)


def suspended(decision: Decision) -> Suspended:
    """Return the decision of a pass that waits, as all do that are measured."""
    if not isinstance(decision, Suspended):
        raise TypeError(decision)
    return decision


def _there(history: History | None) -> History:
    if history is None:
        raise LookupError("there is no such run")
    return history


def _done(key: str, operation: Operation[Any], text: str) -> OpRecord:
    return OpRecord(
        key=key,
        kind=operation.kind,
        status=OpStatus.DONE,
        by="0123456789abcdef",
        input_hash=operation.input_hash,
        attempt=1,
        started_at=_AT,
        ended_at=_AT,
        result=Payload(text=text, size=len(text)),
    )


def measure(
    rounds: int = 5,
    lengths: Sequence[int] = LENGTHS,
    *,
    runs: int = RUNS,
    steps: int = STEPS,
) -> dict[str, Any]:
    """Return the processor time of steps and replays, in milliseconds.

    Args:
        rounds: How often each is measured; the best one counts.
        lengths: Operations of the histories that are replayed.
        runs: How many runs of ten steps W1 has.
        steps: How many steps the run of W2 has.
    """
    return {
        "python": platform.python_version(),
        "rounds": rounds,
        "step_ms": {
            "W1": round(min(steps_of_many(runs) for _ in range(rounds)), 4),
            "W2": round(min(steps_of_one(steps) for _ in range(rounds)), 4),
        },
        "replay": {
            flow.name: [replay_of(flow, length, rounds) for length in lengths]
            for flow in (sequence, group)
        },
    }


def table(measured: dict[str, Any]) -> Iterator[str]:
    """Yield what was measured as lines for people."""
    yield f"Python {measured['python']}, processor time, best of {measured['rounds']}"
    yield ""
    for name, millis in measured["step_ms"].items():
        yield f"{name}: {millis:.3f} ms per step"
    yield ""
    yield "history    operations   decode ms   replay ms    total ms"
    for name, replays in measured["replay"].items():
        for each in replays:
            yield (
                f"{name:<10} {each['operations']:>10}  {each['decode_ms']:>10.2f}"
                f"  {each['replay_ms']:>10.2f}  {each['total_ms']:>10.2f}"
            )


def _millis(work: Callable[[], T]) -> tuple[T, float]:
    """Return what work comes to, and how long it takes."""
    gc.collect()
    began = process_time()
    done = work()
    return done, 1_000 * (process_time() - began)


def main(arguments: list[str] | None = None) -> None:
    """Print a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    given = parser.parse_args(arguments)
    measured = measure(given.rounds, given.lengths)
    print(json.dumps(measured, indent=2) if given.json else "\n".join(table(measured)))


if __name__ == "__main__":
    main()
