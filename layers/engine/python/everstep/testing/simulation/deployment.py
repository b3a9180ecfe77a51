"""Everything that is deployed, in one process: the engine on ports that may fail, and its tasks.

The deployment holds the real use cases on the memory store, a step queue, a dead-letter queue and
one virtual clock. Its tasks take turns, and every call that one of them makes to a port passes
through here, where others may go on first or something may go wrong.
"""

from __future__ import annotations

import sys
from collections import Counter, deque
from contextvars import copy_context
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, cast

from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.store import MemoryStore
from everstep.app.attempt import OutOfTimeError
from everstep.app.engine import Engine, Execution
from everstep.app.sweep import IncompleteSweepError
from everstep.authoring.registry import Registry
from everstep.core.errors import UnavailableError
from everstep.core.invariants import ViolationError, check_write
from everstep.core.model import HEAD
from everstep.testing.crash import Crash
from everstep.testing.simulation.backups import Backup
from everstep.testing.simulation.choices import Kept
from everstep.testing.simulation.faults import Call, FaultKind, Planned
from everstep.testing.simulation.gates import wrap
from everstep.testing.simulation.incidents import Fault, Incident
from everstep.testing.simulation.invariants import Facts
from everstep.testing.simulation.processes import let_go, processes_of
from everstep.testing.simulation.reused_ids import ReusedIds
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.step_queue import StepQueue
from everstep.testing.simulation.tasks import Killed, Task, always, at_no_call, never
from everstep.testing.simulation.watched import WatchedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from everstep.authoring.workflows import Workflow
    from everstep.core.model import History
    from everstep.testing.simulation.choices import Choices
    from everstep.testing.simulation.faults import Faults

T = TypeVar("T")

FAR_FUTURE: Final = 2**62
START: Final = 1_767_225_600_000
_STORY: Final = 60
_EXPECTED: Final = (UnavailableError, OutOfTimeError)  # the message comes again, or the client


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
        choices: Choices | None = None,
    ) -> None:
        """Deploy the workflows to an empty system.

        Args:
            workflows: What is deployed.
            faults: What goes wrong at port calls.
            settings: How the system is made.
            choices: Chooses clock skews and torn queries; without it there are none.
        """
        self.faults: Faults = faults or Planned()
        self.settings = settings or Settings()
        self.facts = Facts(skew=self.settings.skew, reuses_ids=self.settings.reuses_ids)
        self.calls: list[Call] = []
        self.counts: Counter[str] = Counter()
        self.tasks: list[Task] = []
        self.held: set[Task] = set()
        self.choices: Choices = choices or Kept()
        self.skews: Iterator[int] = self._choose_skews()
        self.story: deque[str] = deque(maxlen=_STORY)
        self.violation: ViolationError | None = None
        self.carry_out: Callable[[Execution], object] = Execution.carry_out
        self.incidents: list[Incident] = []
        self.horizon = FAR_FUTURE
        self.sleepers: list[Task] = []
        self.last_words: list[Callable[[], object]] = []
        self._context = copy_context()
        self._clock = VirtualClock(START)
        self.ticks = self._clock.ticks
        self._numbers = count(1)
        self._current: Task | None = None
        self.store = MemoryStore()
        self.queue = StepQueue(self._clock, letters := count(1))
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
            ids=ReusedIds(self.store) if self.settings.reuses_ids else SequenceIds(),
            registry=Registry(workflows),
            limits=self.settings.limits,
            execute=self._execute,
            kept=processes_of(self.settings, self.choices, lambda: self._current),
            observe=self.facts.observations.append,
        )

    def _gated(self) -> Engine:
        watched = WatchedStore(self.store, self._check_write)
        return wrap(replace(self.inside, runs=watched), self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for task in self.tasks:
            task.kill()
        let_go(self.inside.kept)

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
        ways: Mapping[FaultKind, Callable[[], object]] | None = None,
        *,
        op: str = HEAD,
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
            op=op,
            ways=tuple(ways or ()),
        )
        fault = self.faults.at(call)
        self._note(call, fault)
        if fault is None:
            return do()
        self.facts.disturbances += 1
        if ways is not None and fault in ways:
            # Who sends asks for no answer, so whatever comes back will do.
            return cast("T", _otherwise(fault, ways[fault]))
        if task is not None and fault in (FaultKind.TWIN, FaultKind.STANDS_STILL):
            self._meanwhile(task, fault)
            return do()
        return self._fail(fault, task, do)

    def _fail(self, fault: FaultKind, task: Task | None, do: Callable[[], T]) -> T:
        if fault in (FaultKind.CRASH_AFTER, FaultKind.ANSWER_LOST):
            do()
        if fault in (FaultKind.CRASH_BEFORE, FaultKind.CRASH_AFTER):
            raise task.die() if task else Killed
        raise UnavailableError(f"{fault} in a simulation")

    def _meanwhile(self, task: Task, fault: FaultKind) -> None:
        """Let others do something while the task is about to make a call.

        Raises:
            Killed: What they did violates an invariant, so nothing after it counts.
        """
        self.held.add(task)
        if fault is FaultKind.STANDS_STILL and self.settings.threads:
            self.sleepers.append(task)
            task.stand_still()
            return
        try:
            if fault is FaultKind.STANDS_STILL:
                self.come_to_rest()
            elif task.twin is not None:
                self.finish(task.twin())
        except ViolationError as error:
            # User code is on the stack, and might take it for an error of its own.
            self.violation = error
            raise task.die() from error
        finally:
            self.held.discard(task)

    def wake_up(self) -> None:
        """Let the task go on that has stood still for longest."""
        task = self.sleepers.pop(0)
        self.held.discard(task)
        self.finish(task)

    def come_to_rest(self) -> None:
        """Let happen what can happen, whatever time it takes, until nothing more does."""
        raise NotImplementedError

    def afterwards(self, act: Callable[[], object]) -> None:
        """Let something happen when everything else is over."""
        self.last_words.append(act)

    def two_pages(self) -> bool:
        """Say whether a query is read in two pages, with time between them."""
        return bool(self.choices.pick("torn", 2))

    def cut(self, size: int) -> int:
        """Say how many of so many records the first page holds."""
        return self.choices.pick("cut", size + 1)

    def _execute(self, execution: Execution) -> object:
        """Carry out an attempt; the process may die right before and right after."""
        if execution.probe:
            return self._probe(execution)
        about = (execution.run_id, execution.key, execution.attempt)
        detail = f"{execution.run_id} {execution.key} {execution.attempt}"

        def done() -> None:
            count = self.facts.effects.update
            self.pass_through("effect", detail, lambda: count([about]), op=execution.key)

        begun = self.facts.attempts.update
        self.pass_through("attempt", detail, lambda: begun([about]), op=execution.key)
        try:
            return self.carry_out(execution)
        finally:
            # Whatever it came to; a process that has died in it comes to nothing.
            if not isinstance(sys.exception(), Crash):
                done()

    def _probe(self, execution: Execution) -> object:
        """Ask a probe; the process may die right before it is recorded what it says."""
        about = (execution.run_id, execution.key, execution.attempt)
        detail = f"{execution.run_id} {execution.key} {execution.attempt}"
        answer = self.carry_out(execution)
        told = self.facts.probed.update
        self.pass_through("probe", detail, lambda: told([about]), op=execution.key)
        return answer

    def _note(self, call: Call, fault: FaultKind | None) -> None:
        self.calls.append(call)
        self.counts[call.name] += 1
        self.story.append(f"{call}{f'   <-- {fault}' if fault else ''}")
        if fault is not None:
            self.incidents.append(Fault(call, fault))
            self.counts[f"{call.name} {fault}"] += 1

    def _check_write(self, before: History | None, after: History | None) -> None:
        """Check one write; a process that makes a wrong one goes no further.

        Raises:
            Killed: Not the violation itself: user code, or a sweeper that goes on with the next
                run, might take it for an error of its own.
        """
        if after == before:
            return
        try:
            self._hold(before, after)
        except ViolationError as error:
            self.violation = error
            if self._current is None:
                raise
            raise self._current.die() from error

    def _hold(self, before: History | None, after: History | None) -> None:
        """Check what must hold at every write."""
        check_write(before, after, self._clock.now(), self.settings.skew)
        if before is not None and after is None:
            self.facts.removed.add(before.head.run_id)

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

        Whoever is at work goes on with the old table; its writes there are lost. Nothing is kept.
        """
        backup.rewind(self.facts)
        self.store = table = backup.table()
        self.inside = replace(
            self.inside,
            runs=table,
            timers=table,
            lists=table,
            dead_letters=table,
            kept=processes_of(self.settings, self.choices, lambda: self._current),
        )
        self.engine = self._gated()

    # --- Processes

    def spawn(self, name: str, body: Callable[[], object]) -> Task:
        """Begin a task; it does nothing until it is told to go on."""
        if self._current is None:
            # What a test has set is seen by its steps, but nothing that another step has set.
            self._context = copy_context()
        task = Task(name, body, self._context.copy(), skew=next(self.skews))
        self.tasks.append(task)
        return task

    def go_on(self, task: Task, stops_at: Callable[[str], bool] = always) -> None:
        """Let a task run to its next port call, or to its end."""
        if self.settings.threads and stops_at is never:
            # As little as never, but on a thread, where the task can be left standing.
            stops_at = at_no_call
        before, self._current = self._current, task
        try:
            task.go_on(stops_at)
        finally:
            self._current = before
        if task.done:
            self._ended(task)

    def _choose_skews(self) -> Iterator[int]:
        furthest = self.settings.skew // 2
        skews = (0, furthest, -furthest, furthest // 3, -furthest // 3) if furthest else (0,)
        while True:
            yield skews[self.choices.pick("skew", len(skews))]

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
        # A step that dies of itself is delivered again as one that is killed.
        self.facts.disturbances += task.crashed
        if self.violation is not None:
            raise self.violation
        if task.error is not None and not isinstance(task.error, Exception):
            # Such as a test runner's own sign, raised in a step: for whoever drives the world.
            raise task.error
        error = _cause_of(task.error)
        if error is not None and not isinstance(error, _EXPECTED):
            raise ViolationError("no_unexpected_errors", repr(error)) from error


def _cause_of(error: Exception | None) -> Exception | None:
    """Return an error, or what lies behind it: a sweep goes on whatever happens at one run."""
    cause = error.__cause__ if isinstance(error, IncompleteSweepError) else None
    return cause if isinstance(cause, Exception) else error


def _otherwise(fault: FaultKind, way: Callable[[], object]) -> object:
    answer = way()
    if fault is FaultKind.PARTIAL:
        raise UnavailableError("applied in part, in a simulation")
    return answer
