"""The crash matrix finds what a fault changes, and says so that one can mend it."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from everstep import Context, NonRetryable, Retry, step, step_context, workflow
from everstep.core.errors import InvalidInputError
from everstep.testing import CrashMatrixError, Limits, TestEngine, crash_matrix
from everstep.testing.simulation.faults import FaultKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.testing import TestRun

LEDGER: list[str] = []


@step
def pay(amount: int) -> int:
    """Pay again whenever it is executed."""
    LEDGER.append("payment")
    return amount


@step
def pay_once(amount: int) -> int:
    """Pay once per idempotency key, as a payment service does."""
    key = step_context().idempotency_key
    if key not in LEDGER:
        LEDGER.append(key)
    return amount


@step
def numbered() -> int:
    LEDGER.append("number")
    return len(LEDGER)


@step
async def slowly(number: int) -> int:
    return number + 1


@step(retry=Retry(max_attempts=3, initial_delay=1, jitter=False))
def shaky() -> str:
    if step_context().attempt < 3:
        raise ConnectionError("not yet")
    return "at last"


@workflow
async def careless(ctx: Context, amount: int) -> int:
    return await ctx.step(pay, amount)


@workflow
async def careful(ctx: Context, amount: int) -> int:
    return await ctx.step(pay_once, amount)


@workflow
async def counting(ctx: Context) -> int:
    return await ctx.step(numbered)


@workflow
async def everything(ctx: Context, number: int) -> list[str]:
    number = await ctx.step(slowly, number)
    await ctx.sleep(timedelta(seconds=30))
    text = await ctx.step(shaky)
    await ctx.sleep(timedelta(days=40))
    return [text, str(number), str(ctx.uuid()), str(ctx.random().random())]


def paid_once(_run: TestRun[Any]) -> None:
    assert len(LEDGER) == 1, f"paid {len(LEDGER)} times"


def test_a_right_workflow_has_one_outcome_under_every_kind_of_fault() -> None:
    report = crash_matrix(everything, 1)

    assert report.outcome.status == "COMPLETED"
    assert set(report.schedules) == set(FaultKind) - {FaultKind.PARTIAL}
    assert report.usual_executions == {"slowly": 1, "shaky": 3}
    assert set(report.repeated) == {"slowly", "shaky"}
    assert "one outcome in" in str(report)
    assert "step slowly: executed 2 times at most, 1 as usual" in str(report)


def test_an_effect_that_is_repeated_is_found_and_explained() -> None:
    with pytest.raises(CrashMatrixError) as caught:
        crash_matrix(careless, 5, setup=LEDGER.clear, check=paid_once)

    text = str(caught.value)
    (found,) = caught.value.counterexamples
    assert found.operation == "pay#1"
    assert found.others > 0
    assert "when the executor dies right before recording how pay#1 went" in text
    assert "AssertionError: paid 2 times" in text
    assert "pay was executed twice" in text
    assert "idempotency_key" in text
    assert f"{1 + found.others} of " in text


def test_the_mended_step_passes() -> None:
    report = crash_matrix(careful, 5, setup=LEDGER.clear, check=paid_once, pairs=False)
    assert report.repeated == ["pay_once"]


def test_a_counterexample_can_be_played_again_alone() -> None:
    with pytest.raises(CrashMatrixError) as caught:
        crash_matrix(counting, setup=LEDGER.clear)
    (found,) = caught.value.counterexamples
    assert found.differences == (
        ("operation numbered#1", "DONE, result 1", "DONE, result 2"),
        ("the run", "COMPLETED, result 1", "COMPLETED, result 2"),
    )

    only = [{int(number): kind for number, kind in _plan(found.again).items()}]
    with pytest.raises(CrashMatrixError, match="1 of 1 schedules"):
        crash_matrix(counting, setup=LEDGER.clear, only=only)


def _plan(again: str) -> dict[str, str]:
    number, kind = again.removeprefix("only=[{").removesuffix("}]").split(": ")
    return {number: kind.strip("'")}


def test_what_has_to_be_the_same_can_be_said() -> None:
    report = crash_matrix(counting, setup=LEDGER.clear, outcome=lambda run: run.status)
    assert report.outcome.result == 1

    with pytest.raises(CrashMatrixError, match=r"outcome\n +as usual: 1\n +here: +2"):
        crash_matrix(counting, setup=LEDGER.clear, outcome=lambda run: run.result)


def test_nobody_cancels_a_run_in_drawn_schedules_since_that_would_change_how_it_ends() -> None:
    report = crash_matrix(careful, 5, setup=LEDGER.clear, only=[], seeds=60)
    assert report.outcome.status == "COMPLETED"


def test_pairs_and_drawn_schedules_are_played_on_request() -> None:
    report = crash_matrix(careful, 5, setup=LEDGER.clear, check=paid_once, pairs=True, seeds=20)
    assert report.schedules["drawn at random"] == 20
    assert report.schedules["crash after and crash after"] > 1


def test_a_drawn_schedule_that_fails_is_cut_down() -> None:
    with pytest.raises(CrashMatrixError) as caught:
        crash_matrix(careless, 5, setup=LEDGER.clear, check=paid_once, only=[], seeds=100)
    found = caught.value.counterexamples[0]
    assert len(found.faults) == 1, found
    assert found.again.startswith("seeds=[")


# --- Scripts


@workflow
async def two_days(ctx: Context) -> str:
    await ctx.sleep(timedelta(days=1))
    first = await ctx.step(shaky)
    await ctx.sleep(timedelta(days=1))
    return first


def test_a_script_drives_the_run_and_what_is_left_happens_by_itself() -> None:
    seen: list[timedelta] = []

    def script(engine: TestEngine, run: TestRun[str]) -> None:
        begun = engine.now
        engine.run_until_idle()
        engine.advance(timedelta(hours=30))
        seen.append(engine.now - begun)
        assert run.status != "COMPLETED"

    report = crash_matrix(two_days, script=script)
    assert report.outcome.result == "at last"
    # However long somebody stands still, it does not take more time than the script gives.
    assert set(seen) == {timedelta(hours=30)}


def test_a_script_that_relies_on_how_far_the_run_is_gets_an_explanation() -> None:
    def script(engine: TestEngine, run: TestRun[list[str]]) -> None:
        engine.run_until_idle()
        assert run.executions("slowly") == 1

    with pytest.raises(CrashMatrixError, match="a script cannot rely on how far it is") as caught:
        crash_matrix(everything, 1, script=script)
    assert all("AssertionError" in str(each) for each in caught.value.counterexamples)


def test_steps_can_be_mocked_and_made_to_fail_before_anything_happens() -> None:
    def prepare(engine: TestEngine) -> None:
        engine.mock(pay, returns=7)
        engine.fail("pay", ConnectionError, times=1)

    LEDGER.clear()
    report = crash_matrix(careless, 5, prepare=prepare, pairs=True)
    assert report.outcome.result == 7
    assert report.played > 1000
    assert LEDGER == []


# --- What is wrong without any fault, or all the time


@workflow
async def stuck(_ctx: Context) -> None:
    await asyncio.sleep(1)


@workflow
async def drifting(ctx: Context) -> str:
    return await ctx.step(slowly_named, f"{time.perf_counter_ns()}")


@step
def slowly_named(text: str) -> str:
    return text


@workflow
async def restless(ctx: Context) -> None:
    while True:
        await ctx.sleep(60)


@step
def hopeless() -> None:
    raise NonRetryable("no")


@workflow
async def failing(ctx: Context) -> None:
    await ctx.step(hopeless)


def test_a_run_that_stalls_by_itself_is_told_first() -> None:
    with pytest.raises(CrashMatrixError, match="when nothing at all goes wrong") as caught:
        crash_matrix(stuck)
    assert "BlockingCallError" in str(caught.value)


def test_a_workflow_that_is_not_deterministic_is_told_what_to_change() -> None:
    with pytest.raises(CrashMatrixError, match="everstep check"):
        crash_matrix(drifting)


def test_a_run_without_end_is_told() -> None:
    with pytest.raises(AssertionError, match="comes to rest"):
        crash_matrix(restless)


def test_a_run_that_fails_each_time_in_the_same_way_has_one_outcome() -> None:
    report = crash_matrix(failing)
    assert report.outcome.status == "FAILED"
    assert report.outcome.brief() == (
        "FAILED, StepFailed: step hopeless#1 failed after 1 attempt: NonRetryable: no"
    )


@step(at_most_once=True)
def send() -> str:
    return "sent"


@workflow
async def sending(ctx: Context) -> str:
    return await ctx.step(send)


def test_a_step_that_stays_unknown_is_told_with_what_helps() -> None:
    with pytest.raises(CrashMatrixError) as caught:
        crash_matrix(sending)
    assert all("send#1: an attempt began" in each.advice for each in caught.value.counterexamples)


def found() -> str:
    return "sent"


@workflow
async def sending_probed(ctx: Context) -> str:
    return await ctx.step(send.with_options(probe=found))


def test_a_step_with_a_probe_has_one_outcome_and_at_most_one_effect_per_attempt() -> None:
    report = crash_matrix(sending_probed, pairs=True)
    assert report.executions["send"] == 1


def test_deaths_that_use_up_an_attempt_are_no_other_outcome() -> None:
    report = crash_matrix(failing, pairs=True)
    assert report.executions["hopeless"] > 2


def test_a_difference_without_any_repeated_step_is_blamed_on_time_or_the_outside() -> None:
    def duration(run: TestRun[list[str]]) -> object:
        (slept,) = [entry for entry in run.history if entry.key == "sleep#2"]
        return slept.ended_at

    with pytest.raises(CrashMatrixError) as caught:
        crash_matrix(everything, 1, outcome=duration)
    assert any("what has to stay the same" in each.advice for each in caught.value.counterexamples)


@pytest.mark.parametrize(
    ("error", "call"),
    [
        (InvalidInputError, lambda: crash_matrix(careful, None)),
        (ValueError, lambda: crash_matrix(careful, 5, only=[{1: "meteor"}])),
        (ZeroDivisionError, lambda: crash_matrix(careful, 5, check=lambda _run: 1 / 0)),
    ],
)
def test_a_wrong_call_is_an_error_of_its_own(
    error: type[Exception], call: Callable[[], object]
) -> None:
    with pytest.raises(error):
        call()


def test_large_payloads_go_through_the_blob_store() -> None:
    report = crash_matrix(careful, 10**300, setup=LEDGER.clear, limits=Limits(inline=100))
    assert report.outcome.status == "COMPLETED"
