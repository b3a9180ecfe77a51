"""Callbacks: answered once, by whoever holds the token, before or after somebody waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep import (
    CallbackFailed,
    CallbackTimeout,
    Context,
    InvalidInputError,
    OperationTimeout,
    step,
    workflow,
)
from everstep.app import callbacks
from everstep.app.callbacks import complete_callback
from everstep.core.errors import CallbackGoneError, CallbackNotFoundError, IllegalStateError
from everstep.core.model import Event, Payload
from everstep.core.waits import completed_text
from everstep.testing import TestEngine, crash_matrix

if TYPE_CHECKING:
    from everstep import Workflow
    from everstep.testing import TestRun

LONG: Final = 2 * 3600


@step
def hand_over(token: str) -> str:
    return token


@step
def work(seconds: int) -> int:
    return seconds


async def outcome_of(awaitable: Any) -> object:  # noqa: ANN401 - what can be awaited
    try:
        return await awaitable
    except CallbackTimeout as error:
        return f"timeout: {error}"
    except CallbackFailed as error:
        return [error.error_type, error.message, str(error)]
    except InvalidInputError as error:
        return f"does not fit: {error}"


@workflow
async def short(ctx: Context) -> object:
    answer = ctx.callback(int, timeout=60)
    await ctx.step(hand_over, answer.token)
    return await outcome_of(answer)


@workflow
async def long(ctx: Context) -> object:
    answer = ctx.callback(int, timeout=LONG)
    await ctx.step(hand_over, answer.token)
    return await outcome_of(answer)


@workflow
async def busy(ctx: Context) -> object:
    answer = ctx.callback(int, timeout=100, heartbeat=50)
    await ctx.step(hand_over, answer.token)
    await ctx.sleep(70)
    return await outcome_of(answer)


@workflow
async def alive(ctx: Context) -> object:
    answer = ctx.callback(int, heartbeat=60)
    await ctx.step(hand_over, answer.token)
    return await outcome_of(answer)


@workflow
async def slowly_alive(ctx: Context) -> object:
    answer = ctx.callback(int, heartbeat=LONG)
    await ctx.step(hand_over, answer.token)
    return await outcome_of(answer)


@workflow
async def twice(ctx: Context) -> object:
    answer = ctx.callback(int)
    await ctx.step(hand_over, answer.token)
    return [await answer, await answer]


@workflow
async def together(ctx: Context) -> object:
    one, other = ctx.callback(int), ctx.callback(int, name="other")
    await ctx.step(hand_over, one.token)
    return await ctx.gather(one, ctx.wait_for(outcome_of(other), 60), ctx.sleep(1))


@workflow
async def impatient(ctx: Context) -> object:
    answer = ctx.callback(int, timeout=600)
    await ctx.step(hand_over, answer.token)
    try:
        return await ctx.wait_for(answer, 60)
    except OperationTimeout:
        await ctx.sleep(120)
        return await outcome_of(answer)


@workflow
async def very_impatient(ctx: Context) -> object:
    answer = ctx.callback(int, timeout=LONG)
    await ctx.step(hand_over, answer.token)
    index, _ = await ctx.race(answer, ctx.sleep(60))
    await ctx.sleep(2 * LONG)
    return [index, await outcome_of(answer)]


@workflow
async def doubled(ctx: Context) -> object:
    answer = ctx.callback(int)
    await ctx.step(hand_over, answer.token)
    return await ctx.gather(answer, answer)


@workflow
async def forgetful(ctx: Context) -> str:
    answer = ctx.callback(int, timeout=60)
    await ctx.step(hand_over, answer.token)
    await ctx.sleep(100)
    return repr(answer)


@workflow
async def gives_up(ctx: Context) -> object:
    answer = ctx.callback(int, timeout=60)
    await ctx.step(hand_over, answer.token)
    outcome = await outcome_of(answer)
    await ctx.sleep(60)
    return outcome


ALL: Final[tuple[Workflow[Any, Any], ...]] = (
    *(short, long, busy, alive, slowly_alive, twice, together),
    *(impatient, very_impatient, doubled, forgetful, gives_up),
)


@pytest.fixture
def engine() -> TestEngine:
    return TestEngine(ALL)


def begun(engine: TestEngine, what: Workflow[Any, Any]) -> tuple[TestRun[Any], str]:
    run = engine.start(what)
    engine.run_until_idle()
    return run, token_of(run)


def token_of(run: TestRun[Any]) -> str:
    return str(next(each.result for each in run.history if each.key == "hand_over#1"))


def result(engine: TestEngine, run: TestRun[Any]) -> Any:  # noqa: ANN401 - JSON
    engine.run_until_idle()
    engine.verify()
    return run.result


# --- Answers


@pytest.mark.parametrize("what", [short, long])
def test_a_run_waits_for_the_answer(engine: TestEngine, what: Workflow[Any, Any]) -> None:
    run, token = begun(engine, what)
    engine.advance(30)
    assert run.status == "WAITING"
    engine.complete_callback(token, 5)
    assert result(engine, run) == 5


def test_an_answer_that_came_before_the_wait_is_kept(engine: TestEngine) -> None:
    run, token = begun(engine, busy)
    engine.complete_callback(token, 5)
    engine.advance(69)
    assert run.status == "SLEEPING"
    engine.advance(1)
    assert result(engine, run) == 5


def test_a_failure_reaches_the_code_with_its_type_and_message(engine: TestEngine) -> None:
    run, token = begun(engine, short)
    engine.fail_callback(token, {"type": "Refused", "message": "no"})
    assert result(engine, run) == ["Refused", "no", "callback callback#1 failed: Refused: no"]


@pytest.mark.parametrize("kind", ["CallbackTimeout", "InvalidInputError", "EventNotSent"])
def test_a_failure_is_one_whatever_it_is_called(engine: TestEngine, kind: str) -> None:
    run, token = begun(engine, short)
    engine.fail_callback(token, {"type": kind, "message": "no"})
    assert result(engine, run)[:2] == [kind, "no"]


def test_an_answer_that_does_not_fit_is_an_error_of_the_operation(engine: TestEngine) -> None:
    run, token = begun(engine, short)
    engine.complete_callback(token, "five")
    assert result(engine, run).startswith("does not fit: ")


def test_a_callback_is_answered_once(engine: TestEngine) -> None:
    run, token = begun(engine, short)
    assert complete_callback(engine._world.inside, token, 5)
    assert not complete_callback(engine._world.inside, token, 5)
    with pytest.raises(IllegalStateError, match="answered before, and differently"):
        engine.complete_callback(token, 6)
    with pytest.raises(IllegalStateError, match="answered before, and differently"):
        engine.fail_callback(token, {"type": "a", "message": "b"})
    assert result(engine, run) == 5
    with pytest.raises(CallbackGoneError, match="COMPLETED"):
        engine.complete_callback(token, 5)


def test_of_two_answers_at_once_one_counts(
    engine: TestEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, token = begun(engine, short)
    inside, given = engine._world.inside, callbacks._given
    first = iter([True])

    def late(*args: Any) -> bool:  # noqa: ANN401
        answered = given(*args)
        if next(first, False):
            complete_callback(inside, token, 5)
        return answered

    monkeypatch.setattr(callbacks, "_given", late)
    with pytest.raises(IllegalStateError):
        complete_callback(inside, token, 6)
    assert result(engine, run) == 5


def test_an_answer_of_a_run_that_expires_meanwhile_is_not_found(
    engine: TestEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, token = begun(engine, short)
    store = engine._world.store

    def expires(*_: object) -> bool:
        del store._heads[run.id]
        return False

    monkeypatch.setattr(store, "put_event", expires)
    with pytest.raises(CallbackNotFoundError):
        complete_callback(engine._world.inside, token, 6)


def test_a_callback_gives_its_answer_as_often_as_it_is_asked(engine: TestEngine) -> None:
    run, token = begun(engine, twice)
    engine.complete_callback(token, 5)
    assert result(engine, run) == [5, 5]


@pytest.mark.parametrize("token", ["", "nobody", "bm9ib2R5L2E.x"])
def test_a_token_that_nobody_made_is_not_found(engine: TestEngine, token: str) -> None:
    with pytest.raises(CallbackNotFoundError):
        engine.complete_callback(token, 1)
    with pytest.raises(CallbackNotFoundError):
        engine.heartbeat_callback(token)


def test_a_token_does_not_fit_another_run(engine: TestEngine) -> None:
    (_, one), (run, other) = begun(engine, short), begun(engine, short)
    where, proof = other.partition(".")[0], one.partition(".")[2]
    with pytest.raises(CallbackNotFoundError):
        engine.complete_callback(f"{where}.{proof}", 1)
    assert run.status == "WAITING"


# --- Time


@pytest.mark.parametrize(("what", "seconds"), [(short, 60), (long, LONG)])
def test_a_callback_is_given_up_at_its_time(
    engine: TestEngine, what: Workflow[Any, Any], seconds: int
) -> None:
    run, token = begun(engine, what)
    engine.advance(seconds - 1)
    assert run.status == "WAITING"
    engine.advance(1)
    assert result(engine, run).startswith("timeout: nobody completed it")
    with pytest.raises(CallbackGoneError, match="is COMPLETED"):
        engine.complete_callback(token, 1)


def test_the_time_counts_from_where_the_callback_was_made(engine: TestEngine) -> None:
    run, token = begun(engine, busy)
    engine.advance(60)
    engine.heartbeat_callback(token)
    engine.advance(39)
    assert run.status == "WAITING"
    engine.advance(1)
    assert result(engine, run).startswith("timeout")


def test_a_heartbeat_that_was_missed_before_the_wait_counts(engine: TestEngine) -> None:
    run, _ = begun(engine, busy)
    engine.advance(70)
    assert result(engine, run).startswith("timeout")


@pytest.mark.parametrize(("what", "pulse"), [(alive, 60), (slowly_alive, LONG)])
def test_signs_of_life_keep_a_callback_waiting(
    engine: TestEngine, what: Workflow[Any, Any], pulse: int
) -> None:
    run, token = begun(engine, what)
    for _ in range(3):
        engine.advance(pulse - 10)
        engine.heartbeat_callback(token)
    assert run.status == "WAITING"
    engine.advance(pulse - 1)
    assert run.status == "WAITING"
    engine.advance(1)
    assert result(engine, run).startswith("timeout")


def test_an_answer_that_was_kept_a_moment_too_late_is_gone(engine: TestEngine) -> None:
    run, token = begun(engine, gives_up)
    engine.advance(60)
    assert run.status == "SLEEPING"
    late = Event(name="callback#1", number=1, payload=Payload(text=completed_text(5)), at=0)
    assert engine._world.store.put_event(run.id, late)
    with pytest.raises(CallbackGoneError, match="in time"):
        engine.complete_callback(token, 5)


# --- Side by side


def test_callbacks_go_side_by_side_with_whatever_else(engine: TestEngine) -> None:
    run, token = begun(engine, together)
    engine.complete_callback(token, 5)
    engine.advance(60)
    assert (run.status, run.error and run.error.type) == ("FAILED", "OperationTimeout")


@pytest.mark.parametrize(("answered_after", "expected"), [(30, 5), (90, 5), (200, 5), (None, None)])
def test_a_callback_can_be_awaited_again_after_something_else_was_faster(
    engine: TestEngine, answered_after: int | None, expected: int | None
) -> None:
    run, token = begun(engine, impatient)
    if answered_after is not None:
        engine.advance(answered_after)
        engine.complete_callback(token, 5)
    engine.advance(600)
    found = result(engine, run)
    assert found == expected or (expected is None and found.startswith("timeout"))


def test_a_callback_whose_long_time_was_up_meanwhile_is_given_up_when_it_is_awaited(
    engine: TestEngine,
) -> None:
    run, _ = begun(engine, very_impatient)
    engine.advance(2 * LONG + 120)
    index, outcome = result(engine, run)
    assert (index, outcome.partition(":")[0]) == (1, "timeout")


def test_a_callback_is_awaited_at_one_place_at_a_time(engine: TestEngine) -> None:
    run, _ = begun(engine, doubled)
    assert (run.status, run.error and run.error.type) == ("STALLED", "AwaitedTwiceError")


def test_a_callback_that_is_never_awaited_keeps_nobody(engine: TestEngine) -> None:
    run, token = begun(engine, forgetful)
    engine.complete_callback(token, 5)
    engine.advance(100)
    assert result(engine, run) == "<callback callback#1>"


# --- When things go wrong


def test_an_answer_is_taken_once_whatever_goes_wrong() -> None:
    def answer(engine: TestEngine, run: TestRun[Any]) -> None:
        while not any(each.key == "hand_over#1" and each.result for each in run.history):
            engine.advance(5)
        engine.heartbeat_callback(token_of(run))
        engine.complete_callback(token_of(run), 5)

    report = crash_matrix(slowly_alive, script=answer)
    assert report.outcome.brief() == "COMPLETED, result 5"


def test_a_callback_is_given_up_whatever_goes_wrong() -> None:
    report = crash_matrix(very_impatient)
    assert "timeout" in report.outcome.brief()
