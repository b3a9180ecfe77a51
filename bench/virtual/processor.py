"""What work takes here, on a whole processor: the engine's for a step, the AWS client's."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from io import BytesIO
from time import process_time
from typing import TYPE_CHECKING, Any, Final

from bench.virtual.deployment import Own
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.store import MemoryStore
from everstep.app.advance import advance
from everstep.app.engine import Engine
from everstep.app.kept import Passes
from everstep.app.start import start
from everstep.authoring.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from everstep import Workflow
    from everstep.core.model import Outgoing

_MILLIS: Final = 1_000


@dataclass(slots=True)
class _Messages:
    waiting: deque[Outgoing] = field(default_factory=deque)

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Keep every message."""
        self.waiting.extend(outgoing)


@dataclass(slots=True)
class Answer:
    """An answer of DynamoDB as the AWS client's transport would give it."""

    body: bytes
    status_code: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "text/json"})

    @property
    def raw(self) -> BytesIO:
        """Return the body to read."""
        return BytesIO(self.body)

    @property
    def content(self) -> bytes:
        """Return the body."""
        return self.body


def measured(flow: Workflow[Any, Any], steps: int, *, rounds: int = 3) -> Own:
    """Return what work takes, the best of some rounds: other work on the machine only adds."""
    step = min(_engine_millis(flow, steps) for _ in range(rounds))
    return Own(step=step, call=min(_call_millis() for _ in range(rounds)))


def _engine_millis(flow: Workflow[Any, Any], steps: int) -> float:
    store, queue = MemoryStore(), _Messages()
    engine = Engine(
        runs=store,
        timers=store,
        lists=store,
        dead_letters=store,
        queue=queue,
        blobs=MemoryBlobs(),
        clock=VirtualClock(1_767_225_600_000),
        ids=SequenceIds(),
        registry=Registry([flow]),
        kept=Passes(),
    )
    start(engine, flow.name, steps)
    return _best(lambda: advance(engine, queue.waiting.popleft().message), steps)


def _best(work: Callable[[], object], times: int) -> float:
    begun = process_time()
    for _ in range(times):
        work()
    return _MILLIS * (process_time() - begun) / times


def _call_millis(calls: int = 200) -> float:
    """Return what a request takes the AWS client: all but the network."""
    from botocore.session import Session  # noqa: PLC0415 - only who measures pays for it

    session = Session()
    session.set_credentials("AKIAEXAMPLE", "secret")
    client: Any = session.create_client("dynamodb", region_name="us-east-1")
    client.meta.events.register("before-send", lambda **_: Answer(b"{}"))
    item = {name: {"S": name * 10} for name in ("PK", "SK", "kind", "status", "by", "result")}
    put = client.put_item
    return _best(lambda: put(TableName="table", Item=item), calls)
