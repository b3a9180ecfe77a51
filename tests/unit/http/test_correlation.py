"""What joins a run with the rest of the world: given at the trigger, kept, shown, handed on."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from everstep import Context, step, step_context, workflow
from everstep.client.testing import client_of
from everstep.core.trace_context import Correlation, TraceContext, trace_of
from everstep.testing import TestEngine
from tests.unit.http.world import World

TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN: Final = "00f067aa0ba902b7"
PARENT: Final = f"00-{TRACE}-{SPAN}-01"


@step
def joined() -> dict[str, str]:
    return step_context().trace


@workflow
async def asks(ctx: Context) -> dict[str, str]:
    return await ctx.step(joined)


@workflow
async def starts(ctx: Context) -> dict[str, str]:
    return await ctx.call(asks)


@workflow
async def goes_on(ctx: Context, rounds: int) -> dict[str, str]:
    if rounds:
        await ctx.continue_as_new(rounds - 1)
    return await ctx.step(joined)


def trigger(world: World, headers: dict[str, str]) -> dict[str, object]:
    answer = world.call("POST", "/triggers/shop", '{"id": "A-1", "total": 20}', headers)
    assert answer.status == 202
    shown: dict[str, object] = world.get(f"/runs/{answer.body['run_id']}").body
    return shown


def test_a_run_shows_the_trace_and_the_mark_that_its_caller_gave() -> None:
    shown = trigger(World(), {"X-Correlation-Id": "order-1", "traceparent": PARENT})
    assert (shown["trace_id"], shown["correlation_id"]) == (TRACE, "order-1")


def test_without_a_mark_the_trace_is_the_mark() -> None:
    shown = trigger(World(), {"traceparent": PARENT})
    assert (shown["trace_id"], shown["correlation_id"]) == (TRACE, TRACE)


def test_a_trace_that_cannot_be_read_is_as_good_as_none() -> None:
    given, none = trigger(World(), {"traceparent": "nonsense"}), trigger(World(), {})
    assert given["trace_id"] == none["trace_id"] == none["correlation_id"]


@pytest.mark.parametrize("mark", ["x" * 129, "two\tparts"])
def test_a_mark_that_makes_no_sense_is_refused(mark: str) -> None:
    headers = {"X-Correlation-Id": mark}
    answer = World().call("POST", "/triggers/shop", '{"id": "A-1", "total": 20}', headers)
    assert (answer.status, answer.body["parameter"]) == (422, "correlation_id")


def test_a_repeat_in_another_trace_is_the_same_start() -> None:
    world = World()
    first = trigger(world, {"Idempotency-Key": "k", "traceparent": PARENT})
    headers = {"Idempotency-Key": "k", "X-Correlation-Id": "another"}
    again = world.call("POST", "/triggers/shop", '{"id": "A-1", "total": 20}', headers)
    assert (again.status, again.body["run_id"]) == (200, first["run_id"])


def test_steps_are_given_headers_to_pass_on() -> None:
    engine = TestEngine([asks])
    run = engine.start(asks, correlation_id="order-1", traceparent=PARENT)
    engine.run_until_idle()
    assert run.result is not None
    assert run.result["X-Correlation-Id"] == "order-1"
    assert run.result["traceparent"].startswith(f"00-{TRACE}-")
    assert SPAN not in run.result["traceparent"]


def test_a_child_run_is_in_the_trace_of_its_parent_and_has_its_mark() -> None:
    engine = TestEngine([asks, starts])
    run = engine.start(starts, correlation_id="order-1")
    engine.run_until_idle()
    assert run.result is not None
    assert run.result["X-Correlation-Id"] == "order-1"
    head = engine.ports.runs.head(run.id)
    assert head is not None
    assert run.result["traceparent"].split("-")[1] == trace_of(head).trace_id


def test_a_run_that_goes_on_as_another_stays_in_its_trace() -> None:
    engine = TestEngine([goes_on])
    run = engine.start(goes_on, 1, traceparent=PARENT)
    engine.advance(timedelta(seconds=1))
    head = engine.ports.runs.head(run.id)
    assert head is not None
    assert head.successor is not None
    successor = engine.ports.runs.head(head.successor)
    assert successor is not None
    trace = TraceContext(trace_id=TRACE, span_id=SPAN, sampled=True)
    assert successor.correlation == Correlation(trace=trace)


def test_a_fork_has_the_mark_of_its_origin_and_a_trace_of_its_own() -> None:
    engine = TestEngine([asks])
    run = engine.start(asks, correlation_id="order-1", traceparent=PARENT)
    engine.run_until_idle()
    forked = engine.fork(run.id, "joined#1")
    head = engine.ports.runs.head(forked.id)
    assert head is not None
    assert head.correlation == Correlation(id="order-1")
    unmarked = engine.start(asks, traceparent=PARENT)
    engine.run_until_idle()
    plain = engine.ports.runs.head(engine.fork(unmarked.id, "joined#1").id)
    assert plain is not None
    assert plain.correlation is None


def test_a_client_says_what_a_run_belongs_to() -> None:
    engine = TestEngine([asks])
    run = client_of(engine).start(asks, None, correlation_id="order-1", traceparent=PARENT)
    head = engine.ports.runs.head(run.id)
    assert head is not None
    trace = TraceContext(trace_id=TRACE, span_id=SPAN, sampled=True)
    assert head.correlation == Correlation(trace=trace, id="order-1")
