"""What a function tells of its work: metrics, spans, and which run its log lines are about.

The engine reports observations; here they are handed to whoever wants them. As with ``logs``, there
is one of it in a process, because there is one standard output.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from everstep import logs
from everstep.core.observations import RunAtHand
from everstep.core.trace_context import read_xray, trace_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from everstep.adapters.emf import EmfMetrics
    from everstep.app.engine import Engine
    from everstep.core.observations import Observation
    from everstep.core.trace_context import TraceContext

OFF: Final = "off"
BY_WORKFLOW: Final = "by-workflow"
_XRAY: Final = "_X_AMZN_TRACE_ID"


class Telemetry:
    """Hands on what the engine reports.

    Attributes:
        metrics: Writes metrics; None to write none.
        end_spans: Sends what spans there are, at the end of an invocation.
        at_hand: The trace of the run that it is about at present.
    """

    __slots__ = ("at_hand", "end_spans", "metrics")

    def __init__(self, metrics: EmfMetrics | None = None) -> None:
        """Write metrics, or none."""
        self.metrics = metrics
        self.end_spans: Callable[[], object] | None = None
        self.at_hand: TraceContext | None = None

    def observe(self, observation: Observation) -> None:
        """Take an observation."""
        if isinstance(observation, RunAtHand):
            logs.about(observation.head)
            self.at_hand = trace_of(observation.head)
        if self.metrics is not None:
            self.metrics.observe(observation)

    def watching(self, engine: Engine) -> Engine:
        """Return the engine as it reports to this; steps have spans if OpenTelemetry is there."""
        engine = replace(engine, observe=self.observe, called_in=sampled_trace)
        if not _has_opentelemetry():
            return engine
        from everstep.adapters.opentelemetry import flush, spanned

        self.end_spans = flush
        return replace(engine, execute=spanned(engine.execute))

    def end(self, request_id: str) -> None:
        """Write what was collected in an invocation."""
        self.at_hand = None
        if self.metrics is not None:
            self.metrics.flush(request_id)
        if self.end_spans is not None:
            self.end_spans()


_current: list[Telemetry] = [Telemetry()]


def configure(metrics: str, deployment: str) -> Telemetry:
    """Return this process's telemetry, made anew.

    Args:
        metrics: ``off``, ``on`` or ``by-workflow``.
        deployment: What metrics call the deployment.
    """
    made = Telemetry()
    if metrics != OFF:
        from everstep.adapters.emf import EmfMetrics

        made.metrics = EmfMetrics(deployment, by_workflow=metrics == BY_WORKFLOW)
    _current[0] = made
    return made


@contextmanager
def invocation(request_id: str) -> Iterator[None]:
    """Mark log lines with an invocation, and write what it has collected at its end."""
    logs.invocation(request_id)
    try:
        yield
    finally:
        _current[0].end(request_id)


def sampled_trace() -> TraceContext | None:
    """Return the trace that Lambda calls this process in, if X-Ray records it."""
    return read_xray(os.environ.get(_XRAY, ""))


def xray_header() -> str | None:
    """Return what joins a message with the trace of the run at hand, if X-Ray records it."""
    at_hand = _current[0].at_hand
    if at_hand is None or not at_hand.sampled or sampled_trace() is None:
        return None
    return at_hand.xray


def _has_opentelemetry() -> bool:
    return find_spec("opentelemetry") is not None and find_spec("opentelemetry.trace") is not None
