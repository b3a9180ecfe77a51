"""Events: kept whether or not anybody waits, each taken by one wait, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from everstep import Context, EventTimeout, InvalidInputError, step, workflow
from everstep.app.engine import Limits
from everstep.app.events import send_event
from everstep.core.errors import (
    IllegalStateError,
    InvalidRequestError,
    PayloadTooLargeError,
    RunNotFoundError,
    UnavailableError,
)
from everstep.testing import TestEngine

if TYPE_CHECKING:
    from everstep.testing.simulation.world import World


class Accepted(BaseModel):
    minutes: int


@step
def note(text: str) -> str:
    return text


@workflow
async def order(ctx: Context) -> str:
    await ctx.step(note, "asked")
    try:
        accepted = await ctx.wait_for_event("accepted", Accepted, timeout=300)
    except EventTimeout as error:
        return str(error)
    return await ctx.step(note, f"in {accepted.minutes} minutes")


@workflow
async def everything(ctx: Context) -> list[Any]:
    return [await ctx.wait_for_event("thing") for _ in range(3)]


@workflow
async def careful(ctx: Context) -> int:
    try:
        return (await ctx.wait_for_event("accepted", Accepted)).minutes
    except InvalidInputError:
        return (await ctx.wait_for_event("accepted", Accepted)).minutes


@pytest.fixture
def engine() -> TestEngine:
    return TestEngine([order, everything, careful], limits=Limits(inline=100, payload=1000))


def world_of(engine: TestEngine) -> World:
    return engine._world


def test_a_run_waits_until_its_event_comes(engine: TestEngine) -> None:
    run = engine.start(order)
    engine.run_until_idle()
    assert run.status == "WAITING"
    engine.send_event(run.id, "other", {})
    engine.run_until_idle()
    assert run.status == "WAITING"
    engine.send_event(run.id, "accepted", Accepted(minutes=20))
    engine.run_until_idle()
    assert run.result == "in 20 minutes"


def test_an_event_that_came_first_is_kept(engine: TestEngine) -> None:
    run = engine.start(order)
    engine.send_event(run.id, "accepted", {"minutes": 5})
    engine.run_until_idle()
    assert run.result == "in 5 minutes"


@pytest.mark.parametrize("timely", [299, 300])
def test_a_wait_is_given_up_at_its_time_and_takes_no_event(
    engine: TestEngine, timely: float
) -> None:
    run = engine.start(order)
    engine.advance(timely)
    assert (run.status == "WAITING") is (timely < 300)
    engine.advance(1)
    assert run.result == "no event 'accepted' came in time"


def test_events_of_one_name_are_taken_in_the_order_in_which_they_came(engine: TestEngine) -> None:
    run = engine.start(everything)
    for number in (1, 2, 3):
        engine.send_event(run.id, "thing", number)
    engine.run_until_idle()
    assert run.result == [1, 2, 3]


def test_a_key_sends_one_event(engine: TestEngine) -> None:
    run = engine.start(everything)
    for key in ("a", "a", "b"):
        engine.send_event(run.id, "thing", key, idempotency_key=key)
    engine.run_until_idle()
    assert run.status == "WAITING"
    engine.send_event(run.id, "thing", "c")
    engine.run_until_idle()
    assert run.result == ["a", "b", "c"]


def test_a_sender_that_asks_again_after_its_event_ended_the_run_hears_that_it_was_kept(
    engine: TestEngine,
) -> None:
    run = engine.start(order)
    engine.send_event(run.id, "accepted", Accepted(minutes=5), idempotency_key="once")
    engine.run_until_idle()
    assert run.status == "COMPLETED"
    engine.send_event(run.id, "accepted", Accepted(minutes=5), idempotency_key="once")
    with pytest.raises(IllegalStateError):
        engine.send_event(run.id, "accepted", Accepted(minutes=5), idempotency_key="another")


def test_what_does_not_fit_is_an_error_that_the_workflow_can_handle(engine: TestEngine) -> None:
    run = engine.start(careful)
    engine.send_event(run.id, "accepted", {"minutes": "soon"})
    engine.run_until_idle()
    assert run.status == "WAITING"
    engine.send_event(run.id, "accepted", {"minutes": 3})
    engine.run_until_idle()
    assert run.result == 3


def test_a_large_payload_goes_through_the_blob_store(engine: TestEngine) -> None:
    run = engine.start(everything)
    for _ in range(3):
        engine.send_event(run.id, "thing", "x" * 200)
    engine.run_until_idle()
    assert run.result == ["x" * 200] * 3
    assert world_of(engine).counts["blobs.put"] > 0


def test_what_makes_no_sense_is_refused(engine: TestEngine) -> None:
    run = engine.start(order)
    with pytest.raises(RunNotFoundError):
        engine.send_event("nobody", "accepted", {})
    with pytest.raises(InvalidRequestError, match="the name of an event"):
        engine.send_event(run.id, "a/b", {})
    with pytest.raises(InvalidRequestError, match="an idempotency key"):
        engine.send_event(run.id, "accepted", {}, idempotency_key="")
    with pytest.raises(PayloadTooLargeError):
        engine.send_event(run.id, "accepted", "x" * 2000)
    engine.advance(300)
    with pytest.raises(IllegalStateError, match="takes no more events"):
        engine.send_event(run.id, "accepted", {})


def test_a_sender_that_always_comes_second_gives_up(
    engine: TestEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = engine.start(order)
    inside = world_of(engine).inside
    monkeypatch.setattr(world_of(engine).store, "put_event", lambda *_: False)
    with pytest.raises(UnavailableError, match="too many events 'accepted' at the same time"):
        send_event(inside, run.id, "accepted", {})
