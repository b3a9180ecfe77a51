"""Tests replace steps, and let chosen executions fail."""

from __future__ import annotations

import pytest

from everstep import Context, Retry, step, workflow
from everstep.testing import Crash, TestEngine

DONE: list[str] = []


@step(retry=Retry(max_attempts=3, initial_delay=10, jitter=False))
def charge(amount: int, currency: str = "EUR") -> str:
    DONE.append(f"charge {amount}")
    return f"paid {amount} {currency}"


@step(retry=Retry(max_attempts=3, initial_delay=10, jitter=False))
async def ship(receipt: str) -> str:
    DONE.append("ship")
    return f"shipped: {receipt}"


@workflow
async def order(ctx: Context, amount: int) -> list[str]:
    first = await ctx.step(charge, amount)
    second = await ctx.step(charge, 2 * amount, currency="USD")
    return [await ctx.step(ship, first), await ctx.step(ship, second)]


@pytest.fixture
def engine() -> TestEngine:
    DONE.clear()
    return TestEngine([order])


def test_a_mock_takes_the_place_of_a_step_and_tells_its_calls(engine: TestEngine) -> None:
    mock = engine.mock(charge, returns="a receipt")
    run = engine.start(order, 5)
    engine.run_until_idle()

    assert run.result == ["shipped: a receipt"] * 2
    assert DONE == ["ship", "ship"]
    assert [(call.key, call.attempt, call.args, dict(call.kwargs)) for call in mock.calls] == [
        ("charge#1", 1, (5,), {}),
        ("charge#2", 1, (10,), {"currency": "USD"}),
    ]
    assert {call.run_id for call in mock.calls} == {run.id}
    assert run.executions("charge") == 2


def test_a_mock_may_be_a_function_for_a_sync_or_async_step(engine: TestEngine) -> None:
    async def shipped(receipt: str) -> str:
        return receipt.upper()

    engine.mock("ship", calls=shipped)
    engine.mock("charge#2", calls=lambda amount, currency: f"{amount} {currency}")
    run = engine.start(order, 5)
    engine.run_until_idle()
    assert run.result == ["PAID 5 EUR", "10 USD"]


def test_what_a_mock_returns_is_recorded_by_the_steps_type(engine: TestEngine) -> None:
    engine.mock(charge, returns=object())
    run = engine.start(order, 5)
    engine.run_until_idle()
    assert run.error is not None
    assert "charge" in run.error.message


def test_a_mock_needs_one_thing_to_do(engine: TestEngine) -> None:
    with pytest.raises(TypeError, match="one of"):
        engine.mock(charge)
    with pytest.raises(TypeError, match="one of"):
        engine.mock(charge, returns=1, calls=lambda: 1)


def test_chosen_executions_fail_and_are_retried_by_the_policy(engine: TestEngine) -> None:
    engine.fail(charge, ConnectionError("down"), times=2)
    run = engine.start(order, 5)
    engine.run_until_idle()
    (retrying,) = run.history
    assert retrying.status == "RETRY"
    assert retrying.error is not None
    assert (retrying.error.type, retrying.error.message) == ("ConnectionError", "down")
    assert DONE == []

    engine.advance(60)
    assert run.status == "COMPLETED"
    assert run.executions("charge") == 4
    assert DONE == ["charge 5", "charge 10", "ship", "ship"]


def test_one_operation_of_several_with_the_same_step_can_fail_for_good(engine: TestEngine) -> None:
    engine.fail("charge#2", ConnectionError, times=3)
    run = engine.start(order, 5)
    engine.advance(600)
    assert run.status == "FAILED"
    assert [(op.key, op.status) for op in run.history] == [
        ("charge#1", "DONE"),
        ("charge#2", "FAILED"),
    ]


def test_a_step_can_fail_after_its_effect(engine: TestEngine) -> None:
    engine.fail(charge, ConnectionError, after=True)
    run = engine.start(order, 5)
    engine.advance(60)
    assert run.status == "COMPLETED"
    assert DONE.count("charge 5") == 2


def test_a_process_can_die_in_a_chosen_step(engine: TestEngine) -> None:
    engine.fail("charge#2", Crash, after=True)
    run = engine.start(order, 5)
    engine.run_until_idle()
    assert run.status == "COMPLETED"
    assert DONE.count("charge 10") == 2
    assert [op.attempt for op in run.history] == [1, 1, 1, 1]


def test_failures_come_one_after_another(engine: TestEngine) -> None:
    engine.fail(charge, ConnectionError("first"))
    engine.fail(charge, TimeoutError("second"))
    run = engine.start(order, 5)
    engine.run_until_idle()
    assert run.history[0].error is not None
    assert run.history[0].error.message == "first"
    engine.advance(10)
    assert run.history[0].error is not None
    assert run.history[0].error.message == "second"


def test_time_passes_until_everything_has_ended(engine: TestEngine) -> None:
    engine.fail(charge, ConnectionError, times=2)
    run = engine.start(order, 5)
    engine.run_to_rest()
    assert run.status == "COMPLETED"
