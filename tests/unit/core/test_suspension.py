"""A suspended workflow is let go: nothing durable runs then, and nobody mistakes it for an error.

Warnings are errors in this suite, so noise such as "coroutine ignored GeneratorExit" fails a test.
"""

import asyncio
import contextlib
import gc
import logging
import sys
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from everstep import Context
from everstep.core.decisions import Suspended
from everstep.core.session import DRIVEN
from tests.unit.core.builders import (
    Body,
    add,
    decide,
    ended,
    frontier,
    history_of,
    one_pass,
    returned,
)


class Guarded:
    """An async context manager with a durable farewell."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.left_with: list[type[BaseException] | None] = []

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.left_with.append(kind)
        await self.ctx.step(add, 99)


async def with_finally(ctx: Context) -> int:
    try:
        return await ctx.step(add, 1)
    finally:
        await ctx.step(add, 99)


async def with_async_with(ctx: Context) -> int:
    async with Guarded(ctx):
        return await ctx.step(add, 1)


async def with_except_exception(ctx: Context) -> int:
    try:
        return await ctx.step(add, 1)
    except Exception:  # noqa: BLE001 - that is the point
        return await ctx.step(add, 99)


async def with_except_base_exception(ctx: Context) -> int:
    try:
        return await ctx.step(add, 1)
    except BaseException:  # noqa: BLE001 - that is the point
        return await ctx.step(add, 99)


async def with_reraise(ctx: Context) -> int:
    try:
        return await ctx.step(add, 1)
    except BaseException:
        await ctx.step(add, 99)
        raise


async def with_return_in_finally(ctx: Context) -> int:
    try:
        await ctx.step(add, 1)
    finally:
        return 99  # noqa: B012 - that is the point


async def with_swallow(ctx: Context) -> int:
    with contextlib.suppress(BaseException):
        await ctx.step(add, 1)
    return 99


async def with_another_error(ctx: Context) -> int:
    try:
        return await ctx.step(add, 1)
    except GeneratorExit:
        raise ValueError from None


async def with_exit(ctx: Context) -> int:
    try:
        return await ctx.step(add, 1)
    except BaseException:  # noqa: BLE001 - that is the point
        sys.exit(3)


async def with_nested_coroutine(ctx: Context) -> int:
    async def inner() -> int:
        try:
            return await ctx.step(add, 1)
        finally:
            await ctx.sleep(1)

    return await inner()


@contextlib.asynccontextmanager
async def resource(ctx: Context) -> AsyncIterator[int]:
    try:
        yield await ctx.step(add, 1)
    finally:
        await ctx.step(add, 99)


async def with_asynccontextmanager(ctx: Context) -> int:
    async with resource(ctx) as value:
        await ctx.sleep(1)
        return value


async def counted(ctx: Context) -> AsyncIterator[int]:
    try:
        for number in (1, 2):
            yield await ctx.step(add, number)
    finally:
        await ctx.step(add, 99)


async def with_async_generator(ctx: Context) -> int:
    return sum([value async for value in counted(ctx)])


async def with_impatience(ctx: Context) -> int:
    for _ in range(3):
        with contextlib.suppress(BaseException):
            return await ctx.step(add, 1)
    return 99


async def with_forbidden_cleanup(ctx: Context) -> int:
    try:
        return await ctx.step(add, 1)
    finally:
        await asyncio.sleep(0)
        await asyncio.sleep(1)


BODIES: list[Body] = [
    with_finally,
    with_async_with,
    with_except_exception,
    with_except_base_exception,
    with_reraise,
    with_return_in_finally,
    with_swallow,
    with_another_error,
    with_exit,
    with_nested_coroutine,
    with_asynccontextmanager,
    with_async_generator,
    with_impatience,
    with_forbidden_cleanup,
]
by_name = pytest.mark.parametrize("body", BODIES, ids=lambda each: each.__name__)


@by_name
def test_letting_go_changes_no_decision_and_asks_for_nothing(body: Body) -> None:
    with one_pass(body) as replay:
        before = replay.decision
        replay.close()

    gc.collect()
    assert replay.decision is before
    assert frontier(before) == ["add#1"]
    assert replay.asked == ["add#1"]


@by_name
def test_letting_go_of_a_pass_does_not_reach_the_next(body: Body) -> None:
    assert frontier(decide(body)) == frontier(decide(body)) == ["add#1"]


def test_cleanup_runs_for_real_when_the_code_gets_there() -> None:
    history = history_of(with_finally, {"add#1": 1, "add#2": 99})

    assert list(history.records) == ["add#1", "add#2"]
    assert returned(decide(with_finally, history)) == "1"


def test_a_context_manager_leaves_normally_in_the_end() -> None:
    history = history_of(with_asynccontextmanager, {"add#1": 1, "sleep#1": None, "add#2": 99})

    assert returned(decide(with_asynccontextmanager, history)) == "1"


def test_an_async_generator_of_steps_works() -> None:
    history = history_of(with_async_generator, {"add#1": 1, "add#2": 2, "add#3": 99})

    assert returned(decide(with_async_generator, history)) == "3"


def test_an_except_exception_never_sees_a_suspension() -> None:
    seen: list[BaseException] = []

    async def curious(ctx: Context) -> None:
        try:
            await ctx.step(add, 1)
        except Exception as error:  # noqa: BLE001 - that is the point
            seen.append(error)

    decide(curious)

    assert seen == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_code_that_swallows_everything_for_ever_is_left_where_it_is() -> None:
    tries: list[int] = []

    async def stubborn(ctx: Context) -> None:
        while len(tries) < 1000:
            try:
                await ctx.step(add, 1)
            except BaseException:  # noqa: BLE001 - that is the point
                tries.append(1)
                continue

    decision = decide(stubborn)

    assert frontier(decision) == ["add#1"]
    assert 0 < len(tries) <= 1000


def test_cleanup_code_creates_no_mistake_by_dropping_operations() -> None:
    async def sloppy(ctx: Context) -> None:
        try:
            await ctx.step(add, 1)
        finally:
            ctx.step(add, 2)  # type: ignore[unused-awaitable]

    with one_pass(sloppy) as replay:
        replay.close()

    assert replay.session.mistake is None


def test_ctrl_c_during_cleanup_is_heard() -> None:
    async def interrupted(ctx: Context) -> None:
        try:
            await ctx.step(add, 1)
        except GeneratorExit:
            raise KeyboardInterrupt from None

    with one_pass(interrupted) as replay, pytest.raises(KeyboardInterrupt):
        replay.close()
    # Whoever logs next is not taken for this pass.
    assert DRIVEN.get() is None


def test_the_logger_speaks_only_where_code_runs_for_the_first_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)

    async def talkative(ctx: Context) -> None:
        ctx.logger.info("begin")
        try:
            await ctx.step(add, 1)
            ctx.logger.info("middle")
            await ctx.step(add, 2)
        finally:
            ctx.logger.info("farewell")

    with one_pass(talkative, live=True) as replay:
        pending = replay.pending("add#1")
        assert pending is not None
        replay.resume(ended(pending, 1))
    with one_pass(talkative, history_of(talkative, {"add#1": 1}), live=True) as replay:
        pending = replay.pending("add#2")
        assert pending is not None
        replay.resume(ended(pending, 2))

    assert [entry.message for entry in caplog.records] == ["begin", "middle", "farewell"]
    assert caplog.records[0].name == "everstep.workflow.order"
    assert vars(caplog.records[0])["run_id"] == "run-1"


def test_a_generator_of_the_workflow_is_not_finished_by_a_loop_around_the_engine() -> None:
    finished: list[str] = []

    async def left(ctx: Context) -> int:
        async def numbers() -> AsyncIterator[int]:
            try:
                yield await ctx.step(add, 1)
            finally:
                finished.append("closed")

        async for number in numbers():
            return number
        return 0

    async def around() -> None:
        history = history_of(left, {"add#1": 1})
        assert returned(decide(left, history)) == "1"
        finished.clear()
        await asyncio.sleep(0)

    asyncio.run(around())

    assert finished == []


def test_a_pass_inside_a_running_loop_leaves_the_loop_as_it_was() -> None:
    async def around() -> tuple[object, object]:
        loop = asyncio.get_running_loop()
        decision = decide(with_finally)
        assert isinstance(decision, Suspended)
        await asyncio.sleep(0)
        return loop, asyncio.get_running_loop()

    before, after = asyncio.run(around())

    assert before is after


def test_a_coroutine_that_is_handed_around_is_driven_where_it_is_awaited() -> None:
    async def handed(ctx: Context) -> int:
        async def double(value: Coroutine[Any, Any, int]) -> int:
            return 2 * await value

        async def one() -> int:
            return await ctx.step(add, 1)

        return await double(one())

    assert returned(decide(handed, history_of(handed, {"add#1": 1}))) == "2"
