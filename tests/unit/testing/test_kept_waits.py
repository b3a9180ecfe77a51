"""Events, callbacks and child runs of runs that stand still, or go on from another one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from everstep import Context, NonRetryable, step, workflow
from everstep.core.audit import Action
from everstep.core.errors import (
    IllegalStateError,
)
from everstep.core.model import RunStatus
from everstep.testing import TestEngine
from tests.unit.testing.shop import ship

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
        Action.COMPLETED,
    ]


@workflow
async def asked_beside(ctx: Context, amount: int) -> list[object]:
    approval = ctx.callback(str)
    await ctx.step(ask, amount, approval.token)
    await ctx.sleep(timedelta(hours=1))
    paid = await ctx.step(ship, amount)
    return [paid, await approval]


def test_an_answer_that_was_not_yet_heard_comes_along_with_a_retry() -> None:
    engine = TestEngine([asked_beside])
    engine.fail(ship, NonRetryable("no van"))
    run = engine.start(asked_beside, 7)
    engine.run_until_idle()
    engine.complete_callback(TOKENS[-1], "yes")
    engine.advance(timedelta(hours=1))
    assert run.status is RunStatus.FAILED
    again = engine.retry(run.id)
    engine.run_until_idle()
    assert again.result == ["shipped for 7", "yes"]
