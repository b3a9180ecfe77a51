"""Notice when workflow code blocks: asyncio inside a workflow is a mistake with a name.

The engine drives workflow code itself and runs no event loop, so ``asyncio.sleep`` and its kin
cannot work there. While workflow code runs, a stand-in takes the place of the running loop:
the first thing that asyncio asks of it raises an error that says what was called and what to
call instead. The mistake is also noted, so that an ``except Exception`` around it hides nothing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

from everstep.core.errors import BlockingCallError, RunCancelled
from everstep.core.failures import innermost

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_ASYNC_LIBRARIES: Final = frozenset(
    {"asyncio", "anyio", "sniffio", "trio", "curio", "aiohttp", "aiobotocore"}
)
_NO_HOOKS: Final = (None, None)
_DEFAULT: Final = "do waiting and IO inside a step: await ctx.step(…)"
_ADVICE: Final = {
    "sleep": "use await ctx.sleep(…), which sleeps durably and holds no compute",
    "wait_for": "give the step a time-out, @step(timeout=…), and await ctx.step(…)",
    "timeout": "give the step a time-out, @step(timeout=…), and await ctx.step(…)",
    "to_thread": "make the function a step: await ctx.step(…)",
    "run": "await the coroutine itself, or make it a step: await ctx.step(…)",
}


class _NoLoop:
    """Stands where asyncio looks for its running loop."""

    def __init__(self, note: Callable[[BlockingCallError], None]) -> None:
        self._note = note

    def __getattr__(self, name: str) -> NoReturn:
        self._refuse(sys._getframe(1), name)  # noqa: SLF001 - to name the call

    def __hash__(self) -> int:
        # asyncio looks its loop's current task up: timeout() and TaskGroup() begin with that.
        # Others only want to know whether there is one, such as logging for every record.
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
        while frame is not None and frame.f_code.co_name == "current_task":
            frame = frame.f_back  # Python 3.11 looks it up in Python, later ones in C
        if frame is not None and _library(frame) in _ASYNC_LIBRARIES:
            self._refuse(frame, "current_task")
        return object.__hash__(self)

    def _refuse(self, frame: FrameType, asked: str) -> NoReturn:
        error = BlockingCallError(_message(*_caller(frame, asked)))
        self._note(error)
        raise error


class no_event_loop:  # noqa: N801 - used as a function is
    """Let asyncio find no usable loop while workflow code runs in the ``with`` block.

    It can be entered again; so it is a class, and no generator. Whoever runs code thousands of
    times looks once (``look``), and then puts ``stand_in`` and ``before`` in place itself.

    Attributes:
        stand_in: Takes the place of the loop.
        before: The loop that runs around the engine, if one does.
        put: Puts something where asyncio looks; None if nobody can look there.
    """

    __slots__ = ("before", "put", "stand_in")

    def __init__(self, note: Callable[[BlockingCallError], None]) -> None:
        """Tell of every attempt to use a loop."""
        self.stand_in = _NoLoop(note)
        self.before: Any = None
        self.put: Callable[[Any], None] | None = None

    def look(self) -> None:
        """See whether there is a place where asyncio looks, and what is there."""
        # If nobody has imported asyncio, nobody can use it, and importing it would cost 15 ms.
        events = sys.modules.get("asyncio.events")
        if events is not None:
            self.before = events._get_running_loop()  # noqa: SLF001 - asyncio's documented hook for loop implementers
            self.put = events._set_running_loop  # noqa: SLF001

    def __enter__(self) -> None:
        """Put the stand-in where asyncio looks."""
        self.look()
        if self.put is not None:
            self.put(self.stand_in)

    def __exit__(self, *_: object) -> None:
        """Put back what was there."""
        if self.put is not None:
            self.put(self.before)


class no_generator_hooks:  # noqa: N801 - used as a function is
    """Let a loop that runs around the engine not clean up after the workflow's generators."""

    __slots__ = ("_hooks",)

    def __enter__(self) -> None:
        """Take the loop's hooks away."""
        self._hooks = sys.get_asyncgen_hooks()
        if self._hooks != _NO_HOOKS:
            sys.set_asyncgen_hooks(*_NO_HOOKS)

    def __exit__(self, *_: object) -> None:
        """Put back what was there."""
        if sys.get_asyncgen_hooks() != self._hooks:
            sys.set_asyncgen_hooks(*self._hooks)


def blocking_error(error: BaseException) -> BlockingCallError | None:
    """Return the mistake behind an exception that an async library raised in workflow code."""
    if isinstance(error, BlockingCallError):
        return error
    frames = innermost(error.__traceback__)
    module, function, _ = frames[-1] if frames else ("", "", 0)
    if module.partition(".")[0] not in _ASYNC_LIBRARIES:
        return None
    called = next(frame[1] for frame in frames if frame[0].partition(".")[0] in _ASYNC_LIBRARIES)
    return BlockingCallError(_message(module.partition(".")[0], called or function))


def is_outcome(error: BaseException) -> bool:
    """Say whether what workflow code raises is its outcome, as opposed to the process's end."""
    if isinstance(error, Exception | SystemExit | GeneratorExit | RunCancelled):
        return True
    # An async library's own sign of a cancellation.
    return type(error).__module__.partition(".")[0] in _ASYNC_LIBRARIES


def failures_of_steps() -> tuple[type[BaseException], ...]:
    """Return the classes of what ends an attempt, to be caught: also asyncio's cancellation."""
    # As above: what nobody has imported, nobody can raise.
    exceptions = sys.modules.get("asyncio.exceptions")
    cancelled = () if exceptions is None else (exceptions.CancelledError,)
    return (Exception, SystemExit, *cancelled)


def foreign_yield(value: object) -> BlockingCallError:
    """Return the mistake of awaiting something that is no operation."""
    shown = (
        "a bare yield, as asyncio.sleep(0) makes"
        if value is None
        else f"a {type(value).__qualname__}"
    )
    return BlockingCallError(
        f"workflow code awaited {shown}; only operations of ctx can be awaited: {_DEFAULT}"
    )


def _caller(frame: FrameType | None, attribute: str) -> tuple[str, str]:
    """Find the library's outermost function on the way to the loop, for example asyncio's sleep."""
    # Asked from the workflow itself: a future asks for the loop's debug flag first of all.
    library, function = "asyncio", "Future" if attribute == "get_debug" else f"loop.{attribute}"
    while frame is not None:
        root = _library(frame)
        if root not in _ASYNC_LIBRARIES:
            break
        library, function = root, frame.f_code.co_qualname
        frame = frame.f_back
    return library, function


def _library(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


def _message(library: str, function: str) -> str:
    # Without the machinery: TaskGroup.__aenter__ is a TaskGroup, Event.wait stays what it is.
    parts = [part for part in function.split(".") if not part.startswith("_")]
    advice = _ADVICE.get(parts[0] if parts else "", _DEFAULT)
    return f"{library}.{'.'.join(parts)}() cannot be used in workflow code: {advice}"
