"""Which coroutine of a pass goes on next: by time, and then as they came."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from everstep.core.answers import Answer
    from everstep.core.fibers import Fiber

    Turn = tuple[int, int, Fiber, Answer]


class Turns:
    """Coroutines that can go on, each with its time and what it goes on with.

    Most come in the order of their times, all at once where branches begin side by side: those
    stand in a queue, which takes no comparison with all others. The rest is a heap.
    """

    __slots__ = ("_early", "_in_order", "_number")

    def __init__(self) -> None:
        """Begin with none."""
        self._number = 0
        self._in_order: deque[Turn] = deque()
        self._early: list[Turn] = []

    def __bool__(self) -> bool:
        """Say whether there is one."""
        return bool(self._in_order or self._early)

    def add(self, fiber: Fiber, given: Answer) -> None:
        """Let a coroutine go on at its time, after those of the same time."""
        self._number = number = self._number + 1
        in_order, now = self._in_order, fiber.frame.now
        if in_order and now < in_order[-1][0]:
            heappush(self._early, (now, number, fiber, given))
        else:
            in_order.append((now, number, fiber, given))

    def next(self) -> tuple[Fiber, Answer]:
        """Return the next one, which is no longer among them, and what it goes on with."""
        early, in_order = self._early, self._in_order
        is_early = early and (not in_order or early[0] < in_order[0])
        _, _, fiber, given = heappop(early) if is_early else in_order.popleft()
        return fiber, given
