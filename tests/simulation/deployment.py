"""Everything that is deployed, in one process: the engine on ports that may fail, and its tasks.

The deployment holds the real use cases on the memory store, a step queue, a dead-letter queue and
one virtual clock. Its tasks take turns, and every call that one of them makes to a port passes
through here, where others may go on first or something may go wrong.
"""

from __future__ import annotations

from collections import Counter, deque
from contextvars import ContextVar
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.store import MemoryStore
from everstep.app.attempt import OutOfTimeError
from everstep.app.engine import Engine
from everstep.authoring.registry import Registry
from everstep.authoring.step_context import step_context
from everstep.core.errors import UnavailableError
from tests.simulation.backups import Backup
from tests.simulation.faults import Call, FaultKind, Planned, wrap
from tests.simulation.invariants import Facts, ViolationError, check_write
from tests.simulation.settings import Settings
from tests.simulation.step_queue import StepQueue
from tests.simulation.tasks import Killed, Task, always, never
from tests.simulation.watched import WatchedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from random import Random

    from everstep.authoring.workflows import Workflow
    from everstep.core.model import History
    from tests.simulation.faults import Faults

T = TypeVar("T")

START: Final = 1_767_225_600_000
_STORY: Final = 60
# After these the message is delivered again, or the client calls again.
_EXPECTED: Final = (UnavailableError, OutOfTimeError)

_inhabited: ContextVar[Deployment] = ContextVar("everstep_simulated_deployment")


def carried_out() -> None:
    """Tell the world that the code of the current attempt was carried out; steps call this."""
    here = step_context()
    _inhabited.get().effect(here.run_id, here.operation, here.attempt)


class Deployment:
    """The system under test, and the processes at work in it.

    Use it in a ``with`` block: leaving it ends whatever is still under way.
    """

    def __init__(
        self,
        workflows: Iterable[Workflow[Any, Any]],
        *,
        faults: Faults | None = None,
        settings: Settings | None = None,
        rng: Random | None = None,
    ) -> None:
        """Deploy the workflows to an empty system.

        Args:
            workflows: What is deployed.
            faults: What goes wrong at port calls.
            settings: How the system is made.
            rng: Draws clock skews and torn queries; without it there are none.
        """
        self.faults: Faults = faults or Planned()
        self.settings = settings or Settings()
        self.facts = Facts(skew=self.settings.skew)
        self.calls: list[Call] = []
        self.counts: Counter[str] = Counter()
        self.tasks: list[Task] = []
        self.held: set[Task] = set()
        self.skews: Iterator[int] = self._draw_skews(rng)
        self.story: deque[str] = deque(maxlen=_STORY)
        self._rng = rng
        self._clock = VirtualClock(START)
        self._numbers = count(1)
        self._current: Task | None = None
        letters = count(1)
        self.store = MemoryStore()
        self.queue = StepQueue(self._clock, letters)
        self.dead = StepQueue(self._clock, letters)
        self.inside = self._engine(workflows)
        self.engine = self._gated()

    def _engine(self, workflows: Iterable[Workflow[Any, Any]]) -> Engine:
        return Engine(
            runs=self.store,
            timers=self.store,
            lists=self.store,
            dead_letters=self.store,
            queue=self.queue,
            blobs=MemoryBlobs(),
            clock=self,
            ids=SequenceIds(),
            registry=Registry(workflows),
            limits=self.settings.limits,
            on_attempt=self._attempt_begins,
        )

    def _gated(self) -> Engine:
        watched = WatchedStore(self.store, self._check_write)
        return wrap(replace(self.inside, runs=watched), self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for task in self.tasks:
            task.kill()

    # --- What the engine and user code call

    @property
    def time(self) -> int:
        """Return the true time."""
        return self._clock.now()

    def now(self) -> int:
        """Return the time as the current task's clock has it."""
        return self._clock.now() + (self._current.skew if self._current else 0)

    def pass_through(
        self,
        name: str,
        detail: str,
        do: Callable[[], T],
        partly: Callable[[], object] | None = None,
        batch: int = 1,
    ) -> T:
        """Let others go on, then do the call, or what goes wrong with it."""
        task = self._current
        if task is not None:
            task.pause(name)
        call = Call(
            number=next(self._numbers),
            name=name,
            detail=detail,
            task=task.name if task else "test",
            batch=batch,
        )
        fault = self.faults.at(call)
        self._note(call, fault)
        if fault is None:
            return do()
        return self._fail(fault, task, do, partly)

    def _fail(
        self,
        fault: FaultKind,
        task: Task | None,
        do: Callable[[], T],
        partly: Callable[[], object] | None,
    ) -> T:
        self.facts.disturbances += 1
        if fault in (FaultKind.CRASH_AFTER, FaultKind.ANSWER_LOST):
            do()
        elif fault is FaultKind.PARTIAL and partly is not None:
            partly()
        if fault in (FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER):
            raise task.die() if task else Killed
        raise UnavailableError(f"{fault} in a simulation")

    def two_pages(self) -> bool:
        """Say whether a query is read in two pages, with time between them."""
        return self._rng is not None and self._rng.random() < 0.5

    def cut(self, size: int) -> int:
        """Say how many of so many records the first page holds."""
        return self._rng.randint(0, size) if self._rng else 0

    def effect(self, run_id: str, key: str, attempt: int) -> None:
        """Hear that the code of an attempt was carried out; it may take its time."""
        self.pass_through(
            "effect",
            f"{run_id} {key} {attempt}",
            lambda: self.facts.effects.update([(run_id, key, attempt)]),
        )

    def _attempt_begins(self, run_id: str, key: str, attempt: int) -> None:
        self.facts.attempts[run_id, key, attempt] += 1

    def _note(self, call: Call, fault: FaultKind | None) -> None:
        self.calls.append(call)
        self.counts[call.name] += 1
        self.story.append(f"{call}{f'   <-- {fault}' if fault else ''}")

    def _check_write(self, before: History | None, after: History | None) -> None:
        if after is not None and after != before:
            check_write(before, after, self._clock.now(), self.settings.skew)

    # --- The code, and what is recorded

    def deploy(self, workflows: Iterable[Workflow[Any, Any]]) -> None:
        """Put new code in place of the old; runs stay as they are."""
        self.inside = replace(self.inside, registry=Registry(workflows))
        self.engine = self._gated()

    def history(self, run_id: str | None = None) -> History:
        """Return what is recorded of a run; of the first one, if not said which.

        Raises:
            LookupError: There is no such run.
        """
        found = self.store.load(run_id or self.store.run_ids[0])
        if found is None:
            raise LookupError(run_id)
        return found

    def back_up(self) -> Backup:
        """Return a backup of what is recorded now."""
        return Backup.of(self.store, self.facts)

    def restore(self, backup: Backup) -> None:
        """Put a new table made of a backup in place of the old one; queues stay as they are.

        Whoever is at work goes on with the old table; its writes there are lost.
        """
        backup.rewind(self.facts)
        self.store = table = backup.table()
        self.inside = replace(
            self.inside, runs=table, timers=table, lists=table, dead_letters=table
        )
        self.engine = self._gated()

    # --- Processes

    def spawn(self, name: str, body: Callable[[], object]) -> Task:
        """Begin a task; it does nothing until it is told to go on."""

        def inhabit() -> None:
            _inhabited.set(self)
            body()

        task = Task(name, inhabit, next(self.skews))
        self.tasks.append(task)
        return task

    def go_on(self, task: Task, stops_at: Callable[[str], bool] = always) -> None:
        """Let a task run to its next port call, or to its end."""
        self._current = task
        try:
            task.go_on(stops_at)
        finally:
            self._current = None
        if task.done:
            self._ended(task)

    def _draw_skews(self, rng: Random | None) -> Iterator[int]:
        furthest = self.settings.skew // 2
        while True:
            yield rng.randint(-furthest, furthest) if rng and furthest else 0

    def go_on_until(self, task: Task, call: str) -> None:
        """Let a task run until it is about to make a call of this name, and hold it there."""
        self.held.add(task)
        self.go_on(task, lambda name: name == call)
        if task.done:
            raise ViolationError("comes_to_its_call", f"{task.name} ended before {call}")

    def finish(self, task: Task) -> None:
        """Let a task run to its end, also one that is held."""
        self.held.discard(task)
        self.go_on(task, never)

    def _ended(self, task: Task) -> None:
        self.tasks.remove(task)
        if task.error is not None and not isinstance(task.error, _EXPECTED):
            if isinstance(task.error, ViolationError):
                raise task.error
            raise ViolationError("no_unexpected_errors", repr(task.error)) from task.error
