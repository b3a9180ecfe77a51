"""Spans of attempts, as an exporter in memory gets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import NoOpTracerProvider

from everstep import step_context
from everstep.adapters.opentelemetry import flush, spanned
from everstep.authoring.step_context import attempt_context
from everstep.core.trace_context import TraceContext, read_traceparent

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

RUN: Final = TraceContext(
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7", sampled=True
)


@dataclass(frozen=True)
class Attempt:
    run_id: str = "run-1"
    key: str = "branch#1/charge#2"
    attempt: int = 3
    probe: bool = False
    trace: TraceContext | None = RUN


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    return exporter


def run(execute: Callable[[Attempt], object], attempt: Attempt) -> object:
    with attempt_context(attempt.run_id, attempt.key, attempt.attempt, None):
        return spanned(execute)(attempt)


def only(exporter: InMemorySpanExporter) -> ReadableSpan:
    flush()
    (span,) = exporter.get_finished_spans()
    return span


def test_an_attempt_is_a_span_of_its_runs_trace(exporter: InMemorySpanExporter) -> None:
    assert run(lambda attempt: attempt.attempt * 2, Attempt()) == 6
    span = only(exporter)
    assert span.name == "charge"
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (
        RUN.trace_id,
        RUN.span_id,
    )
    assert dict(span.attributes or {}) == {
        "everstep.run_id": "run-1",
        "everstep.operation": "branch#1/charge#2",
        "everstep.attempt": 3,
        "everstep.probe": False,
    }


def test_a_step_hands_on_its_span(exporter: InMemorySpanExporter) -> None:
    seen = run(lambda _attempt: step_context().trace["traceparent"], Attempt())
    context = only(exporter).get_span_context()
    assert context is not None
    assert read_traceparent(str(seen)) == TraceContext(
        trace_id=RUN.trace_id, span_id=f"{context.span_id:016x}", sampled=True
    )


def test_a_failure_is_seen_in_the_span_and_raised_as_it_was(exporter: InMemorySpanExporter) -> None:
    def fails(_attempt: Attempt) -> object:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run(fails, Attempt())
    assert only(exporter).status.status_code is trace.StatusCode.ERROR


@pytest.mark.parametrize(
    ("sampled", "derived", "recorded"), [(False, False, 0), (False, True, 1), (True, False, 1)]
)
def test_what_a_caller_has_decided_not_to_record_is_not_recorded(
    exporter: InMemorySpanExporter,
    sampled: bool,  # noqa: FBT001 - a column
    derived: bool,  # noqa: FBT001
    recorded: int,
) -> None:
    place = TraceContext(
        trace_id=RUN.trace_id, span_id=RUN.span_id, sampled=sampled, derived=derived
    )
    run(lambda _attempt: None, Attempt(trace=place))
    assert len(exporter.get_finished_spans()) == recorded


def test_an_attempt_without_a_trace_begins_one(exporter: InMemorySpanExporter) -> None:
    run(lambda _attempt: None, Attempt(trace=None))
    assert only(exporter).parent is None


def test_without_an_sdk_nothing_is_recorded_and_nothing_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = NoOpTracerProvider()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    assert run(lambda attempt: attempt.attempt, Attempt(trace=None)) == 3
    flush()
