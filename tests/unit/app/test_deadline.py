"""Code that may not take longer than so long, in real time: on the main thread and off it."""

import asyncio
import contextlib
import contextvars
import inspect
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from everstep import StepTimeout
from everstep.app import deadline
from everstep.app.deadline import TimeIsUpError, call_within

if TYPE_CHECKING:
    from types import FrameType

    from _typeshed import TraceFunction

SHORT = 50


def on_main(call: Callable[[], object]) -> object:
    return call()


def on_thread(call: Callable[[], object]) -> object:
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again below
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def in_a_loop(call: Callable[[], object]) -> object:
    async def main() -> object:
        return call()

    return asyncio.run(main())


everywhere = pytest.mark.parametrize(
    "where", [on_main, on_thread, in_a_loop], ids=["main", "thread", "loop"]
)
Where = Callable[[Callable[[], object]], object]


def busy() -> None:
    until = time.monotonic() + 0.4
    while time.monotonic() < until:
        time.sleep(0.005)


async def waiting() -> str:
    await asyncio.sleep(5)
    return "late"


async def quick() -> str:
    await asyncio.sleep(0)
    return "done"


@everywhere
@pytest.mark.parametrize("limit", [None, 5000])
def test_what_is_quick_enough_gives_its_result(where: Where, limit: int | None) -> None:
    assert where(lambda: call_within(lambda: "done", limit)) == "done"
    assert where(lambda: call_within(quick, limit)) == "done"


@everywhere
def test_an_async_step_is_cut_off(where: Where) -> None:
    with pytest.raises(StepTimeout, match=r"cut off after 0\.05 s"):
        where(lambda: call_within(waiting, SHORT))


def test_a_sync_step_is_interrupted_on_the_main_thread() -> None:
    with pytest.raises(StepTimeout, match=r"cut off after 0\.05 s"):
        call_within(busy, SHORT)


def test_a_sync_step_is_abandoned_on_another_thread() -> None:
    with pytest.raises(StepTimeout):
        on_thread(lambda: call_within(busy, SHORT))


def test_an_except_exception_does_not_hear_the_interruption() -> None:
    heard: list[Exception] = []

    def deaf() -> None:
        try:
            busy()
        except Exception as error:  # noqa: BLE001 - that is the point
            heard.append(error)

    with pytest.raises(StepTimeout):
        call_within(deaf, SHORT)
    assert heard == []


def test_code_that_swallows_the_interruption_is_interrupted_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("everstep.app.deadline._REPEAT", 0.02)
    monkeypatch.setattr("everstep.app.deadline._ASYNC_HEADSTART", 0.0)
    swallowed: list[int] = []

    def stubborn() -> None:
        while len(swallowed) < 3:
            with contextlib.suppress(BaseException):
                try:
                    busy()
                finally:
                    swallowed.append(1)
        busy()

    with pytest.raises(StepTimeout):
        call_within(stubborn, 20)
    assert len(swallowed) == 3


def test_an_async_step_that_blocks_is_interrupted_after_a_head_start() -> None:
    async def blocking() -> None:
        busy()

    with pytest.raises(StepTimeout):
        call_within(blocking, SHORT)


def test_a_time_out_of_the_steps_own_is_an_error_of_its_own() -> None:
    async def own() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(1)

    with pytest.raises(TimeoutError) as raised:
        call_within(own, 5000)
    assert not isinstance(raised.value, StepTimeout)


@everywhere
@pytest.mark.parametrize(
    "error",
    [ValueError("no"), SystemExit(3), asyncio.CancelledError(), KeyboardInterrupt()],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("limit", [None, 5000])
def test_whatever_the_code_raises_comes_out(
    where: Where, error: BaseException, limit: int | None
) -> None:
    def failing() -> None:
        raise error

    with pytest.raises(type(error)):
        where(lambda: call_within(failing, limit))


@everywhere
def test_whatever_a_coroutine_raises_comes_out(where: Where) -> None:
    async def failing() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        where(lambda: call_within(failing, 5000))


@everywhere
def test_context_variables_are_seen_wherever_the_code_runs(where: Where) -> None:
    variable = contextvars.ContextVar("variable", default="unset")

    async def read() -> str:
        return variable.get()

    def call() -> object:
        variable.set("set")
        return call_within(read, 5000), call_within(variable.get, 5000)

    assert where(call) == ("set", "set")


@pytest.fixture
def someone_elses_alarm() -> Iterator[Callable[[], None]]:
    """Arm an alarm far away, as a test runner does; give the function that proves it stands."""
    handler_before = signal.getsignal(signal.SIGALRM)
    timer_before = signal.setitimer(signal.ITIMER_REAL, 1000, 7)

    def ring(_signal: int, _frame: object) -> None: ...

    signal.signal(signal.SIGALRM, ring)

    def check() -> None:
        delay, interval = signal.getitimer(signal.ITIMER_REAL)
        assert signal.getsignal(signal.SIGALRM) is ring
        assert 900 < delay <= 1001
        assert interval == 7

    yield check
    signal.setitimer(signal.ITIMER_REAL, *timer_before)
    signal.signal(signal.SIGALRM, handler_before)


@pytest.mark.parametrize("call", [lambda: None, busy], ids=["quick", "slow"])
def test_somebody_elses_alarm_stands_as_before(
    someone_elses_alarm: Callable[[], None], call: Callable[[], None]
) -> None:
    with contextlib.suppress(StepTimeout):
        call_within(call, SHORT)

    someone_elses_alarm()


def test_an_alarm_that_comes_late_hits_nobody() -> None:
    kept: list[Callable[[int, FrameType | None], object]] = []

    def call() -> None:
        handler = signal.getsignal(signal.SIGALRM)
        assert callable(handler)
        kept.append(handler)
        with pytest.raises(TimeIsUpError):
            handler(signal.SIGALRM, None)

    call_within(call, 5000)

    kept[0](signal.SIGALRM, None)


def test_an_alarm_at_the_very_end_leaves_no_alarm_behind() -> None:
    lines, first = inspect.getsourcelines(deadline._alarm)
    end = first + next(at for at, line in enumerate(lines) if line.strip() == "armed = False")
    rung: list[int] = []

    def trace(frame: "FrameType", _event: str, _arg: object) -> "TraceFunction | None":
        return ring if frame.f_code.co_qualname == "_alarm" else None

    def ring(frame: "FrameType", _event: str, _arg: object) -> "TraceFunction":
        if frame.f_lineno == end and not rung:
            rung.append(end)
            signal.raise_signal(signal.SIGALRM)
        return ring

    before = signal.getsignal(signal.SIGALRM)
    tracing = sys.gettrace()
    sys.settrace(trace)
    try:
        with pytest.raises(StepTimeout):
            call_within(lambda: None, 60_000)
    finally:
        sys.settrace(tracing)

    assert rung
    assert signal.getsignal(signal.SIGALRM) is before
