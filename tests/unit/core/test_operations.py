"""Operations are awaited once, by their own workflow; every other use says what to write."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from everstep import ChildRun, Context, EverstepError, step
from everstep.core.operations import CallbackCall, shown
from everstep.core.shapes import shape_of
from tests.unit.core.builders import (
    Body,
    add,
    broken,
    decide,
    frontier,
    history_of,
    make_history,
    one_pass,
    raised,
    returned,
)

if TYPE_CHECKING:
    from everstep.core.operations import Operation


async def dropped_step(ctx: Context) -> None:
    ctx.step(add, 1)  # type: ignore[unused-awaitable]


async def dropped_sleep(ctx: Context) -> None:
    ctx.sleep(1)  # type: ignore[unused-awaitable]
    await ctx.step(add, 1)


async def dropped_and_swallowed(ctx: Context) -> None:
    try:
        ctx.step(add, 1)  # type: ignore[unused-awaitable]
    finally:
        await ctx.step(add, 2)


async def kept_in_a_cycle(ctx: Context) -> None:
    kept: list[Any] = [ctx.step(add, 1)]
    kept.append(kept)


async def handed_out(ctx: Context) -> object:
    return ctx.step(add, 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (dropped_step, "<step add> was created but never awaited: write await ctx.step(add, …)"),
        (dropped_sleep, "<sleep sleep> was created but never awaited: write await ctx.sleep(…)"),
        (dropped_and_swallowed, "<step add> was created but never awaited"),
        (kept_in_a_cycle, "<step add> was created but never awaited"),
        (handed_out, "<step add> was created but never awaited"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_operation_that_nobody_awaits_stalls_the_run(body: Body, said: str) -> None:
    error = broken(decide(body))

    assert error.type == "UnawaitedOperationError"
    assert said in error.message


def child(ctx: Context) -> ChildRun[int]:
    return ChildRun(ctx._session, "run", "start#1", shape_of(int))


@pytest.mark.parametrize(
    ("make", "written"),
    [
        (lambda ctx: ctx.wait_for_event("paid"), "wait_for_event(…)"),
        (lambda ctx: ctx.start("child", 1), "start(…)"),
        (lambda ctx: ctx.call("child", 1), "call(…)"),
        (lambda ctx: ctx.send_event("run", "paid"), "send_event(…)"),
        (lambda ctx: ctx.continue_as_new(), "continue_as_new(…)"),
        (lambda ctx: ctx.map(step(add), [1]), "map(…)"),
        (lambda ctx: child(ctx).result(), "start(…).result(…)"),
        (lambda ctx: child(ctx).cancel(), "start(…).cancel(…)"),
    ],
)
def test_what_nobody_awaits_is_shown_as_one_writes_it(
    make: Callable[[Context], object], written: str
) -> None:
    async def dropped(ctx: Context) -> None:
        make(ctx)

    assert f"write await ctx.{written}" in broken(decide(dropped)).message


def test_a_callback_is_shown_as_one_writes_it() -> None:
    # Only awaiting it makes an operation of it, so nobody can drop that.
    assert shown("approval", object.__new__(CallbackCall)) == "callback(…)"


def test_operations_may_be_created_first_and_awaited_later() -> None:
    async def later(ctx: Context) -> int:
        second, first = ctx.step(add, 2), ctx.step(add, 1)
        return await first + await second

    history = history_of(later, {"add#1": 1, "add#2": 2})

    assert returned(decide(later, history)) == "3"


def test_an_error_of_the_workflow_counts_more_than_an_operation_it_left() -> None:
    async def failing(ctx: Context) -> None:
        kept = ctx.step(add, 1)
        raise ValueError(repr(kept))

    assert raised(decide(failing)).type == "ValueError"


async def twice(ctx: Context) -> int:
    operation = ctx.step(add, 1)
    return await operation + await operation


async def twice_and_swallowed(ctx: Context) -> int:
    operation = ctx.step(add, 1)
    await operation
    try:
        return await operation
    except Exception:  # noqa: BLE001 - that is the point
        return await ctx.step(add, 2)


@pytest.mark.parametrize("body", [twice, twice_and_swallowed], ids=lambda each: each.__name__)
def test_an_operation_that_is_awaited_twice_stalls_the_run_and_takes_no_second_key(
    body: Body,
) -> None:
    history = history_of(body, {"add#1": 1, "add#2": 1})

    assert list(history.records) == ["add#1"]
    error = broken(decide(body, history))
    assert error.type == "AwaitedTwiceError"
    assert "<step add> was awaited twice: keep its result in a variable" in error.message


def test_an_operation_awaited_outside_its_workflow_is_refused() -> None:
    kept: list[Operation[int]] = []

    async def leaking(ctx: Context) -> int:
        kept.append(ctx.step(add, 1))
        return await ctx.step(add, 2)

    awaited_outside = pytest.raises(EverstepError, match="outside its workflow function: steps")
    with one_pass(leaking), awaited_outside:
        kept.pop().__await__().send(None)


def test_an_operation_of_another_pass_is_refused() -> None:
    strangers: list[Operation[int]] = []

    async def lending(ctx: Context) -> int:
        strangers.append(ctx.step(add, 1))
        return await ctx.step(add, 2)

    async def borrowing(_ctx: Context) -> int:
        return await strangers.pop()

    with one_pass(lending):
        assert raised(decide(borrowing)).type == "EverstepError"


def test_a_context_kept_after_its_run_makes_operations_that_nobody_can_await() -> None:
    kept: list[Context] = []

    async def leaking(ctx: Context) -> None:
        kept.append(ctx)

    decide(leaking)

    with pytest.raises(EverstepError, match="outside its workflow function"):
        kept[0].step(add, 1).__await__().send(None)


def test_a_sleep_until_what_has_passed_ends_at_once() -> None:
    async def late(ctx: Context) -> None:
        await ctx.sleep_until(datetime(1960, 1, 1, tzinfo=UTC))

    with one_pass(late) as replay:
        pending = replay.pending("sleep#1")

    assert pending is not None
    assert pending.wake_at == pending.ready_at


def test_an_operation_says_what_it_is() -> None:
    seen: list[str] = []

    async def showing(ctx: Context) -> None:
        operation = ctx.step(add, 1)
        seen.append(f"{operation!r} {operation.kind} {operation.name}")
        await operation

    assert frontier(decide(showing, make_history())) == ["add#1"]
    assert seen == ["<step add> step add"]
