"""Ports with a gate in front of them: at each call others may go on, or something goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from everstep.core.model import HEAD, History
from everstep.testing.simulation.faults import FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from everstep.app.engine import Engine
    from everstep.core.audit import AuditEntry, Note
    from everstep.core.changes import HeadChange, RunEnded
    from everstep.core.circumstances import Claim, Reference
    from everstep.core.listing import Listed
    from everstep.core.model import DueEntry, Event, Head, OpRecord, Outgoing, RunStatus
    from everstep.core.transitions import Guard, HeadGuard
    from everstep.ports import BlobStore, DeadLetters, Queue, RunList, RunStore, TimerIndex

T = TypeVar("T")

# Longer than the sweeper waits before it sends again.
_LATE: Final = 600


class Gate(Protocol):
    """What every port call passes through."""

    def pass_through(
        self,
        name: str,
        detail: str,
        do: Callable[[], T],
        ways: Mapping[FaultKind, Callable[[], object]] | None = None,
        *,
        op: str = HEAD,
    ) -> T:
        """Let others go on, then do the call, or what goes wrong with it.

        Args:
            name: The port and what it is asked for.
            detail: What the call is about.
            do: Does it.
            ways: Does it in another way than asked for.
            op: The operation it is about; HEAD for the run itself.
        """

    def afterwards(self, act: Callable[[], object]) -> None:
        """Let something happen when everything else is over."""

    def two_pages(self) -> bool:
        """Say whether a query is read in two pages, with time between them."""

    def cut(self, size: int) -> int:
        """Say how many of so many records the first page holds."""


def wrap(engine: Engine, gate: Gate) -> Engine:
    """Return the engine with a gate in front of every port that can fail."""
    return replace(
        engine,
        runs=GatedRuns(engine.runs, gate),
        timers=GatedTimers(engine.timers, gate),
        lists=GatedLists(engine.lists, gate),
        dead_letters=GatedDeadLetters(engine.dead_letters, gate),
        queue=GatedQueue(engine.queue, gate),
        blobs=GatedBlobs(engine.blobs, gate),
    )


@dataclass(frozen=True, slots=True)
class GatedRuns:
    """The run store behind the gate; a query may be read in two pages, so it is no snapshot."""

    inner: RunStore
    gate: Gate

    def create(
        self,
        head: Head,
        claim: Claim | None,
        note: Note | None = None,
        reference: Reference | None = None,
    ) -> Claim | Reference | Note | None:
        """Write a new run."""
        return self.gate.pass_through(
            "runs.create", head.run_id, lambda: self.inner.create(head, claim, note, reference)
        )

    def reference(self, workflow: str, reference_id: str) -> Reference | None:
        """Return who has a caller's own name."""
        return self.gate.pass_through(
            "runs.reference", reference_id, lambda: self.inner.reference(workflow, reference_id)
        )

    def claim(self, workflow: str, key: str) -> Claim | None:
        """Return who has an idempotency key."""
        return self.gate.pass_through("runs.claim", key, lambda: self.inner.claim(workflow, key))

    def release(self, head: Head) -> None:
        """Give back what a run holds."""
        self.gate.pass_through("runs.release", head.run_id, lambda: self.inner.release(head))

    def clear(self, run_id: str, due_at: int) -> bool:
        """Remove some of what is recorded of a run."""
        return self.gate.pass_through(
            "runs.clear", run_id, lambda: self.inner.clear(run_id, due_at)
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
        events = rest.events if self.gate.cut(2) else first.events
        return History(head=first.head, records=records, events=events)

    def head(self, run_id: str) -> Head | None:
        """Return the head alone."""
        return self.gate.pass_through("runs.head", run_id, lambda: self.inner.head(run_id))

    def record(self, run_id: str, key: str) -> OpRecord | None:
        """Return one record."""
        return self.gate.pass_through(
            "runs.record", f"{run_id} {key}", lambda: self.inner.record(run_id, key)
        )

    def peek(self, run_id: str, keys: Sequence[str]) -> tuple[Head | None, Mapping[str, OpRecord]]:
        """Return the head and some records."""
        return self.gate.pass_through(
            "runs.peek", f"{run_id} {keys[0]}", lambda: self.inner.peek(run_id, keys)
        )

    def between(
        self, run_id: str, first: str, last: str, most: int
    ) -> tuple[Sequence[OpRecord], bool]:
        """Return the first records from one key to another."""
        return self.gate.pass_through(
            "runs.between",
            f"{run_id} {first}",
            lambda: self.inner.between(run_id, first, last, most),
        )

    def put(
        self,
        run_id: str,
        record: OpRecord,
        guard: Guard,
        before: OpRecord | None = None,
        cost: str = "",
    ) -> bool:
        """Replace an operation's record."""
        return self.gate.pass_through(
            "runs.put",
            f"{run_id} {record.key} {record.status} {record.attempt}",
            lambda: self.inner.put(run_id, record, guard, before, cost),
            op=record.key,
        )

    def move(self, run_id: str, key: str, due_at: int | None, guard: Guard) -> bool:
        """Change a record's place in the due index."""
        return self.gate.pass_through(
            "runs.move",
            f"{run_id} {key}",
            lambda: self.inner.move(run_id, key, due_at, guard),
            op=key,
        )

    def put_event(self, run_id: str, event: Event) -> bool:
        """Keep an event."""
        return self.gate.pass_through(
            "runs.put_event",
            f"{run_id} {event.name} {event.number}",
            lambda: self.inner.put_event(run_id, event),
        )

    def replace_event(self, run_id: str, event: Event) -> None:
        """Keep an event in place of another."""
        self.gate.pass_through(
            "runs.replace_event",
            f"{run_id} {event.name} {event.number}",
            lambda: self.inner.replace_event(run_id, event),
        )

    def claim_event(self, run_id: str, name: str, number: int, key: str) -> bool:
        """Give an event to a wait."""
        return self.gate.pass_through(
            "runs.claim_event",
            f"{run_id} {name} {number} {key}",
            lambda: self.inner.claim_event(run_id, name, number, key),
            op=key,
        )

    def change(
        self, run_id: str, change: HeadChange, guard: HeadGuard, audit: AuditEntry | None = None
    ) -> bool:
        """Change the head."""
        return self.gate.pass_through(
            "runs.change",
            f"{run_id} {type(change).__name__}",
            lambda: self.inner.change(run_id, change, guard, audit),
        )

    def hand_over(
        self,
        run_id: str,
        change: RunEnded,
        guard: HeadGuard,
        successor: Head,
        reference: Reference | None = None,
    ) -> bool:
        """End a run and write the one that goes on in its place."""
        return self.gate.pass_through(
            "runs.hand_over",
            f"{run_id} {successor.run_id}",
            lambda: self.inner.hand_over(run_id, change, guard, successor, reference),
        )

    def audit(self, run_id: str, since: int = 1) -> Sequence[AuditEntry]:
        """Return the audit entries from this number on."""
        return self.gate.pass_through("runs.audit", run_id, lambda: self.inner.audit(run_id, since))


@dataclass(frozen=True, slots=True)
class GatedTimers:
    """The due index behind the gate."""

    inner: TimerIndex
    gate: Gate

    @property
    def shards(self) -> int:
        """Return how many shards there are."""
        return self.inner.shards

    @property
    def waking(self) -> int:
        """Return how many shards hold what is to wake up."""
        return self.inner.waking

    def due(self, shard: int, until: int, limit: int, since: int = 0) -> Sequence[DueEntry]:
        """Return entries due from an instant to another."""
        return self.gate.pass_through(
            "timers.due", f"shard {shard}", lambda: self.inner.due(shard, until, limit, since)
        )


@dataclass(frozen=True, slots=True)
class GatedLists:
    """The list of runs behind the gate."""

    inner: RunList
    gate: Gate

    def newest(
        self,
        workflow: str,
        status: RunStatus,
        before: str | None,
        limit: int,
        since: str | None = None,
    ) -> Sequence[Listed]:
        """Return up to ``limit`` runs."""
        return self.gate.pass_through(
            "lists.newest",
            workflow,
            lambda: self.inner.newest(workflow, status, before, limit, since),
        )

    def count(self, workflow: str, status: RunStatus, limit: int) -> int:
        """Return how many runs there are, at most ``limit``."""
        return self.gate.pass_through(
            "lists.count", workflow, lambda: self.inner.count(workflow, status, limit)
        )

    def every(self) -> Iterable[Listed]:
        """Return every run there is."""
        return self.gate.pass_through("lists.every", "", self.inner.every)


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
        """Send every message, or what becomes of them otherwise."""
        self.gate.pass_through(
            "queue.send",
            ", ".join(_described(item) for item in outgoing),
            lambda: self.inner.send(outgoing),
            self._ways(outgoing),
            op=outgoing[0].message.op,
        )

    def _ways(self, outgoing: Sequence[Outgoing]) -> dict[FaultKind, Callable[[], object]]:
        send = self.inner.send
        late = [replace(item, delay=item.delay + _LATE) for item in outgoing]
        early = [replace(item, delay=0) for item in outgoing]

        def again_later() -> None:
            send(outgoing)
            self.gate.afterwards(lambda: send(early))

        ways: dict[FaultKind, Callable[[], object]] = {
            FaultKind.TWICE: lambda: send([*outgoing, *outgoing]),
            FaultKind.AGAIN_LATER: again_later,
            FaultKind.LATE: lambda: send(late),
        }
        if any(item.delay for item in outgoing):
            ways[FaultKind.EARLY] = lambda: send(early)
        if len(outgoing) > 1:
            ways[FaultKind.PARTIAL] = lambda: send(outgoing[: len(outgoing) // 2])
        return ways


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

    def put(self, run_id: str, text: str) -> str:
        """Keep a text of a run."""
        return self.gate.pass_through("blobs.put", run_id, lambda: self.inner.put(run_id, text))

    def copy(self, ref: str, run_id: str) -> str:
        """Keep a text as another run's, too."""
        return self.gate.pass_through("blobs.copy", run_id, lambda: self.inner.copy(ref, run_id))

    def clear(self, run_id: str) -> bool:
        """Remove texts of a run."""
        return self.gate.pass_through("blobs.clear", run_id, lambda: self.inner.clear(run_id))

    def get(self, ref: str) -> str:
        """Return the text of a reference."""
        return self.gate.pass_through("blobs.get", ref, lambda: self.inner.get(ref))
