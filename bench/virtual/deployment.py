"""A deployment in virtual time: clients, the queue, and executors that process its messages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

from bench.virtual.cloud import Cloud, Executors, Segment, Trace
from bench.virtual.ports import ENGINE, CloudClock, TimedQueue, TimedRuns
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.store import MemoryStore
from everstep.app.engine import Engine, Limits
from everstep.app.kept import Passes
from everstep.app.receive import receive
from everstep.app.start import start
from everstep.authoring.registry import Registry
from everstep.core.durations import MINUTE
from everstep.core.messages import encode
from everstep.core.observations import RunOver, SleepOver, StepAttempted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.virtual.assumptions import Assumptions
    from everstep import Workflow
    from everstep.core.model import Outgoing
    from everstep.core.observations import Observation

DELIVERY: Final = "SQS and event source: from the send to the handler"
COLD_START: Final = "cold start"
CLIENT: Final = "client's own work for a request"
WAITING: Final = "waiting for an executor"
_START: Final = 1_767_225_600_000
_MILLIS: Final = 1_000
_SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How the deployment is made.

    Attributes:
        name: What it is called in tables.
        memory_mb: Memory of the executor.
        steps_per_message: How many steps an invocation may make.
        executors: Most executors at once.
        cold: Whether there are no environments at the beginning.
    """

    name: str
    memory_mb: int
    steps_per_message: int = 1
    executors: int = 100
    cold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What work takes on a whole processor, in milliseconds.

    Attributes:
        step: The engine's for a step, from its message to its record and the next message.
        call: The AWS client's for a request.
    """

    step: float
    call: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A step that was recorded: when, and by whom."""

    at: int
    trace: Trace
    segments: int


@dataclass(slots=True, kw_only=True)
class Seen:
    """What happened.

    Attributes:
        commits: Of each run, in order.
        lasted: How long each run took, from the client's call to its end, in microseconds.
        late: By how much each sleep ended too late, in milliseconds.
        started: When each run's client called.
        messages: How many messages were processed.
    """

    commits: dict[str, list[Commit]] = field(default_factory=dict)
    lasted: dict[str, int] = field(default_factory=dict)
    late: list[int] = field(default_factory=list)
    started: dict[str, int] = field(default_factory=dict)
    messages: int = 0


class Deployment:
    """Everstep with one workflow, on services that take as long as is assumed."""

    def __init__(
        self,
        flow: Workflow[Any, Any],
        case: Case,
        assumed: Assumptions,
        own: Own,
        seed: int,
    ) -> None:
        """Deploy the workflow."""
        self.cloud = Cloud()
        self.seen = Seen()
        self._flow, self._case, self._assumed, self._own = flow, case, assumed, own
        self._rng = Random(seed)  # noqa: S311 - chance, not secrecy
        self._store = MemoryStore()
        runs: Any = TimedRuns(self._store, self._request, self._engine_work)
        self._engine = Engine(
            runs=runs,
            timers=self._store,
            lists=self._store,
            dead_letters=self._store,
            queue=TimedQueue(self._send),
            blobs=MemoryBlobs(),
            clock=CloudClock(self.cloud, _START),
            ids=SequenceIds(),
            registry=Registry([flow]),
            limits=Limits(steps_per_message=case.steps_per_message),
            observe=self._observe,
        )
        self._executors = Executors(
            most=case.executors, make=lambda: replace(self._engine, kept=Passes())
        )

    def start(self, value: object) -> None:
        """Let a client start a run now."""

        def body() -> None:
            begun = self.cloud.now
            run_id = start(self._engine, self._flow.name, value).run_id
            self.seen.started[run_id] = begun

        self.cloud.begin(body, Trace(), lambda: None)

    def run(self) -> Seen:
        """Let everything happen that is to happen; return what did."""
        self.cloud.run()
        return self.seen

    def _request(self, what: str) -> None:
        self._client_work()
        self.cloud.take(what, self._assumed.calls[what].draw(self._rng))

    def _send(self, what: str, outgoing: Sequence[Outgoing]) -> None:
        self._client_work()
        longest = max(self._deliver(each) for each in outgoing)
        self.cloud.take(what, round(self._assumed.send * longest))

    def _client_work(self) -> None:
        more = self._assumed.more_client_ms(self._own.call, self._case.memory_mb)
        if more:
            self.cloud.take(CLIENT, round(more * _MILLIS))

    def _engine_work(self) -> None:
        millis = self._assumed.processor_ms(self._own.step, self._case.memory_mb)
        self.cloud.take(ENGINE, round(millis * _MILLIS))

    def _deliver(self, outgoing: Outgoing) -> int:
        sent, sender = self.cloud.now, self.cloud.trace
        takes = self._assumed.delivery.draw(self._rng)
        arrives = sent + outgoing.delay * _SECOND + takes
        trace = Trace(sender=sender, segments=[Segment(what=DELIVERY, begin=sent, end=arrives)])
        self.cloud.at(arrives, lambda: self._arrived(outgoing, trace))
        return takes

    def _arrived(self, outgoing: Outgoing, trace: Trace) -> None:
        arrived = self.cloud.now

        def use(engine: Engine, new: bool) -> None:  # noqa: FBT001 - see Executors.call
            if self.cloud.now > arrived:
                waited = Segment(what=WAITING, begin=arrived, end=self.cloud.now)
                trace.segments.append(waited)
            cold = new and self._case.cold
            body = partial(self._execute, engine, outgoing, cold=cold)
            self.cloud.begin(body, trace, partial(self._free, engine))

        self._executors.call(use)

    def _free(self, engine: Engine) -> None:
        freed = self.cloud.now + self._assumed.free_after
        self.cloud.at(freed, partial(self._executors.release, engine))

    def _execute(self, engine: Engine, outgoing: Outgoing, *, cold: bool) -> None:
        if cold:
            self.cloud.take(COLD_START, self._assumed.cold_start.draw(self._rng))
        self.seen.messages += 1
        begun = self.cloud.now
        receive(
            engine,
            f"message-{self.seen.messages}",
            encode(outgoing.message),
            lambda: MINUTE - (self.cloud.now - begun) // _MILLIS,
        )

    def _observe(self, told: Observation) -> None:
        match told:
            case StepAttempted(run_id=run_id):
                trace = self.cloud.trace
                commit = Commit(at=self.cloud.now, trace=trace, segments=len(trace.segments))
                self.seen.commits.setdefault(run_id, []).append(commit)
            case RunOver(run_id=run_id):
                self.seen.lasted[run_id] = self.cloud.now
            case SleepOver(late=late):
                self.seen.late.append(late)
            case _:
                pass
