"""A span for every attempt of a step, where ``opentelemetry-api`` is installed.

Which exporter there is, if any, is not decided here: whoever installs OpenTelemetry (a layer such
as AWS's, or the user's own code) sets up its SDK. Without one a span costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from opentelemetry import trace

from everstep.authoring.step_context import step_context
from everstep.core.keys import name_of
from everstep.core.trace_context import TraceContext

if TYPE_CHECKING:
    from collections.abc import Callable


class Attempted(Protocol):
    """What a span says of an attempt."""

    @property
    def run_id(self) -> str:
        """Return the run."""

    @property
    def key(self) -> str:
        """Return the operation."""

    @property
    def attempt(self) -> int:
        """Return the number of the attempt, from 1."""

    @property
    def probe(self) -> bool:
        """Say whether this finds out what became of it."""

    @property
    def trace(self) -> TraceContext | None:
        """Return the place of the run in its trace."""


A = TypeVar("A", bound=Attempted)


def spanned(execute: Callable[[A], object]) -> Callable[[A], object]:
    """Return how an attempt is executed within a span of its run's trace."""

    def execute_in_span(execution: A) -> object:
        tracer = trace.get_tracer("everstep")
        with tracer.start_as_current_span(
            name_of(execution.key),
            context=_parent(execution.trace),
            attributes=_attributes(execution),
        ) as span:
            _hand_on(span.get_span_context())
            return execute(execution)

    return execute_in_span


def flush() -> None:
    """Send the spans there are: a process may be frozen from now on."""
    force: Any = getattr(trace.get_tracer_provider(), "force_flush", None)
    if force is not None:
        force()


def _parent(place: TraceContext | None) -> Any:  # noqa: ANN401 - an optional library's type
    if place is None:
        return None
    # Where nobody has decided whether to record the run's trace, it is recorded.
    flags = trace.TraceFlags(place.sampled or place.derived)
    remote = trace.SpanContext(
        trace_id=int(place.trace_id, 16),
        span_id=int(place.span_id, 16),
        is_remote=True,
        trace_flags=flags,
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(remote))


def _attributes(execution: Attempted) -> dict[str, str | int | bool]:
    return {
        "everstep.run_id": execution.run_id,
        "everstep.operation": execution.key,
        "everstep.attempt": execution.attempt,
        "everstep.probe": execution.probe,
    }


def _hand_on(context: trace.SpanContext) -> None:
    """Let the step hand on the span instead of the attempt's place in the trace."""
    if context.is_valid:
        span = TraceContext(
            trace_id=f"{context.trace_id:032x}",
            span_id=f"{context.span_id:016x}",
            sampled=context.trace_flags.sampled,
        )
        step_context().trace["traceparent"] = span.traceparent
