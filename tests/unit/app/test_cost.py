"""What a run has cost, as people see it."""

from __future__ import annotations

import pytest

from everstep import Context, step, workflow
from everstep.app.prices import dollars, total_dollars
from everstep.core.spending import INVOCATION, Spent
from everstep.testing import TestEngine


@step
def count(number: int) -> int:
    """Count one up."""
    return number + 1


@workflow
async def counts(ctx: Context, steps: int) -> int:
    """Run so many steps, one after another."""
    number = 0
    for _ in range(steps):
        number = await ctx.step(count, number)
    await ctx.sleep(10)
    return number


def test_the_cost_of_a_run_is_that_of_its_operations_its_start_and_its_end() -> None:
    engine = TestEngine([counts])
    run = engine.start(counts, 2)
    engine.run_until_idle()
    half = run.cost
    engine.advance(10)
    whole = run.cost
    assert (half.complete, whole.complete) == (False, True)
    assert half.spent.within(whole.spent)
    assert list(whole.steps) == ["count#1", "count#2", "sleep#1"]
    assert whole.rest.writes == 2
    assert whole.spent.writes == 5


@pytest.mark.parametrize(
    ("spent", "of", "per_million"),
    [
        (Spent(writes=1), "DynamoDB writes", 0.625),
        (Spent(index_writes=2), "DynamoDB index writes", 1.25),
        (Spent(half_reads=1), "DynamoDB reads", 0.0625),
        (Spent(sends=1), "SQS", 0.4),
        (Spent(puts=1, gets=1), "S3", 5.4),
    ],
)
def test_each_unit_has_its_price(spent: Spent, of: str, per_million: float) -> None:
    bill = dollars(spent, "arm64")
    assert bill[of] * 1e6 == pytest.approx(per_million)
    assert total_dollars(spent, "arm64") == pytest.approx(bill[of])


def test_an_invocation_brings_two_requests_of_the_poller() -> None:
    bill = dollars(Spent(share=INVOCATION), "arm64")
    assert bill["SQS"] * 1e6 == pytest.approx(0.8)
    assert bill["Lambda requests"] * 1e6 == pytest.approx(0.2)


def test_a_call_of_the_api_has_its_own_price_and_no_poller() -> None:
    bill = dollars(Spent(calls=1, share=INVOCATION), "arm64")
    assert bill["SQS"] == 0
    assert bill["API Gateway"] * 1e6 == pytest.approx(3.5)


def test_time_has_the_price_of_its_processor_and_memory() -> None:
    spent = Spent(millis=1000, extra=1000 * 768)
    arm = dollars(spent, "arm64")["Lambda compute"]
    assert arm == pytest.approx(0.0000133334)
    assert dollars(spent, "x86_64")["Lambda compute"] > arm


@workflow
async def listens(ctx: Context, rounds: int) -> str:
    """Count, and go on as new; in the end wait for a word."""
    await ctx.step(count, rounds)
    if rounds:
        await ctx.continue_as_new(rounds - 1)
    return await ctx.wait_for_event("word", str)


def test_a_run_that_went_on_as_new_has_its_total_and_the_last_one_that_of_all() -> None:
    engine = TestEngine([listens])
    first = engine.start(listens, 2)
    engine.run_until_idle()
    second = first.successor
    assert second is not None
    third = second.successor
    assert third is not None
    assert (first.cost.complete, first.cost.successor) == (True, second.id)
    assert (first.cost.past, third.cost.successor) == (Spent(), None)
    assert second.cost.past == first.cost.spent
    assert third.cost.past == second.cost.chain
    assert third.cost.chain == first.cost.spent + second.cost.spent + third.cost.spent


def test_an_event_is_charged_with_the_wait_that_takes_it_or_with_the_run() -> None:
    engine = TestEngine([listens])
    run = engine.start(listens, 0)
    engine.run_until_idle()
    before = run.cost
    engine.send_event(run.id, "word", "yes", idempotency_key="once")
    # A request, a write and a message.
    sent = run.cost.spent - before.spent
    assert (sent.requests, sent.writes, sent.sends) == (1, 1, 1)
    assert run.cost.rest == before.rest + sent
    engine.send_event(run.id, "word", "yes", idempotency_key="once")
    assert run.cost.spent - before.spent == sent
    engine.send_event(run.id, "nobody waits for this")
    engine.run_until_idle()
    assert run.result == "yes"
    assert run.cost.steps["word#1"].sends == 1
    # The start's message and the one of the event that nobody has taken.
    assert run.cost.rest.sends == 2


def test_events_that_nobody_has_taken_are_on_the_account_of_the_run_that_goes_on() -> None:
    engine = TestEngine([listens])
    first = engine.start(listens, 1)
    engine.send_event(first.id, "noise")
    engine.run_until_idle()
    assert first.successor is not None
    assert first.cost.rest.calls == first.successor.cost.rest.calls == 0
    assert first.successor.cost.rest.sends == 1
