"""Run code that may not take longer than so long.

On the main thread of a process (as in Lambda) an interval timer interrupts the code, sync or
async, with an exception that ``except Exception`` does not catch. Elsewhere the code runs on a
thread of its own, which is abandoned when time is up: a thread cannot be stopped.
"""

from __future__ import annotations

import contextvars
import inspect
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from everstep.core.errors import StepTimeout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# An async step is cancelled in its own way first; the alarm follows for one that blocks.
_ASYNC_HEADSTART = 0.25
# Code that swallows the interruption is interrupted again and again.
_REPEAT = 1.0
_PLAIN: Final = frozenset({bool, bytes, dict, float, int, list, str, tuple, type(None)})


class TimeIsUpError(BaseException):
    """Interrupts a step; not an ``Exception``, so that user code does not catch it by accident."""


def call_within(call: Callable[[], object], limit: int | None) -> object:
    """Return what the call (or the coroutine that it returns) gives, within a time limit.

    Args:
        call: Takes nothing; may return an awaitable.
        limit: Milliseconds; None for no limit.

    Raises:
        StepTimeout: Time was up; the code was interrupted or, off the main thread, abandoned.
    """
    if limit is None:
        return _finish(call, None)
    seconds = limit / 1000
    try:
        if threading.current_thread() is threading.main_thread():
            with _alarm(seconds):
                return _finish(call, seconds)
        return _on_a_thread(lambda: _finish(call, seconds), seconds)
    except TimeIsUpError:
        raise StepTimeout(f"the attempt was cut off after {seconds:g} s") from None


def _finish(call: Callable[[], object], seconds: float | None) -> object:
    result = call()
    # Asked of the class first, as nearly all results are plain: it takes a tenth of the time.
    if type(result) in _PLAIN or not inspect.isawaitable(result):
        return result
    # It takes 12 ms to import, and nothing else of the engine needs it.
    import asyncio

    if asyncio._get_running_loop() is None:  # noqa: SLF001 - the public way raises instead
        return asyncio.run(_await(result, seconds))
    # Somebody calls the engine from a coroutine, where no second loop can run.
    return _on_a_thread(lambda: asyncio.run(_await(result, seconds)), seconds)


async def _await(awaitable: Any, seconds: float | None) -> object:  # noqa: ANN401 - any awaitable
    import asyncio

    timer = asyncio.timeout(seconds)
    try:
        async with timer:
            return await awaitable
    except TimeoutError:
        if timer.expired():
            raise TimeIsUpError from None
        raise


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Interrupt the code in the block when time is up, and again until it leaves the block."""
    armed = True

    def ring(_signal: int, _frame: object) -> None:
        if armed:
            raise TimeIsUpError

    before = signal.signal(signal.SIGALRM, ring)
    timer_before = signal.setitimer(signal.ITIMER_REAL, seconds + _ASYNC_HEADSTART, _REPEAT)
    try:
        try:
            yield
        finally:
            armed = False
    finally:
        # Twice, for an alarm between the last line of the block and the first of its end.
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        # Somebody else's alarm, such as a test runner's, gets its time anew.
        signal.setitimer(signal.ITIMER_REAL, *timer_before)


def _on_a_thread(call: Callable[[], object], seconds: float | None) -> object:
    outcome: list[tuple[object, BaseException | None]] = []

    def run() -> None:
        try:
            outcome.append((call(), None))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            outcome.append((None, error))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), daemon=True)
    thread.start()
    thread.join(None if seconds is None else seconds + _ASYNC_HEADSTART)
    if not outcome:
        raise TimeIsUpError
    result, error = outcome[0]
    if error is not None:
        raise error
    return result
