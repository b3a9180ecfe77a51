"""Pausing, retrying and forking runs in tests."""

from __future__ import annotations

from datetime import timedelta

import pytest

from everstep import Context, NonRetryable, StepFailed, step, step_context, workflow
from everstep.core.audit import Action
from everstep.core.errors import (
    IllegalStateError,
    InvalidInputError,
    InvalidRequestError,
    RunNotFoundError,
)
from everstep.core.model import RunStatus
from everstep.testing import TestEngine

KEYS: list[tuple[str, str]] = []


@step
def charge(amount: int) -> int:
    KEYS.append(("charge", step_context().idempotency_key))
    return amount


@step
def ship(amount: int) -> str:
    KEYS.append(("ship", step_context().idempotency_key))
    return f"shipped for {amount}"


@workflow
async def shop(ctx: Context, amount: int) -> str:
    drawn = [ctx.now().isoformat(), str(ctx.uuid()), str(ctx.random().random())]
    paid = await ctx.step(charge, amount)
    drawn += [ctx.now().isoformat(), str(ctx.uuid())]
    await ctx.sleep(timedelta(hours=1))
    return f"{await ctx.step(ship, paid)} {drawn}"


@step
def double(number: int) -> int:
    return 2 * number


@workflow
async def together(ctx: Context, number: int) -> list[int]:
    async def branch(ctx: Context, item: int) -> int:
        first = await ctx.step(double, item)
        return await ctx.step(double, first)

    batch = await ctx.map(branch, range(number), tolerated_failures=1)
    batch.raise_for_failure()
    return batch.results


@pytest.fixture(autouse=True)
def no_keys() -> None:
    KEYS.clear()


@pytest.fixture
def engine() -> TestEngine:
    return TestEngine([shop, together])


def failed(engine: TestEngine) -> str:
    engine.fail(ship, NonRetryable("no van"))
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    assert run.status is RunStatus.FAILED
    return run.id


def test_a_retry_goes_on_from_the_step_that_failed(engine: TestEngine) -> None:
    run_id = failed(engine)
    again = engine.retry(run_id, who="ann", why="a van came")
    engine.run_until_idle()

    assert again.status is RunStatus.COMPLETED
    assert (again.executions("charge"), again.executions("ship")) == (0, 1)
    assert engine.get(run_id).status is RunStatus.FAILED
    engine.verify()
    _, entry = engine.audit(again.id)
    assert (entry.action, entry.who, entry.why) == (Action.RETRIED, "ann", "a van came")


def test_a_retry_sees_what_the_first_run_saw(engine: TestEngine) -> None:
    whole = TestEngine([shop])
    run = whole.start(shop, 7)
    whole.advance(timedelta(hours=2))
    again = engine.retry(failed(engine))
    engine.run_until_idle()
    assert again.result == run.result


def test_a_retried_step_has_the_idempotency_key_that_it_had(engine: TestEngine) -> None:
    run_id = failed(engine)
    engine.retry(run_id)
    engine.run_until_idle()
    assert KEYS[-1] == ("ship", f"{run_id}:ship#1")


# --- Fork


def test_a_fork_keeps_what_came_before_a_step_and_executes_the_rest(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    forked = engine.fork(run.id, "ship#1")
    engine.run_until_idle()

    assert forked.result == run.result
    assert (forked.executions("charge"), forked.executions("ship")) == (0, 1)
    assert [op.key for op in forked.history] == ["charge#1", "sleep#1", "ship#1"]
    engine.verify()


def test_a_forked_step_has_an_idempotency_key_of_its_own(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    forked = engine.fork(run.id, "ship#1")
    engine.run_until_idle()
    assert KEYS[-1] == ("ship", f"{forked.id}:ship#1")


def test_a_retry_of_a_fork_keeps_the_keys_of_the_fork(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    engine.fail(ship, NonRetryable("no van"))
    forked = engine.fork(run.id, "ship#1")
    engine.run_until_idle()
    again = engine.retry(forked.id)
    engine.run_until_idle()

    assert again.result == run.result
    assert KEYS[-1] == ("ship", f"{forked.id}:ship#1")


def test_a_fork_can_have_another_input_which_is_checked(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    forked = engine.fork(run.id, "charge#1", 8)
    engine.advance(timedelta(hours=2))

    assert str(forked.result).startswith("shipped for 8")
    with pytest.raises(InvalidInputError):
        engine.fork(run.id, "charge#1", "much")


def test_what_a_fork_keeps_stays_whatever_its_input(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    forked = engine.fork(run.id, "ship#1", 8)
    engine.run_until_idle()
    assert str(forked.result).startswith("shipped for 7")


def test_a_sleep_from_which_a_fork_goes_on_lasts_as_long_as_it_is_to(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(days=2))
    forked = engine.fork(run.id, "sleep#1")
    engine.advance(timedelta(minutes=59))
    assert forked.executions("ship") == 0
    engine.advance(timedelta(minutes=1))
    assert forked.executions("ship") == 1


def test_a_run_that_has_not_ended_can_be_forked(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.run_until_idle()
    forked = engine.fork(run.id, "sleep#1")
    engine.advance(timedelta(hours=1))
    assert (run.status, forked.status) == (RunStatus.COMPLETED, RunStatus.COMPLETED)
    assert forked.executions("charge") == 0


def test_a_fork_from_a_branch_keeps_what_the_others_had_done_by_then(engine: TestEngine) -> None:
    run = engine.start(together, 3)
    engine.run_until_idle()
    assert run.result == [0, 4, 8]
    forked = engine.fork(run.id, "branch#1/1/double#2")
    engine.run_until_idle()
    assert forked.result == [0, 4, 8]
    assert 1 <= forked.executions("double") <= 3
    engine.verify()


def test_an_operation_that_was_not_asked_for_is_no_place_to_fork_from(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.run_until_idle()
    with pytest.raises(InvalidRequestError, match=r"no operation 'charge#2'; .*charge#1, sleep#1"):
        engine.fork(run.id, "charge#2")
    with pytest.raises(RunNotFoundError):
        engine.fork("nobody", "charge#1")


# --- Where a retry goes on


def test_what_other_branches_did_stays_done_and_every_failed_one_is_tried_again(
    engine: TestEngine,
) -> None:
    engine.fail("branch#1/0/double#2", NonRetryable("no"))
    engine.fail("branch#1/2/double#1", NonRetryable("no"))
    run = engine.start(together, 4)
    engine.run_until_idle()
    assert run.status is RunStatus.FAILED
    again = engine.retry(run.id)
    engine.run_until_idle()
    assert again.result == [0, 4, 8, 12]
    assert run.executions("double") + again.executions("double") <= 8 + 2
    engine.verify()


def test_only_a_run_that_failed_or_was_ended_is_retried(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    with pytest.raises(IllegalStateError, match="is RUNNING; only a run that is FAILED, CANCELLED"):
        engine.retry(run.id)
    with pytest.raises(RunNotFoundError):
        engine.retry("nobody")


@step
def refund(amount: int) -> int:
    return amount


@workflow
async def undoing(ctx: Context, amount: int) -> str:
    async with ctx.saga() as saga:
        saga.compensate(refund, await ctx.step(charge, amount))
        return await ctx.step(ship, amount)


def test_a_retry_of_a_run_that_undid_its_work_goes_on_from_what_failed() -> None:
    engine = TestEngine([undoing])
    engine.fail(ship, NonRetryable("no van"))
    run = engine.start(undoing, 7)
    engine.run_until_idle()
    assert [op.key for op in run.history] == ["charge#1", "ship#1", "refund#1"]
    again = engine.retry(run.id)
    engine.run_until_idle()
    assert again.result == "shipped for 7"
    assert [op.key for op in again.history] == ["charge#1", "ship#1"]


def test_a_cancelled_run_goes_on_where_its_code_was_told() -> None:
    engine = TestEngine([undoing, shop])
    run = engine.start(shop, 7)
    engine.run_until_idle()
    engine.cancel(run.id)
    engine.advance(timedelta(hours=1))
    assert run.status is RunStatus.CANCELLED
    again = engine.retry(run.id)
    engine.advance(timedelta(hours=1))
    assert again.status is RunStatus.COMPLETED
    assert again.executions("charge") == 0


def test_a_run_that_was_ended_at_once_goes_on_after_what_is_recorded(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.run_until_idle()
    engine.cancel(run.id, force=True)
    again = engine.retry(run.id)
    engine.advance(timedelta(hours=1))
    assert (again.status, again.executions("charge")) == (RunStatus.COMPLETED, 0)


@workflow(name="picky")
async def picky(ctx: Context, amount: int) -> str:
    await ctx.step(charge, amount)
    raise ValueError("not today")


@workflow(name="picky")
async def mended(ctx: Context, amount: int) -> str:
    await ctx.step(charge, amount)
    return "mended"


def test_a_run_that_failed_in_its_own_code_goes_on_after_what_is_recorded() -> None:
    engine = TestEngine([picky])
    run = engine.start(picky, 7)
    engine.run_until_idle()
    assert run.status is RunStatus.FAILED
    again = engine.retry(run.id)
    engine.run_until_idle()
    assert again.error is not None
    assert again.error.message == "not today"

    engine.deploy([mended])
    healed = engine.retry(again.id)
    engine.run_until_idle()
    assert (healed.result, healed.executions("charge")) == ("mended", 0)


@workflow
async def disguised(ctx: Context, amount: int) -> str:
    try:
        return await ctx.step(ship, amount)
    except StepFailed as error:
        raise LookupError("nobody ships") from error


def test_an_error_that_an_operation_led_to_is_that_operation_s() -> None:
    engine = TestEngine([disguised])
    engine.fail(ship, NonRetryable("no van"))
    run = engine.start(disguised, 7)
    engine.run_until_idle()
    again = engine.retry(run.id)
    engine.run_until_idle()
    assert again.result == "shipped for 7"


def test_a_version_that_is_not_deployed_goes_on_nowhere(engine: TestEngine) -> None:
    run_id = failed(engine)
    engine.deploy([together])
    with pytest.raises(IllegalStateError, match="is not deployed"):
        engine.retry(run_id)


@workflow(name="shop")
async def other_shop(ctx: Context, amount: int) -> str:
    return await ctx.step(ship, amount)


def test_code_that_disagrees_with_the_run_goes_on_nowhere(engine: TestEngine) -> None:
    run_id = failed(engine)
    engine.deploy([other_shop])
    with pytest.raises(IllegalStateError, match="no run can go on from"):
        engine.retry(run_id)
    with pytest.raises(IllegalStateError, match="without asking for charge#1, sleep#1"):
        engine.fork(run_id, "charge#1")


# --- Events, callbacks, children


@workflow
async def waiting(ctx: Context, amount: int) -> list[object]:
    first = await ctx.wait_for_event("paid", int)
    shipped = await ctx.step(ship, amount)
    return [first, shipped, await ctx.wait_for_event("paid", int)]


def test_events_that_what_is_kept_has_not_taken_come_along() -> None:
    engine = TestEngine([waiting])
    run = engine.start(waiting, 7)
    for value in (1, 2, 3):
        engine.send_event(run.id, "paid", value)
    engine.run_until_idle()
    assert run.result == [1, "shipped for 7", 2]

    forked = engine.fork(run.id, "ship#1")
    engine.run_until_idle()
    assert forked.result == [1, "shipped for 7", 2]
    anew = engine.fork(run.id, "paid#1")
    engine.run_until_idle()
    assert anew.result == [1, "shipped for 7", 2]


@workflow
async def approved(ctx: Context, amount: int) -> str:
    approval = ctx.callback(str, timeout=timedelta(days=3))
    await ctx.step(ask, amount, approval.token)
    answer = await approval
    return f"{answer}, {await ctx.step(ship, amount)}"


TOKENS: list[str] = []


@step
def ask(amount: int, token: str) -> int:
    TOKENS.append(token)
    return amount


def test_an_answer_to_a_callback_stays_with_what_is_kept() -> None:
    engine = TestEngine([approved])
    run = engine.start(approved, 7)
    engine.run_until_idle()
    engine.complete_callback(TOKENS[-1], "yes")
    engine.run_until_idle()
    forked = engine.fork(run.id, "ship#1")
    engine.run_until_idle()
    assert forked.result == "yes, shipped for 7"


def test_a_fork_from_the_step_that_hands_out_a_token_asks_anew() -> None:
    engine = TestEngine([approved])
    run = engine.start(approved, 7)
    engine.run_until_idle()
    engine.complete_callback(TOKENS[-1], "yes")
    engine.advance(timedelta(days=10))
    forked = engine.fork(run.id, "ask#1")
    engine.run_until_idle()
    assert forked.status is RunStatus.WAITING
    engine.advance(timedelta(days=2))
    engine.complete_callback(TOKENS[-1], "no")
    engine.run_until_idle()
    assert forked.result == "no, shipped for 7"


def test_a_run_that_failed_at_a_callback_is_to_be_forked_from_the_step_before_it() -> None:
    engine = TestEngine([approved])
    run = engine.start(approved, 7)
    engine.advance(timedelta(days=4))
    assert run.status is RunStatus.FAILED
    with pytest.raises(IllegalStateError, match="failed at callback#1, whose token belongs to it"):
        engine.retry(run.id)


@workflow
async def child(ctx: Context, amount: int) -> int:
    await ctx.sleep(timedelta(hours=amount))
    return amount


@workflow
async def parent(ctx: Context, amount: int) -> list[object]:
    return list(await ctx.gather(ctx.call(child, amount), ctx.step(ship, amount)))


def test_child_runs_that_were_started_go_on_for_the_new_run() -> None:
    engine = TestEngine([parent, child])
    engine.fail(ship, NonRetryable("no van"))
    run = engine.start(parent, 2)
    engine.run_until_idle()
    assert run.status is RunStatus.FAILED
    again = engine.retry(run.id)
    engine.run_until_idle()
    first, second = (engine.get(each)._view() for each in (run.id, again.id))
    linked = [
        {record.child for record in view.progress.records if record.child}
        for view in (first, second)
    ]
    assert linked[0] == linked[1] != set()
    engine.advance(timedelta(hours=12))
    assert again.result == [2, "shipped for 2"]


# --- Pause


def test_a_paused_run_keeps_what_is_sent_to_it_until_it_is_resumed() -> None:
    engine = TestEngine([waiting])
    run = engine.start(waiting, 7)
    engine.run_until_idle()
    engine.pause(run.id, who="ann", why="lunch")
    engine.send_event(run.id, "paid", 1)
    engine.send_event(run.id, "paid", 2)
    engine.advance(timedelta(days=1))
    assert (run.status, run.executions("ship")) == (RunStatus.PAUSED, 0)
    engine.resume(run.id)
    engine.run_until_idle()
    assert run.result == [1, "shipped for 7", 2]
    assert [entry.action for entry in engine.audit(run.id)] == [
        Action.CREATED,
        Action.PAUSED,
        Action.RESUMED,
    ]
