"""Everstep in one process, with the protocol of `bench.peers`: `python -m bench.suite.in_process`.

`memory` is the engine with the adapters that keep everything in memory; `moto` is the engine with
the adapters for AWS, boto3's clients and moto behind them. Messages are processed one by one, and
the clock is the machine's: a sleep lasts as long as it says.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Protocol

import yaml

from bench.layer import ROOT
from bench.peers import protocol
from bench.peers.protocol import Item, Task
from bench.suite.flows import WORKFLOWS
from bench.suite.plan import BURST
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.queue import MemoryQueue
from everstep.adapters.memory.store import MemoryStore
from everstep.adapters.system import SystemClock, SystemIds
from everstep.app.advance import advance
from everstep.app.engine import Engine, Limits
from everstep.app.kept import Passes
from everstep.app.start import start
from everstep.authoring.registry import Registry
from everstep.core.statuses import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from everstep.core.model import Message

_VISIBILITY: Final = 60
_PATIENCE: Final = 600
_LONGEST_REST: Final = 0.02
_POLL: Final = 0.005
_TABLE: Final = (
    "AttributeDefinitions",
    "KeySchema",
    "GlobalSecondaryIndexes",
    "BillingMode",
)


class _Host(Protocol):
    """What processes messages."""

    engine: Engine

    def work(self) -> bool:
        """Process what is due; say whether there was anything."""

    def left(self) -> int:
        """Return how many messages there are, delayed ones included."""

    def rest(self) -> None:
        """Wait a moment, since nothing is due."""


class InMemory:
    """The engine over memory."""

    def __init__(self, limits: Limits) -> None:
        """Start empty."""
        clock, store = SystemClock(), MemoryStore()
        self.queue = MemoryQueue(clock)
        self.engine = Engine(
            runs=store,
            timers=store,
            lists=store,
            dead_letters=store,
            queue=self.queue,
            blobs=MemoryBlobs(),
            clock=clock,
            ids=SystemIds(),
            registry=_registry(),
            limits=limits,
            kept=Passes(),
        )

    def work(self) -> bool:
        """Process the next message."""
        delivery = self.queue.receive(_VISIBILITY)
        if delivery is None:
            return False
        advance(self.engine, delivery.message)
        self.queue.delete(delivery)
        return True

    def left(self) -> int:
        """Return how many messages there are."""
        return self.queue.depth()

    def rest(self) -> None:
        """Wait until a message is due, but not for long."""
        due = self.queue.next_visible_at()
        if due is not None:
            wait = due / 1_000 - time.time()
            time.sleep(min(max(wait, 0), _LONGEST_REST))


class OnMoto:
    """The engine over boto3's clients and moto."""

    def __init__(self, limits: Limits) -> None:
        """Make a table and a queue."""
        from everstep.adapters.dynamodb.indexes import DynamoRunList, DynamoTimers  # noqa: PLC0415
        from everstep.adapters.dynamodb.store import DynamoRuns  # noqa: PLC0415
        from everstep.adapters.sqs import SqsQueue  # noqa: PLC0415
        from everstep.wiring import Clients  # noqa: PLC0415

        made: Any = Clients()
        dynamodb, self._sqs = made.make("dynamodb"), made.make("sqs")
        dynamodb.create_table(TableName="bench", **_definition())
        self._url = self._sqs.create_queue(
            QueueName="bench", Attributes={"VisibilityTimeout": str(_VISIBILITY)}
        )["QueueUrl"]
        nobody = MemoryStore()
        self.engine = Engine(
            runs=DynamoRuns(dynamodb, "bench"),
            timers=DynamoTimers(dynamodb, "bench"),
            lists=DynamoRunList(dynamodb, "bench"),
            dead_letters=nobody,
            queue=SqsQueue(self._sqs, self._url),
            blobs=MemoryBlobs(),
            clock=SystemClock(),
            ids=SystemIds(),
            registry=_registry(),
            limits=limits,
            kept=Passes(),
        )

    def work(self) -> bool:
        """Process up to ten messages, as Lambda's poller would hand them over."""
        received = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0
        )
        found = received.get("Messages", ())
        for each in found:
            advance(self.engine, _decoded(each["Body"]))
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=each["ReceiptHandle"])
        return bool(found)

    def left(self) -> int:
        """Return how many messages there are: visible, delayed and hidden."""
        answer = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["All"])
        counts = answer["Attributes"].items()
        return sum(int(n) for name, n in counts if name.startswith("ApproximateNumber"))

    def rest(self) -> None:
        """Wait a moment."""
        time.sleep(_POLL)


def _decoded(body: str) -> Message:
    from everstep.core import messages  # noqa: PLC0415 - for moto only

    return messages.decode(body)


def _registry() -> Registry:
    return Registry(list(dict.fromkeys(WORKFLOWS.values())))


def _definition() -> dict[str, Any]:
    """Return the table of the template: its keys and indexes."""

    class Loader(yaml.SafeLoader):
        """Takes CloudFormation's short forms for nothing: keys and indexes have none."""

    Loader.add_multi_constructor("!", lambda *_: None)
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    # A SafeLoader with one more constructor, which makes nothing.
    resources = yaml.load(text, Loader)["Resources"].values()  # noqa: S506
    (table,) = (each for each in resources if each["Type"] == "AWS::DynamoDB::Table")
    return {name: table["Properties"][name] for name in _TABLE}


def limits(*, burst: bool) -> Limits:
    """Return the engine's limits."""
    return Limits(steps_per_message=BURST) if burst else Limits()


def play(item: Item, host: _Host) -> float:
    """Play one item.

    Raises:
        NotImplementedError: It is to be killed: what it remembers is in the same process.
        TimeoutError: Runs did not end.
    """
    if item.shape == "crash":
        raise NotImplementedError("what is recorded is in the process that would be killed")
    flow = WORKFLOWS[item.shape]
    began = time.monotonic()
    runs = {
        start(host.engine, flow.name, protocol.arguments(item, number)).run_id
        for number in range(item.runs)
    }
    asleep = _once(item)
    while (busy := host.work()) or host.left():
        if not busy:
            asleep()
            host.rest()
        if time.monotonic() - began > _PATIENCE:
            raise TimeoutError("runs did not end")
    seconds = time.monotonic() - began
    statuses = {_status(host.engine, run) for run in runs}
    if statuses != {RunStatus.COMPLETED}:
        raise RuntimeError(f"runs ended as {statuses}")
    return seconds


def _once(item: Item) -> Callable[[], None]:
    """Return what says once that all runs are asleep."""
    told = item.workload != "W3"

    def look() -> None:
        nonlocal told
        if not told and protocol.count(item.marks) == item.runs:
            protocol.tell("asleep", item=item.number)
            told = True

    return look


def _status(engine: Engine, run: str) -> RunStatus | None:
    head = engine.runs.head(run)
    return head.status if head else None


@contextmanager
def host_of(store: str, *, burst: bool) -> Iterator[_Host]:
    """Give an engine over memory or moto."""
    if store == "memory":
        yield InMemory(limits(burst=burst))
        return
    from moto import mock_aws  # noqa: PLC0415 - only where it is used

    with mock_aws():
        yield OnMoto(limits(burst=burst))


def main() -> None:
    """Play a task."""
    logging.disable(logging.CRITICAL)
    os.environ.update(
        AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="x",  # noqa: S106 - nobody's
        AWS_DEFAULT_REGION="us-east-1",
    )
    task = Task.read(sys.argv[1])
    with host_of(task.options["store"], burst=task.options.get("burst") == "yes") as host:
        warm = Item(number=-1, workload="W1", shape="sequence", steps=3, marks=os.devnull)
        play(warm, host)
        protocol.play_all(task, ["everstep", "boto3"], lambda item: play(item, host))


if __name__ == "__main__":
    main()
