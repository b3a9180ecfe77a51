"""A whole deployment in one process: every moment that may differ is a choice.

The world holds the real use cases on the memory store, a step queue, a dead-letter queue and one
virtual clock. What happens next is an ``Action``: a task goes on to its next port call, a message
is delivered, the sweeper wakes up, a client calls, an operator resumes. Time passes when nothing
else can happen. A ``Policy`` picks among the actions, so a policy (with its seed) and the faults
are the whole schedule.
"""

from __future__ import annotations

from collections import Counter, deque
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from everstep.adapters.memory.blobs import MemoryBlobs
from everstep.adapters.memory.clock import VirtualClock
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.store import MemoryStore
from everstep.app.attempt import OutOfTimeError
from everstep.app.control import resume
from everstep.app.dead_letter import dead_letter
from everstep.app.engine import Engine
from everstep.app.receive import receive
from everstep.app.start import start
from everstep.app.sweep import sweep
from everstep.authoring.registry import Registry
from everstep.authoring.step_context import step_context
from everstep.core.durations import SECOND
from everstep.core.errors import IllegalStateError, UnavailableError
from everstep.core.model import HEAD
from tests.simulation.faults import Call, FaultKind, Planned, wrap
from tests.simulation.happenings import happenings
from tests.simulation.invariants import (
    Facts,
    ViolationError,
    check_at_rest,
    check_without_faults,
    check_write,
)
from tests.simulation.policies import InOrder
from tests.simulation.settings import Settings
from tests.simulation.step_queue import Letter, StepQueue
from tests.simulation.tasks import Killed, Task, always, never
from tests.simulation.watched import WatchedStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from random import Random

    from everstep.authoring.workflows import Workflow
    from everstep.core.model import History
    from tests.simulation.faults import Faults
    from tests.simulation.policies import Action, Policy

T = TypeVar("T")

START: Final = 1_767_225_600_000
_MOST_ACTIONS: Final = 5_000
_STORY: Final = 60
# After these the message is delivered again, or the client calls again.
_EXPECTED: Final = (UnavailableError, OutOfTimeError)
_EXECUTOR: Final = "executor"
_SWEEPER: Final = "sweeper"

_inhabited: ContextVar[World] = ContextVar("everstep_simulated_world")


def carried_out() -> None:
    """Tell the world that the code of the current attempt was carried out; steps call this."""
    here = step_context()
    _inhabited.get().effect(here.run_id, here.operation, here.attempt)


class World:
    """A deployment in which everything that may happen is a choice.

    Use it in a ``with`` block: leaving it ends whatever is still under way.
    """

    def __init__(
        self,
        workflows: Iterable[Workflow[Any, Any]],
        *,
        faults: Faults | None = None,
        policy: Policy | None = None,
        settings: Settings | None = None,
        rng: Random | None = None,
    ) -> None:
        """Deploy the workflows to an empty system.

        Args:
            workflows: What is deployed.
            faults: What goes wrong at port calls.
            policy: Who goes on, and what happens next.
            settings: How the world is made.
            rng: Draws clock skews and torn queries; without it there are none.
        """
        self.faults: Faults = faults or Planned()
        self.policy: Policy = policy or InOrder()
        self.settings = settings or Settings()
        self.facts = Facts(skew=self.settings.skew)
        self.calls: list[Call] = []
        self.counts: Counter[str] = Counter()
        self.tasks: list[Task] = []
        self.appointments: list[tuple[int, Callable[[], object]]] = []
        self.operated: Counter[str] = Counter()
        self.odd_left = self.settings.oddities
        self.swept_at = 0
        self.held: set[Task] = set()
        self.skews: Iterator[int] = self._draw_skews(rng)
        self._rng = rng
        self._clock = VirtualClock(START)
        self._numbers = count(1)
        self._current: Task | None = None
        self._story: deque[str] = deque(maxlen=_STORY)
        letters = count(1)
        self.store = MemoryStore()
        self.queue = StepQueue(self._clock, letters)
        self.dead = StepQueue(self._clock, letters)
        self.engine = self._engine(workflows)

    def _engine(self, workflows: Iterable[Workflow[Any, Any]]) -> Engine:
        watched = WatchedStore(self.store, self._check_write)
        bare = Engine(
            runs=watched,
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
        self.inside = replace(bare, runs=self.store)
        return wrap(bare, self)

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
        self._story.append(f"{call}{f'   <-- {fault}' if fault else ''}")

    # --- What a test or a policy makes happen

    def deploy(self, workflows: Iterable[Workflow[Any, Any]]) -> None:
        """Put new code in place of the old; runs stay as they are."""
        registry = Registry(workflows)
        self.engine = replace(self.engine, registry=registry)
        self.inside = replace(self.inside, registry=registry)

    def history(self, run_id: str | None = None) -> History:
        """Return what is recorded of a run; of the first one, if not said which.

        Raises:
            LookupError: There is no such run.
        """
        found = self.store.load(run_id or self.store.run_ids[0])
        if found is None:
            raise LookupError(run_id)
        return found

    def next_message(self, op: str = HEAD) -> Letter:
        """Let everything happen in order until there is a message for an operation.

        Raises:
            ViolationError: There never is one.
        """

        def sent() -> list[Letter]:
            return [letter for letter in self.queue.letters if letter.message.op == op]

        self.happen_until(lambda: bool(sent()))
        return sent()[0]

    def happen_until(self, reached: Callable[[], bool]) -> None:
        """Let everything happen in order until a point is reached.

        Raises:
            ViolationError: It never is.
        """
        with self._told():
            while not reached():
                actions = list(happenings(self))
                if not actions:
                    raise ViolationError("comes_to_the_point", "nothing happens any more")
                self._take(actions[0])

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

    def trigger(self, workflow: str, value: object = None, key: str | None = None) -> Task:
        """Begin a client's call; with a key the client calls again until it is answered."""

        def call() -> None:
            accepted = start(self.engine, workflow, value, idempotency_key=key)
            self.facts.accepted.append((accepted.run_id, key))

        return self._persistently(f"trigger {workflow}", call, again=key is not None)

    def _persistently(self, name: str, call: Callable[[], None], *, again: bool) -> Task:
        def body() -> None:
            answered = False
            try:
                call()
                answered = True
            finally:
                if not answered and again:
                    once_more = partial(self._persistently, name, call, again=again)
                    self.appointments.append((self._clock.now() + SECOND, once_more))

        return self.spawn(name, body)

    def resume(self, run_id: str) -> Task:
        """Begin an operator's call."""
        self.facts.resumptions += 1

        def call() -> None:
            with _tolerated(IllegalStateError):
                resume(self.engine, run_id)

        return self._persistently(f"resume {run_id}", call, again=True)

    def deliver(self, letter: Letter) -> Task | None:
        """Begin to process a message, or give it up if it was received too often."""
        if letter.receives < self.settings.receives:
            return self.execute(letter)
        self.queue.delete(letter)
        self.dead.take_in(letter.body)
        return None

    def execute(self, letter: Letter, time_left: Callable[[], int] | None = None) -> Task:
        """Begin to process a message; it is deleted if that succeeds."""
        self.queue.receive(letter, self.settings.visibility)

        def process() -> None:
            receive(self.engine, f"message-{letter.number}", letter.body, time_left)
            self._acknowledge(self.queue, letter)

        return self.spawn(f"{_EXECUTOR} of {letter}", process)

    def bury(self, letter: Letter) -> Task:
        """Begin to process a dead letter."""
        self.dead.receive(letter, self.settings.visibility)

        def process() -> None:
            dead_letter(self.engine, f"message-{letter.number}", letter.body, letter.receives)
            self._acknowledge(self.dead, letter)

        return self.spawn(f"undertaker of {letter}", process)

    def sweep(self) -> Task:
        """Begin a sweep."""
        self.swept_at = self._clock.now()

        def body() -> None:
            self.facts.recovered += sweep(self.engine).recovered

        return self.spawn(_SWEEPER, body)

    @property
    def sweeping(self) -> bool:
        """Say whether a sweep is under way."""
        return any(task.name == _SWEEPER for task in self.tasks)

    @property
    def busy(self) -> int:
        """Return how many executors are at work."""
        return sum(task.name.startswith(_EXECUTOR) for task in self.tasks)

    def keep(self, at: int, appointment: Callable[[], object]) -> None:
        """Let happen what was to happen at this time."""
        self.appointments.remove((at, appointment))
        appointment()

    def operate(self, run_id: str) -> None:
        """Resume a run as the operator does, who gives up after some times."""
        self.operated[run_id] += 1
        self.resume(run_id)

    def duplicate(self, letter: Letter) -> Letter:
        """Put a message that was sent once into the queue once more."""
        self.facts.disturbances += 1
        return self.queue.take_in(letter.body)

    def pass_time(self, millis: int) -> None:
        """Let time pass."""
        self._clock.advance(millis)

    def hold_up(self, millis: int) -> None:
        """Let nothing happen for a time: whoever is at work may be taken for dead."""
        self.facts.disturbances += 1 + self.busy
        self.pass_time(millis)

    def lose_messages(self) -> None:
        """Empty the queue."""
        self.facts.disturbances += 1
        self.queue.purge()

    def _acknowledge(self, queue: StepQueue, letter: Letter) -> None:
        self.pass_through("ack", str(letter), lambda: queue.delete(letter))

    # --- What happens by itself

    def run(self) -> None:
        """Let happen what can happen, until nothing more does.

        Raises:
            ViolationError: An invariant does not hold; the story so far is in its notes.
        """
        with self._told():
            for _ in range(_MOST_ACTIONS):
                actions = list(happenings(self))
                if not actions:
                    return
                self._take(self.policy.choose(actions))
            raise ViolationError("comes_to_rest", f"not after {_MOST_ACTIONS} actions")

    def check(self) -> None:
        """Check what must hold at rest, and without faults if there were none.

        Raises:
            ViolationError: An invariant does not hold; the story so far is in its notes.
        """
        with self._told():
            check_at_rest(self.inside, self.facts, self.store.run_ids)
            if not self.facts.disturbances and not self.facts.resumptions:
                check_without_faults(self.facts)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except ViolationError as error:
            error.add_note("\n".join(self._story))
            raise

    def _take(self, action: Action) -> None:
        if action.odd:
            self.odd_left -= 1
            self.facts.disturbances += 1
            self._story.append(f"     --- {action.label}")
        action.act()

    def _check_write(self, before: History | None, after: History | None) -> None:
        if after is not None and after != before:
            check_write(before, after, self._clock.now(), self.settings.skew)


@contextmanager
def _tolerated(*errors: type[Exception]) -> Iterator[None]:
    try:
        yield
    except errors:
        return
