"""Processes that take turns: real use cases at the same time, one port call after another.

Each task is a thread, but only one of them ever runs: it holds the baton until it pauses at its
next port call or ends, and whoever drives the tasks decides who goes on. So every interleaving
of port calls can be made, and made again.
"""

from __future__ import annotations

from threading import Lock, Thread
from typing import TYPE_CHECKING

from everstep.testing.crash import Crash

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextvars import Context


class Killed(Crash):
    """Ends a task where it stands, as the death of a process does."""


def always(_call: str) -> bool:
    """Pause at every port call."""
    return True


def never(_call: str) -> bool:
    """Pause at no port call."""
    return False


def at_no_call(_call: str) -> bool:
    """Pause at no port call, but run on a thread, so that the task can be left standing."""
    return False


class Task:
    """One process: it runs until its next pause when it is told to go on.

    Attributes:
        name: For traces.
        twin: Begins the same work once more, as a second process.
        skew: How far its clock is ahead, in milliseconds.
        waits_at: Name of the port call that it is about to make; empty before its first.
        done: Whether it has ended, whichever way.
        killed: Whether it was killed, by itself or another.
        crashed: Whether it was user code that killed it.
        error: What it ended with, unless it was killed.
    """

    def __init__(
        self, name: str, body: Callable[[], object], context: Context, *, skew: int = 0
    ) -> None:
        """Prepare the process; nothing runs yet.

        Args:
            name: For traces.
            body: What the process does.
            context: Context variables as they are where the process begins.
            skew: How far its clock is ahead, in milliseconds.
        """
        self.name = name
        self.twin: Callable[[], Task] | None = None
        self.skew = skew
        self.waits_at = ""
        self.done = False
        self.killed = False
        self.crashed = False
        self.error: BaseException | None = None
        self._body = body
        self._context = context
        self._stops_at: Callable[[str], bool] = always
        self._go = _closed()
        self._back = _closed()
        self._thread: Thread | None = None

    def go_on(self, stops_at: Callable[[str], bool] = always) -> None:
        """Run to the next pause, or to the end.

        Args:
            stops_at: Says at which port calls to pause; at the next one, if not given.
        """
        self._stops_at = stops_at
        if self._thread is None and stops_at is never:
            # Nobody takes turns, so no thread is needed: many times faster.
            self._context.run(self._run)
            return
        if self._thread is None:
            self._thread = Thread(target=self._context.run, args=(self._run,), daemon=True)
            self._thread.start()
        else:
            self._go.release()
        self._back.acquire()
        if self.done:
            self._thread.join()

    def pause(self, call: str) -> None:
        """Hand the baton back; called by the task's own thread, just before a port call.

        Raises:
            Killed: The process died meanwhile, or before.
        """
        if self.killed:
            raise Killed
        if not self._stops_at(call):
            return
        self.waits_at = call
        self._back.release()
        self._go.acquire()
        if self.killed:
            raise Killed

    def stand_still(self) -> None:
        """Hand the baton back, to be told to go on when everything else is over.

        Raises:
            Killed: The process died meanwhile.
        """
        self._back.release()
        self._go.acquire()
        if self.killed:
            raise Killed

    def die(self) -> Killed:
        """Mark the process as dead; the caller raises what this returns."""
        self.killed = True
        return Killed()

    def kill(self) -> None:
        """End the process where it stands."""
        self.killed = True
        if self._thread is None:
            self.done = True
        elif not self.done:
            self.go_on()

    def _run(self) -> None:
        try:
            self._body()
        except Killed:
            self.killed = True
        except Crash:
            self.killed = self.crashed = True
        except BaseException as error:  # noqa: BLE001 - judged by whoever drives the task
            self.error = error
        self.done = True
        if self._thread is not None:
            self._back.release()


def _closed() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock
