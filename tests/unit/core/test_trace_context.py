"""Traces: what is read from headers, what follows from a run, what is handed on."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from everstep.core.trace_context import (
    Correlation,
    TraceContext,
    correlation_id_of,
    handed_on,
    headers,
    read_recorded,
    read_traceparent,
    read_xray,
    trace_of,
    within,
)
from tests.unit.core.test_metrics import HEAD

TRACE: Final = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN: Final = "00f067aa0ba902b7"
GIVEN: Final = TraceContext(trace_id=TRACE, span_id=SPAN, sampled=True)
ACCEPTED: Final = replace(HEAD, created_at=1_767_225_600_000)


@pytest.mark.parametrize(
    ("text", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f" 00-{TRACE}-{SPAN}-00 ", False),
        (f"00-{TRACE}-{SPAN}-03", True),
        (f"01-{TRACE}-{SPAN}-01-more", True),
    ],
)
def test_a_w3c_header_is_read(text: str, sampled: bool) -> None:  # noqa: FBT001 - a column
    assert read_traceparent(text) == TraceContext(trace_id=TRACE, span_id=SPAN, sampled=sampled)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        f"00-{TRACE}-{SPAN}",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
    ],
)
def test_a_w3c_header_that_says_none_is_ignored(text: str) -> None:
    assert read_traceparent(text) is None


def test_headers_read_back_the_same() -> None:
    assert read_traceparent(GIVEN.traceparent) == GIVEN
    assert read_xray(GIVEN.xray) == GIVEN
    assert GIVEN.xray == f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Root",
        f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent={SPAN};Sampled=0",
        f"Root=1-{TRACE[:8]}-{TRACE[8:]};Parent=none;Sampled=1",
        f"Root=1-{TRACE[:8]}-{TRACE[8:]};Sampled=1",
        f"Root=2-{TRACE};Parent={SPAN};Sampled=1",
    ],
)
def test_an_x_ray_header_that_is_not_sampled_or_not_whole_is_ignored(text: str) -> None:
    assert read_xray(text) is None


def test_a_run_keeps_the_trace_that_it_was_started_in() -> None:
    head = replace(ACCEPTED, correlation=Correlation(trace=GIVEN))
    assert trace_of(head) == GIVEN
    assert correlation_id_of(head) == TRACE


def test_any_other_run_has_a_trace_that_follows_from_its_id_and_its_second() -> None:
    made = trace_of(ACCEPTED)
    assert made == trace_of(replace(ACCEPTED, correlation=Correlation(id="order-1")))
    assert made.trace_id.startswith(f"{1_767_225_600:08x}")
    assert made != trace_of(replace(ACCEPTED, run_id="run-2"))
    assert (made.derived, made.sampled) == (True, False)
    assert read_traceparent(made.traceparent) == made._replace(derived=False)


def test_the_callers_mark_goes_before_the_trace() -> None:
    assert correlation_id_of(replace(ACCEPTED, correlation=Correlation(id="order-1"))) == "order-1"
    assert correlation_id_of(ACCEPTED) == trace_of(ACCEPTED).trace_id


def test_who_is_started_by_a_run_has_its_trace_and_its_mark() -> None:
    assert handed_on(ACCEPTED) == Correlation(trace=trace_of(ACCEPTED))
    marked = replace(ACCEPTED, correlation=Correlation(trace=GIVEN, id="order-1"))
    assert handed_on(marked) == Correlation(trace=GIVEN, id="order-1")


def test_each_attempt_has_a_place_of_its_own_in_the_trace() -> None:
    places = {within(GIVEN, "run-1", key, n).span_id for key in ("a#1", "b#1") for n in (1, 2)}
    assert len(places) == 4
    assert {within(GIVEN, "run-1", "a#1", 1).trace_id} == {TRACE}


def test_a_step_hands_on_what_others_can_join_to() -> None:
    assert headers(GIVEN, "order-1") == {
        "traceparent": GIVEN.traceparent,
        "X-Correlation-Id": "order-1",
        "X-Amzn-Trace-Id": GIVEN.xray,
    }
    assert "X-Amzn-Trace-Id" not in headers(GIVEN._replace(sampled=False), "order-1")


@pytest.mark.parametrize("trace", [GIVEN, GIVEN._replace(sampled=False), trace_of(ACCEPTED)])
def test_what_is_recorded_reads_back_the_same(trace: TraceContext) -> None:
    assert read_recorded(trace.recorded) == trace


@pytest.mark.parametrize("text", [None, "nonsense", "non-sense"])
def test_what_cannot_be_read_back_is_no_trace(text: str | None) -> None:
    assert read_recorded(text) is None
