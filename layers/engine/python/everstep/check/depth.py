"""Room for code that is nested more deeply than Python's own limit of calls lets be followed."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

TOO_DEEP: Final = "nested too deeply for this check"
# Some seven calls for each link of q.filter(1).filter(2)…: enough for thousands of links.
_CALLS: Final = 30_000
_STACK_BYTES: Final = 512 * 1024 * 1024
# Both limits belong to the whole process: one at a time may change them.
_LIMITS: Final = threading.Lock()


def with_room(work: Callable[[], T]) -> T:
    """Do some work; if it is nested too deeply, do it again on a stack that is much larger.

    Raises:
        RecursionError: It is too deep for that as well.
    """
    try:
        return work()
    except RecursionError:
        return _on_a_large_stack(work)


def _on_a_large_stack(work: Callable[[], T]) -> T:
    with _LIMITS:
        calls, stack = sys.getrecursionlimit(), threading.stack_size(_STACK_BYTES)
        sys.setrecursionlimit(max(calls, _CALLS))
        try:
            with ThreadPoolExecutor(max_workers=1) as pool:
                return pool.submit(work).result()
        finally:
            sys.setrecursionlimit(calls)
            threading.stack_size(stack)
