"""Which trace a run belongs to, in the words of W3C (``traceparent``) and of AWS X-Ray.

A run that was started within a trace keeps it, with the span that started it. Any other has one
that follows from its id, so that nothing needs to be stored for it. The first eight digits of that
are the second in which the run was accepted, as X-Ray demands of its own.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from everstep.core.durations import SECOND

if TYPE_CHECKING:
    from everstep.core.model import Head

LONGEST_CORRELATION_ID: Final = 128
# Compiled when they are first used: most cold starts have no use for them.
_W3C: Final = r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
_XRAY_ROOT: Final = r"1-([0-9a-f]{8})-([0-9a-f]{24})"
_XRAY_SPAN: Final = r"[0-9a-f]{16}"
_SPAN: Final = 16
_TRACE: Final = 32


class TraceContext(NamedTuple):
    """A place in a trace.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits: the parent of what happens next.
        sampled: Whether somebody records the trace.
        derived: Whether it follows from a run's id: nobody has decided whether to record it.
    """

    trace_id: str
    span_id: str
    sampled: bool = False
    derived: bool = False

    @property
    def traceparent(self) -> str:
        """Return the W3C header."""
        return f"00-{self.trace_id}-{self.span_id}-{self.sampled:02x}"

    @property
    def recorded(self) -> str:
        """Return what stands in a record: without flags if nobody has decided on them."""
        return f"{self.trace_id}-{self.span_id}" if self.derived else self.traceparent

    @property
    def xray(self) -> str:
        """Return the header of X-Ray, ``X-Amzn-Trace-Id``."""
        root = f"1-{self.trace_id[:8]}-{self.trace_id[8:]}"
        return f"Root={root};Parent={self.span_id};Sampled={self.sampled:d}"


class Correlation(NamedTuple):
    """What joins a run with the rest of the world.

    Attributes:
        trace: The trace that it was started in.
        id: The caller's own mark on everything that belongs together.
    """

    trace: TraceContext | None = None
    id: str | None = None


def read_traceparent(text: str) -> TraceContext | None:
    """Return the trace of a W3C header; None if it says none, which is then to be ignored.

    A later version of the header may say more; what this one knows stands first.
    """
    found = re.fullmatch(_W3C, text.strip())
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    wrong = version == "ff" or (version == "00" and more is not None)
    if wrong or not int(trace_id, 16) or not int(span_id, 16):
        return None
    return TraceContext(trace_id=trace_id, span_id=span_id, sampled=bool(int(flags, 16) & 1))


def read_recorded(text: str | None) -> TraceContext | None:
    """Return the trace of a record; None if there is none, or if it cannot be read."""
    if text is None:
        return None
    if text.count("-") == 1:
        found = read_traceparent(f"00-{text}-00")
        return None if found is None else found._replace(derived=True)
    return read_traceparent(text)


def read_xray(text: str) -> TraceContext | None:
    """Return the trace of an X-Ray header if it is sampled, has a root and a parent."""
    fields = dict(part.strip().split("=", 1) for part in text.split(";") if "=" in part)
    root = re.fullmatch(_XRAY_ROOT, fields.get("Root", ""))
    span = fields.get("Parent", "")
    if root is None or not re.fullmatch(_XRAY_SPAN, span) or fields.get("Sampled") != "1":
        return None
    return TraceContext(trace_id=root[1] + root[2], span_id=span, sampled=True)


def trace_of(head: Head) -> TraceContext:
    """Return the trace of a run, and the span that its own are children of."""
    if head.correlation is not None and head.correlation.trace is not None:
        return head.correlation.trace
    return _derived(head.run_id, head.created_at)


# A process goes on with the same runs again and again.
@lru_cache(maxsize=256)
def _derived(run_id: str, created_at: int) -> TraceContext:
    digits = sha256(run_id.encode()).hexdigest()
    second = f"{created_at // SECOND:08x}"[-8:]
    trace_id, span_id = (second + digits)[:_TRACE], digits[_TRACE : _TRACE + _SPAN]
    return TraceContext(trace_id=trace_id, span_id=span_id, derived=True)


def correlation_id_of(head: Head, trace: TraceContext | None = None) -> str:
    """Return the mark on everything that belongs to a run: its caller's, or its trace."""
    given = None if head.correlation is None else head.correlation.id
    return given or (trace or trace_of(head)).trace_id


def handed_on(head: Head) -> Correlation:
    """Return how a run is joined with the one that starts it, or in whose place it goes on."""
    given = None if head.correlation is None else head.correlation.id
    return Correlation(trace=trace_of(head), id=given)


def headers(trace: TraceContext, correlation_id: str) -> dict[str, str]:
    """Return the headers that join what a step calls with its run."""
    joined = {"traceparent": trace.traceparent, "X-Correlation-Id": correlation_id}
    return joined | ({"X-Amzn-Trace-Id": trace.xray} if trace.sampled else {})


def within(trace: TraceContext, run_id: str, key: str, attempt: int) -> TraceContext:
    """Return the place of an attempt in the trace of its run, where nobody records a span."""
    digits = sha256(f"{run_id}/{key}/{attempt}".encode()).hexdigest()
    return TraceContext(trace_id=trace.trace_id, span_id=digits[:_SPAN], sampled=trace.sampled)
