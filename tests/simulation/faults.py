"""What can go wrong at a port call, and ports through which it does.

``wrap`` puts a gate in front of every port of an engine. The gate is asked at each call: it may
let it happen, make the process die before or after it, lose its answer, or refuse it. Calls are
numbered in the order in which they happen, so a fault is a number and a kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from everstep.core.model import History

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from random import Random

    from everstep.app.engine import Engine
    from everstep.core.changes import HeadChange
    from everstep.core.model import (
        Claim,
        DueEntry,
        Head,
        Listed,
        OpRecord,
        Outgoing,
        RunStatus,
    )
    from everstep.core.transitions import Guard, HeadGuard
    from everstep.ports import BlobStore, DeadLetters, Queue, RunList, RunStore, TimerIndex

T = TypeVar("T")


class FaultKind(StrEnum):
    """What goes wrong at one call."""

    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    ANSWER_LOST = "answer lost"
    UNAVAILABLE = "unavailable"
    PARTIAL = "applied in part"


READS: Final = frozenset(
    {"runs.load", "runs.rest", "runs.head", "timers.due", "blobs.get", "lists.newest"}
)
EXECUTIONS: Final = frozenset({"attempt", "effect"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One port call: its number within the schedule, and what it is about."""

    number: int
    name: str
    detail: str
    task: str
    batch: int = 1

    @property
    def kinds(self) -> tuple[FaultKind, ...]:
        """Return the faults that make a difference here.

        A lost read is a refused read, and dying after it is dying before the next call. User
        code does not answer, so only the process can die there.
        """
        if self.name in READS:
            return (FaultKind.CRASH_BEFORE, FaultKind.UNAVAILABLE)
        if self.name in EXECUTIONS:
            return (FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER)
        kinds = (
            FaultKind.CRASH_BEFORE,
            FaultKind.CRASH_AFTER,
            FaultKind.ANSWER_LOST,
            FaultKind.UNAVAILABLE,
        )
        return (*kinds, FaultKind.PARTIAL) if self.batch > 1 else kinds

    def __str__(self) -> str:
        return f"{self.number:>4} {self.task}: {self.name} {self.detail}"


class Faults(Protocol):
    """Decides at which call what goes wrong."""

    def at(self, call: Call) -> FaultKind | None:
        """Return what goes wrong at this call, if anything."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Faults at numbered calls; no numbers, no faults."""

    plan: Mapping[int, FaultKind] = field(default_factory=dict)

    def at(self, call: Call) -> FaultKind | None:
        """Return what the plan says."""
        return self.plan.get(call.number)


@dataclass(slots=True)
class Once:
    """One fault, at the first (or n-th) call of a name."""

    name: str
    kind: FaultKind
    nth: int = 1
    detail: str = ""
    _seen: int = 0

    def at(self, call: Call) -> FaultKind | None:
        """Return the fault when its call has come."""
        if call.name != self.name or self.detail not in call.detail:
            return None
        self._seen += 1
        return self.kind if self._seen == self.nth else None


@dataclass(slots=True)
class Always:
    """The same fault at every call of some names, as long as it is switched on."""

    names: frozenset[str]
    kind: FaultKind
    on: bool = True

    def at(self, call: Call) -> FaultKind | None:
        """Return the fault while it lasts."""
        return self.kind if self.on and call.name in self.names else None


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """No fault: something that happens just before a numbered call."""

    number: int
    act: Callable[[], object]

    def at(self, call: Call) -> FaultKind | None:
        """Let it happen when its call has come."""
        if call.number == self.number:
            self.act()
        return None


@dataclass(slots=True)
class Chance:
    """Faults by chance, up to a number of them."""

    rng: Random
    probability: float
    budget: int

    def at(self, call: Call) -> FaultKind | None:
        """Throw the dice."""
        if self.budget == 0 or self.rng.random() >= self.probability:
            return None
        self.budget -= 1
        return self.rng.choice(call.kinds)


class Gate(Protocol):
    """What every port call passes through."""

    def pass_through(
        self,
        name: str,
        detail: str,
        do: Callable[[], T],
        partly: Callable[[], object] | None = None,
        batch: int = 1,
    ) -> T:
        """Let others go on, then do the call, or what goes wrong with it."""

    def two_pages(self) -> bool:
        """Say whether a query is read in two pages, with time between them."""

    def cut(self, size: int) -> int:
        """Say how many of so many records the first page holds."""


def wrap(engine: Engine, gate: Gate) -> Engine:
    """Return the engine with a gate in front of everything that can fail."""
    heard = engine.on_attempt

    def on_attempt(run_id: str, key: str, attempt: int) -> None:
        gate.pass_through(
            "attempt", f"{run_id} {key} {attempt}", lambda: heard(run_id, key, attempt)
        )

    return replace(
        engine,
        runs=GatedRuns(engine.runs, gate),
        timers=GatedTimers(engine.timers, gate),
        lists=GatedLists(engine.lists, gate),
        dead_letters=GatedDeadLetters(engine.dead_letters, gate),
        queue=GatedQueue(engine.queue, gate),
        blobs=GatedBlobs(engine.blobs, gate),
        on_attempt=on_attempt,
    )


@dataclass(frozen=True, slots=True)
class GatedRuns:
    """The run store behind the gate; a query may be read in two pages, so it is no snapshot."""

    inner: RunStore
    gate: Gate

    def create(self, head: Head, claim: Claim | None) -> Claim | None:
        """Write a new run."""
        return self.gate.pass_through(
            "runs.create", head.run_id, lambda: self.inner.create(head, claim)
        )

    def load(self, run_id: str) -> History | None:
        """Return the head and every record."""
        first = self.gate.pass_through("runs.load", run_id, lambda: self.inner.load(run_id))
        if first is None or not self.gate.two_pages():
            return first
        rest = self.gate.pass_through("runs.rest", run_id, lambda: self.inner.load(run_id))
        return first if rest is None else self._joined(first, rest)

    def _joined(self, first: History, rest: History) -> History:
        """Return what a query sees whose first page was read before its second."""
        keys = sorted(first.records.keys() | rest.records.keys())
        early = frozenset(keys[: self.gate.cut(len(keys))])
        records = {key: item for key, item in first.records.items() if key in early}
        records |= {key: item for key, item in rest.records.items() if key not in early}
        return History(head=first.head, records=records)

    def head(self, run_id: str) -> Head | None:
        """Return the head alone."""
        return self.gate.pass_through("runs.head", run_id, lambda: self.inner.head(run_id))

    def put(self, run_id: str, record: OpRecord, guard: Guard) -> bool:
        """Replace an operation's record."""
        return self.gate.pass_through(
            "runs.put",
            f"{run_id} {record.key} {record.status} {record.attempt}",
            lambda: self.inner.put(run_id, record, guard),
        )

    def move(self, run_id: str, key: str, due_at: int | None, guard: Guard) -> bool:
        """Change a record's place in the due index."""
        return self.gate.pass_through(
            "runs.move", f"{run_id} {key}", lambda: self.inner.move(run_id, key, due_at, guard)
        )

    def change(self, run_id: str, change: HeadChange, guard: HeadGuard) -> bool:
        """Change the head."""
        return self.gate.pass_through(
            "runs.change",
            f"{run_id} {type(change).__name__}",
            lambda: self.inner.change(run_id, change, guard),
        )


@dataclass(frozen=True, slots=True)
class GatedTimers:
    """The due index behind the gate."""

    inner: TimerIndex
    gate: Gate

    @property
    def shards(self) -> int:
        """Return how many shards there are."""
        return self.inner.shards

    def due(self, shard: int, until: int, limit: int) -> Sequence[DueEntry]:
        """Return entries due up to an instant."""
        return self.gate.pass_through(
            "timers.due", f"shard {shard}", lambda: self.inner.due(shard, until, limit)
        )


@dataclass(frozen=True, slots=True)
class GatedLists:
    """The list of runs behind the gate."""

    inner: RunList
    gate: Gate

    def newest(
        self, workflow: str, status: RunStatus, before: str | None, limit: int
    ) -> Sequence[Listed]:
        """Return up to ``limit`` runs."""
        return self.gate.pass_through(
            "lists.newest", workflow, lambda: self.inner.newest(workflow, status, before, limit)
        )


@dataclass(frozen=True, slots=True)
class GatedDeadLetters:
    """The place for messages that belong to no run, behind the gate."""

    inner: DeadLetters
    gate: Gate

    def keep(self, message_id: str, body: str, reason: str, at: int) -> None:
        """Keep a message."""
        self.gate.pass_through(
            "dead_letters.keep", message_id, lambda: self.inner.keep(message_id, body, reason, at)
        )


@dataclass(frozen=True, slots=True)
class GatedQueue:
    """The step queue behind the gate."""

    inner: Queue
    gate: Gate

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send every message, or the first half of them."""
        half = outgoing[: len(outgoing) // 2]
        self.gate.pass_through(
            "queue.send",
            ", ".join(_described(item) for item in outgoing),
            lambda: self.inner.send(outgoing),
            lambda: self.inner.send(half),
            len(outgoing),
        )


def _described(outgoing: Outgoing) -> str:
    message = outgoing.message
    attempt = f" {message.attempt}" if message.attempt else ""
    take = " take" if message.take else ""
    return f"{message.run_id} {message.kind} {message.op}{attempt}{take} +{outgoing.delay} s"


@dataclass(frozen=True, slots=True)
class GatedBlobs:
    """The blob store behind the gate."""

    inner: BlobStore
    gate: Gate

    def put(self, text: str) -> str:
        """Keep the text."""
        return self.gate.pass_through("blobs.put", "", lambda: self.inner.put(text))

    def get(self, ref: str) -> str:
        """Return the text of a reference."""
        return self.gate.pass_through("blobs.get", ref, lambda: self.inner.get(ref))
