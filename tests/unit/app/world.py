"""A deployment in memory of which a test turns every wheel by hand: one message, one sweep."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from everstep import Workflow
from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.store import MemoryStore
from everstep.app.advance import advance
from everstep.app.audit import link_of
from everstep.app.dead_letter import Buried, dead_letter
from everstep.app.engine import Engine, Execution, Limits
from everstep.app.options import StartOptions
from everstep.app.outcomes import Done
from everstep.app.start import Accepted, start
from everstep.app.sweep import Swept, sweep
from everstep.authoring.registry import Registry
from everstep.core import messages
from everstep.core.audit import AuditEntry
from everstep.core.changes import HeadChange, RunEnded, RunStalled
from everstep.core.circumstances import How
from everstep.core.errors import UnavailableError
from everstep.core.model import (
    ErrorInfo,
    Head,
    History,
    Message,
    MessageKind,
    OpRecord,
    OpStatus,
    Outgoing,
    RunStatus,
    Stall,
)
from everstep.core.trail import born, sealed
from everstep.core.transitions import Guard, HeadGuard

NOW: Final = 1_767_225_600_000
SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
DAY: Final = 24 * 60 * MINUTE
ANYTHING: Final = Guard(absent=True, statuses=tuple(OpStatus))
ANY_HEAD: Final = HeadGuard(statuses=tuple(RunStatus))


@dataclass
class Outbox:
    """A queue that keeps what is sent until the test takes it; it can be down."""

    sent: list[Outgoing] = field(default_factory=list)
    down: bool = False
    requests: int = 0

    def send(self, outgoing: Iterable[Outgoing]) -> None:
        """Keep the messages."""
        if self.down:
            raise UnavailableError("the queue does not answer")
        self.requests += 1
        self.sent.extend(outgoing)


class InterruptedStore(MemoryStore):
    """A store that lets a test act just before a write, as another executor would."""

    def __init__(self) -> None:
        """Start empty, without interruptions."""
        super().__init__()
        self.before_put: list[Callable[[OpRecord], None]] = []
        self.before_load: list[Callable[[], None]] = []
        self.before_change: list[Callable[[], None]] = []
        self.lost_answers = 0

    def put(
        self,
        run_id: str,
        record: OpRecord,
        guard: Guard,
        before: OpRecord | None = None,
        cost: str = "",
    ) -> bool:
        """Let the test act, then write."""
        if self.before_put:
            self.before_put.pop(0)(record)
        return super().put(run_id, record, guard, before, cost)

    def load(self, run_id: str) -> History | None:
        """Let the test act, then read."""
        if self.before_load:
            self.before_load.pop(0)()
        return super().load(run_id)

    def change(
        self, run_id: str, change: HeadChange, guard: HeadGuard, audit: AuditEntry | None = None
    ) -> bool:
        """Let the test act, then write; the answer may say that it was refused."""
        if self.before_change:
            self.before_change.pop(0)()
        done = super().change(run_id, change, guard, audit)
        if not self.lost_answers:
            return done
        self.lost_answers -= 1
        return False


class World:
    """The engine on memory adapters, and what a test does to it."""

    def __init__(self, *workflows: Workflow[Any, Any], limits: Limits | None = None) -> None:
        """Deploy the workflows."""
        self.clock = VirtualClock(NOW)
        self.store = InterruptedStore()
        self.outbox = Outbox()
        self.attempts: list[tuple[str, int]] = []
        self.engine = Engine(
            runs=self.store,
            timers=self.store,
            lists=self.store,
            dead_letters=self.store,
            queue=self.outbox,
            blobs=MemoryBlobs(),
            clock=self.clock,
            ids=SequenceIds(),
            registry=Registry(workflows),
            limits=limits or Limits(),
            execute=self._execute,
        )

    def _execute(self, execution: Execution) -> object:
        self.attempts.append((execution.key, execution.attempt))
        return execution.carry_out()

    def deploy(self, *workflows: Workflow[Any, Any]) -> None:
        """Put new code in place of the old."""
        self.engine = replace(self.engine, registry=Registry(workflows))

    def start(
        self,
        name: str = "wf",
        value: object = None,
        *,
        who: str | None = None,
        **options: Any,  # noqa: ANN401
    ) -> Accepted:
        """Accept a run from a Python value."""
        given = StartOptions(**options)
        return start(self.engine, name, value, given, from_json=False, who=who)

    def take(self) -> Message:
        """Take the one message that was sent, out of the queue."""
        (outgoing,) = self.outbox.sent
        self.outbox.sent.clear()
        return outgoing.message

    def lose(self) -> None:
        """Lose every message that is in the queue."""
        self.outbox.sent.clear()

    def begin(self, name: str = "wf", value: object = None) -> str:
        """Start a run and process its first message; return its id."""
        run_id = self.start(name, value).run_id
        self.advance(self.take())
        return run_id

    def advance(
        self,
        message: Message,
        time_left: Callable[[], int] | None = None,
        receives: int = 1,
    ) -> Done:
        """Process one message."""
        return advance(self.engine, message, time_left, receives=receives)

    def run(self) -> None:
        """Process what is in the queue, and what that sends, at the time it is due."""
        while self.outbox.sent:
            outgoing = self.outbox.sent.pop(0)
            self.clock.set(max(self.clock.now(), outgoing.message.due))
            self.advance(outgoing.message)

    def sweep(self) -> Swept:
        """Sweep once."""
        return sweep(self.engine)

    def bury(self, message: Message, receives: int = 1) -> Buried:
        """Give a message to the dead-letter function."""
        return dead_letter(self.engine, "m-1", messages.encode(message), receives)

    def head(self, run_id: str) -> Head:
        """Return a run's head."""
        head = self.store.head(run_id)
        assert head is not None
        return head

    def records(self, run_id: str) -> dict[str, OpRecord]:
        """Return a run's records."""
        history = MemoryStore.load(self.store, run_id)
        assert history is not None
        return history.records

    def status(self, run_id: str) -> RunStatus:
        """Return the recorded status."""
        return self.head(run_id).status

    def write(self, run_id: str, record: OpRecord) -> None:
        """Write a record, whatever is there."""
        assert MemoryStore.put(self.store, run_id, record, ANYTHING)

    def stall(self, run_id: str) -> None:
        """Mark the run STALLED."""
        reason = ErrorInfo(type="Test", message="by the test")
        change = RunStalled(by="test", stall=Stall(reason=reason, at=self.clock.now()))
        self.store.change(run_id, change, ANY_HEAD)

    def end(self, run_id: str, status: RunStatus = RunStatus.COMPLETED) -> None:
        """Mark the run as ended."""
        change, head = RunEnded(status=status, by="test", at=self.clock.now()), self.head(run_id)
        told = sealed(head, change, link_of(self.engine, head), None)
        self.store.change(run_id, told, ANY_HEAD)

    def reopen(self, run_id: str) -> None:
        """Leave the run as a crash between its last result and its end does."""
        head = replace(self.head(run_id), status=RunStatus.RUNNING, result=None, ended_at=None)
        self.store._heads[run_id] = born(replace(head, generation=0), How.TRIGGER)

    def lose_payloads(self) -> None:
        """Delete every large payload."""
        self.engine = replace(self.engine, blobs=MemoryBlobs())

    def forget(self, run_id: str) -> None:
        """Delete the run, as its expiry does."""
        with suppress(KeyError):
            del self.store._heads[run_id]
        self.store._records.pop(run_id, None)


def message(run_id: str, kind: MessageKind, op: str = "", **fields: Any) -> Message:  # noqa: ANN401
    """Return a message that nobody sent."""
    return Message(**{"run_id": run_id, "kind": kind, "token": "stranger", "op": op, **fields})
