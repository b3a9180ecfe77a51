"""Virtual time, processes that run in it, and executors that a queue calls.

A process is the real code, on a thread. Whenever it asks for something that takes time it hands
over the baton, and gets it back when that time has passed; whoever comes first goes on. So
processes overlap as they would, and a run with the same seed is the same run.
"""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Generic, TypeVar

from everstep.testing.simulation.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Something that took its time, in microseconds."""

    what: str
    begin: int
    end: int


@dataclass(slots=True, kw_only=True)
class Trace:
    """What a process did, one thing after the other, and whose message called it.

    Attributes:
        sender: Who sent the message; None for a client.
        segments: What it did; first of all how it was called.
    """

    sender: Trace | None = None
    segments: list[Segment] = field(default_factory=list)


class Cloud:
    """The time, and everybody who waits for it to pass.

    Attributes:
        now: Microseconds since the beginning.
        trace: Of the process that runs.
    """

    def __init__(self) -> None:
        """Begin at zero, with nothing to do."""
        self.now = 0
        self.trace = Trace()
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._task: Task | None = None
        self._until = 0

    def at(self, instant: int, act: Callable[[], None]) -> None:
        """Do something at a time."""
        heappush(self._agenda, (instant, next(self._numbers), act))

    def run(self) -> None:
        """Let time pass until nothing happens any more."""
        while self._agenda:
            self.now, _, act = heappop(self._agenda)
            act()

    def begin(self, body: Callable[[], None], trace: Trace, then: Callable[[], None]) -> None:
        """Begin a process now; do something once it has ended."""
        task = Task("process", body, copy_context())
        self._go_on(task, trace, then)

    def take(self, what: str, micros: int) -> None:
        """Let time pass for the process that runs, and only for it."""
        begin = self.now
        self.trace.segments.append(Segment(what=what, begin=begin, end=begin + micros))
        if self._task is not None:
            self._until = begin + micros
            self._task.pause(what)

    def _go_on(self, task: Task, trace: Trace, then: Callable[[], None]) -> None:
        with self._running(task, trace):
            task.go_on()
        if not task.done:
            self.at(self._until, lambda: self._go_on(task, trace, then))
            return
        if task.error is not None:
            raise task.error
        then()

    @contextmanager
    def _running(self, task: Task, trace: Trace) -> Iterator[None]:
        self._task, self.trace = task, trace
        try:
            yield
        finally:
            self._task, self.trace = None, Trace()


@dataclass(slots=True, kw_only=True)
class Executors(Generic[T]):
    """Environments of a function: a call takes the one that became free last, or a new one.

    Attributes:
        most: How many there may be at once.
        make: Makes a new one.
        made: How many were made.
    """

    most: int
    make: Callable[[], T]
    made: int = 0
    _free: list[T] = field(default_factory=list)
    _waiting: deque[Callable[[T, bool], None]] = field(default_factory=deque)

    def call(self, use: Callable[[T, bool], None]) -> None:
        """Use one now, or as soon as there is one; the second argument says whether it is new."""
        if self._free:
            use(self._free.pop(), False)  # noqa: FBT003 - what the argument means is said above
        elif self.made < self.most:
            self.made += 1
            use(self.make(), True)  # noqa: FBT003 - the same
        else:
            self._waiting.append(use)

    def release(self, executor: T) -> None:
        """Give one back: whoever waits the longest gets it."""
        self._free.append(executor)
        if self._waiting:
            self.call(self._waiting.popleft())
