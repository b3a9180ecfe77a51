"""Waiting in workflow code with anything but ``ctx`` stalls the run, and says what to write."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel, field_validator

from everstep import Context, step
from everstep.core import blocking
from tests.unit.core.builders import (
    Body,
    add,
    broken,
    decide,
    frontier,
    history_of,
    raised,
    returned,
)

if TYPE_CHECKING:
    from everstep.core.errors import BlockingCallError

Call = Callable[[], Awaitable[object]]


async def ready() -> None: ...


async def task_group() -> None:
    async with asyncio.TaskGroup():
        pass


async def timeout_block() -> None:
    async with asyncio.timeout(1):  # noqa: ASYNC100 - entering it is the point
        pass


async def timeout_without_limit() -> None:
    async with asyncio.timeout(None):  # noqa: ASYNC100 - the same
        pass


async def contended_lock() -> None:
    lock = asyncio.Lock()
    await lock.acquire()
    await lock.acquire()


async def closing(make: Callable[[Any], Any]) -> None:
    """Call with a coroutine that nobody will await, and close it without noise."""
    coroutine = ready()
    try:
        await make(coroutine)
    finally:
        coroutine.close()


async def loop_itself() -> None:
    await asyncio.get_running_loop().run_in_executor(None, print)


async def http_client() -> None:
    httpx = pytest.importorskip("httpx")
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport()) as client:
        await client.get("http://127.0.0.1:9/")


async def anyio_sleep() -> None:
    anyio = pytest.importorskip("anyio")
    await anyio.sleep(1)


CALLS: dict[str, tuple[Call, str, str]] = {
    "sleep": (lambda: asyncio.sleep(1), "asyncio.sleep()", "await ctx.sleep("),
    "sleep(0)": (lambda: asyncio.sleep(0), "asyncio.sleep(0)", "await ctx.step("),
    "gather": (lambda: asyncio.gather(ready()), "asyncio.gather()", "await ctx.step("),
    "wait_for": (
        lambda: closing(lambda c: asyncio.wait_for(c, 1)),
        "asyncio.wait_for()",
        "timeout=",
    ),
    "create_task": (lambda: closing(asyncio.create_task), "asyncio.create_task()", "ctx.step("),
    "TaskGroup": (task_group, "asyncio.TaskGroup()", "await ctx.step("),
    "timeout": (timeout_block, "asyncio.timeout()", "@step(timeout=…)"),
    "timeout(None)": (timeout_without_limit, "asyncio.", "ctx.step("),
    "to_thread": (
        lambda: asyncio.to_thread(print),
        "asyncio.to_thread()",
        "make the function a step",
    ),
    "Lock": (contended_lock, "asyncio.Lock.acquire()", "await ctx.step("),
    "Event": (lambda: asyncio.Event().wait(), "asyncio.Event.wait()", "await ctx.step("),
    "Queue": (lambda: asyncio.Queue[int]().get(), "asyncio.Queue.get()", "await ctx.step("),
    "open_connection": (
        lambda: asyncio.open_connection("127.0.0.1", 9),
        "asyncio.open_connection()",
        "await ctx.step(",
    ),
    "Future": (asyncio.Future[int], "asyncio.Future()", "await ctx.step("),
    "loop": (loop_itself, "asyncio.loop.run_in_executor()", "await ctx.step("),
    "httpx": (http_client, "cannot be used in workflow code", "await ctx.step("),
    "anyio": (anyio_sleep, "anyio.sleep()", "await ctx.sleep("),
}
each_call = pytest.mark.parametrize(
    ("call", "named", "advice"), list(CALLS.values()), ids=list(CALLS)
)


def plainly(call: Call) -> Body:
    async def body(ctx: Context) -> int:
        await call()
        return await ctx.step(add, 1)

    return body


def swallowing(call: Call) -> Body:
    async def body(ctx: Context) -> int:
        with contextlib.suppress(Exception):
            await call()
        return await ctx.step(add, 1)

    return body


@each_call
def test_a_blocking_call_stalls_and_names_itself_and_the_right_way(
    call: Call, named: str, advice: str
) -> None:
    error = broken(decide(plainly(call)))

    assert error.type == "BlockingCallError"
    assert named in error.message
    assert advice in error.message


@each_call
def test_a_blocking_call_stalls_although_the_code_swallows_its_error(
    call: Call, named: str, advice: str
) -> None:
    error = broken(decide(swallowing(call)))

    assert named in error.message
    assert advice in error.message


@each_call
def test_a_blocking_call_stalls_inside_a_running_loop_too(
    call: Call, named: str, advice: str
) -> None:
    async def around() -> None:
        error = broken(decide(swallowing(call)))
        assert named in error.message
        assert advice in error.message

    asyncio.run(around())


def test_asyncio_run_stalls_and_says_to_await_instead() -> None:
    error = broken(decide(plainly(lambda: closing(asyncio.run))))

    assert "asyncio.run() cannot be used in workflow code: await the coroutine" in error.message


def test_an_uncontended_lock_waits_for_nothing_and_is_fine() -> None:
    async def locked(ctx: Context) -> int:
        async with asyncio.Lock():
            return await ctx.step(add, 1)

    assert frontier(decide(locked)) == ["add#1"]


def test_a_cancellation_that_user_code_raises_fails_the_run() -> None:
    async def cancelled(_ctx: Context) -> None:
        raise asyncio.CancelledError

    assert raised(decide(cancelled)).type == "CancelledError"


def test_awaiting_something_foreign_names_its_type() -> None:
    class Odd:
        def __await__(self) -> Generator[int, None, None]:
            yield 42

    async def odd(_ctx: Context) -> None:
        await Odd()

    assert "workflow code awaited a int; only operations of ctx" in broken(decide(odd)).message


def test_an_error_that_passes_no_async_library_is_the_users_own() -> None:
    assert blocking.blocking_error(ValueError()) is None


def test_without_asyncio_there_is_nothing_to_stand_in_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "asyncio.events")
    notes: list[BlockingCallError] = []

    with blocking.no_event_loop(notes.append):
        assert notes == []


async def one_step(ctx: Context, _given: object) -> int:
    """Take one step."""
    return await ctx.step(add, 1, 2)


def test_code_runs_as_well_where_nobody_has_imported_asyncio(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "asyncio.events")
    assert frontier(decide(one_step)) == ["add#1"]


LOOPS: list[object] = []


class Counted(BaseModel):
    """A result whose validator looks for a loop."""

    number: int

    @field_validator("number")
    @classmethod
    def look(cls, number: int) -> int:
        """Look whether a loop runs."""
        LOOPS.append(asyncio._get_running_loop())
        return number


@step
def counted() -> Counted:
    """Count."""
    return Counted(number=3)


async def counting(ctx: Context, _given: object) -> int:
    """Take one step, and read its result."""
    return (await ctx.step(counted)).number


def test_validators_run_between_resumptions_and_may_use_a_loop() -> None:
    history = history_of(counting, {"counted#1": {"number": 3}})
    LOOPS.clear()
    assert returned(decide(counting, history)) == "3"
    assert LOOPS == [None]


def test_a_call_without_any_frame_of_user_code_is_named_by_what_it_asks_of_the_loop() -> None:
    assert blocking._caller(None, "call_soon") == ("asyncio", "loop.call_soon")


def test_asking_whether_there_is_a_task_waits_for_nothing_and_is_fine() -> None:
    seen: list[object] = []

    async def curious(ctx: Context) -> int:
        seen.append(asyncio.current_task())
        return await ctx.step(add, 1)

    assert frontier(decide(curious)) == ["add#1"]
    assert seen == [None]


def test_logging_which_asks_for_the_task_is_fine(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def talkative(ctx: Context) -> int:
        logging.getLogger("mine").info("of the user's own")
        return await ctx.step(add, 1)

    assert frontier(decide(talkative)) == ["add#1"]
    assert [entry.message for entry in caplog.records] == ["of the user's own"]


def test_what_ends_an_attempt_is_caught_whether_or_not_asyncio_was_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert blocking.failures_of_steps() == (Exception, SystemExit, asyncio.CancelledError)
    monkeypatch.delitem(sys.modules, "asyncio.exceptions")
    assert blocking.failures_of_steps() == (Exception, SystemExit)
