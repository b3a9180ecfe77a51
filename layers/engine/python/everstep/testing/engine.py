"""``TestEngine``: the real use cases on memory adapters, with a clock that the test moves."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.queue import MemoryQueue
from everstep.adapters.memory.store import MemoryStore
from everstep.app.control import resume
from everstep.app.dead_letter import dead_letter
from everstep.app.engine import Engine, Execution, Limits
from everstep.app.query import inspect
from everstep.app.receive import receive
from everstep.app.start import start
from everstep.app.sweep import sweep
from everstep.authoring.registry import Registry
from everstep.core.durations import LONGEST_DELAY, to_datetime, to_millis
from everstep.core.errors import EverstepError
from everstep.core.keys import name_of
from everstep.core.model import HEAD
from everstep.testing.crash import Crash
from everstep.testing.handles import TestRun
from everstep.testing.logs import LogBook

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime, timedelta

    from everstep.adapters.memory.queue import Delivery
    from everstep.authoring.workflows import Workflow
    from everstep.core.model import DueEntry

In = TypeVar("In")
Out = TypeVar("Out")

_VISIBILITY: Final = 360
_RECEIVES: Final = 5
# More messages than any sensible test needs: a workflow that never comes to rest.
_RESTLESS: Final = 100_000
# 1 January 2026; a fixed start makes times in tests readable.
_START: Final = 1_767_225_600_000
_FAR_FUTURE: Final = 2**62


class TestEngine:
    """Runs workflows in memory: same core, same use cases, no network, no waiting.

    Nothing happens by itself: ``run_until_idle`` processes what is due now, ``advance`` moves
    the clock and fires every timer at its own time.

    Args:
        workflows: The workflows that are deployed.
        limits: Payload limits and the sweeper's patience, where the defaults do not fit.
    """

    __test__ = False  # not a test, whatever pytest thinks of the name

    def __init__(
        self, workflows: Iterable[Workflow[Any, Any]], *, limits: Limits | None = None
    ) -> None:
        """Deploy the workflows to an empty system on 1 January 2026."""
        self._clock = VirtualClock(_START)
        self._store = MemoryStore()
        self._dead = MemoryQueue(self._clock)
        self._queue = MemoryQueue(self._clock, _RECEIVES, self._dead)
        self._executed: Counter[tuple[str, str]] = Counter()
        self._logs = LogBook()
        self._engine = Engine(
            runs=self._store,
            timers=self._store,
            lists=self._store,
            dead_letters=self._store,
            queue=self._queue,
            blobs=MemoryBlobs(),
            clock=self._clock,
            ids=SequenceIds(),
            registry=Registry(workflows),
            limits=limits or Limits(),
            execute=self._execute,
        )

    @property
    def now(self) -> datetime:
        """Return the virtual time in UTC."""
        return to_datetime(self._clock.now())

    def deploy(self, workflows: Iterable[Workflow[Any, Any]]) -> None:
        """Put new code in place of the old; runs stay as they are."""
        self._engine = replace(self._engine, registry=Registry(workflows))

    def start(
        self,
        workflow: Workflow[In, Out],
        input: In | None = None,  # noqa: A002 - the name in workflows
        *,
        idempotency_key: str | None = None,
    ) -> TestRun[Out]:
        """Start a run; it begins with the next ``run_until_idle`` or ``advance``.

        Args:
            workflow: A deployed workflow.
            input: Its input.
            idempotency_key: The same key gives the same run.

        Raises:
            RequestError: As the HTTP trigger would answer.
        """
        accepted = start(
            self._engine,
            workflow.name,
            input,
            version=workflow.version,
            idempotency_key=idempotency_key,
            from_json=False,
        )
        return self._handle(accepted.run_id, workflow.output.decode)

    def get(self, run_id: str) -> TestRun[Any]:
        """Return the handle of a run.

        Raises:
            RunNotFoundError: There is no such run.
        """
        head = inspect(self._engine, run_id).head
        read = self._engine.registry.to_continue(head.workflow, head.version).output.decode
        return self._handle(run_id, read)

    def _handle(self, run_id: str, read_output: Callable[[str], Out]) -> TestRun[Out]:
        return TestRun(
            run_id,
            engine=lambda: self._engine,
            read_output=read_output,
            executions=self._executions,
            logs=self._logs.lines,
        )

    def resume(self, run_id: str) -> None:
        """Let a run that stands still go on, once its cause is mended (see ``deploy``)."""
        resume(self._engine, run_id)

    def run_until_idle(self) -> None:
        """Process every message that is due now; the clock does not move.

        Raises:
            EverstepError: A workflow never comes to rest.
        """
        for _ in range(_RESTLESS):
            delivery = self._queue.receive(_VISIBILITY)
            if delivery is not None:
                self._process(delivery)
            elif not self._bury():
                return
        raise EverstepError(
            f"not idle after {_RESTLESS} messages: does a workflow loop without end?"
        )

    def advance(self, duration: float | timedelta) -> None:
        """Move the clock on, firing each timer at its own time, in order.

        Args:
            duration: Seconds or ``timedelta``.
        """
        target = self._clock.now() + to_millis(duration, "advance(duration)")
        self.run_until_idle()
        while (instant := self._next_instant()) <= target:
            self._clock.set(max(instant, self._clock.now()))
            self._sweep_if_due()
            self.run_until_idle()
        self._clock.set(target)

    def _process(self, delivery: Delivery) -> None:
        try:
            with self._logs.open():
                receive(self._engine, delivery.message_id, delivery.body)
        except Crash:
            # The queue would deliver it again after the visibility time-out; a test need not wait.
            self._queue.release(delivery)
        else:
            self._queue.delete(delivery)

    def _bury(self) -> bool:
        delivery = self._dead.receive(_VISIBILITY)
        if delivery is None:
            return False
        dead_letter(self._engine, delivery.message_id, delivery.body, delivery.receives)
        self._dead.delete(delivery)
        return True

    def _next_instant(self) -> int:
        """Return when something happens next, after now."""
        now = self._clock.now()
        visible = self._queue.next_visible_at()
        instants = [_look_at(entry) for entry in self._due()]
        if visible is not None:
            instants.append(visible)
        return min((instant for instant in instants if instant > now), default=_FAR_FUTURE)

    def _sweep_if_due(self) -> None:
        if any(_look_at(entry) <= self._clock.now() for entry in self._due()):
            sweep(self._engine)

    def _due(self) -> Iterator[DueEntry]:
        for shard in range(self._store.shards):
            yield from self._store.due(shard, _FAR_FUTURE, _RESTLESS)

    def _execute(self, execution: Execution) -> object:
        self._executed[execution.run_id, name_of(execution.key)] += 1
        return execution.carry_out()

    def _executions(self, run_id: str, name: str) -> int:
        return self._executed[run_id, name]


def _look_at(entry: DueEntry) -> int:
    """Return when a sweep does something about an entry."""
    first_look = entry.key != HEAD and entry.due_at <= entry.wake_at
    return entry.due_at - LONGEST_DELAY if first_look else entry.due_at
