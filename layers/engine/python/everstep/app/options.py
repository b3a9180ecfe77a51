"""What a caller can ask of a run beside its input, checked."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from everstep.core.durations import (
    LAST_INSTANT,
    instant,
    run_retention,
    run_timeout,
    to_millis,
)
from everstep.core.errors import InvalidOptionError, InvalidRequestError
from everstep.core.records import dataclass
from everstep.core.spending import to_nanos
from everstep.core.trace_context import LONGEST_CORRELATION_ID, read_traceparent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from everstep.app.engine import Engine
    from everstep.authoring.workflows import Workflow
    from everstep.core.trace_context import TraceContext

OnConflict = Literal["error", "existing"]

LONGEST_IDEMPOTENCY_KEY: Final = 255
LONGEST_REFERENCE_ID: Final = 255
LONGEST_WHO: Final = 200
LONGEST_WHY: Final = 1000
MOST_TAGS: Final = 10
LONGEST_TAG: Final = 64
LONGEST_TAG_VALUE: Final = 128
_SHOWN: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """What a caller asks of a run beside its input.

    Attributes:
        version: The version to start on; the highest one if not given.
        idempotency_key: The same key starts one run only.
        reference_id: The caller's own name: at most one run of a workflow that has not ended has
            it.
        on_conflict: What to do if a run has the reference id: ``error``, or answer with the
            ``existing`` one.
        delay: How much later the run begins, in seconds or as a ``timedelta``.
        at: When it begins, with its time zone; what is past is at once.
        tags: Up to 10 marks, to find the run by.
        timeout: How long it may take from its beginning; as the workflow says if not given.
        retention: How long it is kept after its end; as the workflow says if not given.
        budget: What it may cost, in dollars; as the workflow says if not given.
        correlation_id: The caller's own mark on everything that belongs together.
        traceparent: The trace that it belongs to, as W3C writes it; anything else is ignored.
    """

    version: str | None = None
    idempotency_key: str | None = None
    reference_id: str | None = None
    on_conflict: OnConflict = "error"
    delay: float | timedelta | None = None
    at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    timeout: float | timedelta | None = None
    retention: float | timedelta | None = None
    budget: float | None = None
    correlation_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Options that make sense, durations and instants in milliseconds.

    Attributes:
        reference_id: The caller's own name.
        delay: How much later the run begins.
        at: When it begins.
        tags: Marks.
        timeout: How long it may take, if that was said.
        retention: How long it is kept, if that was said.
        budget: What it may cost, in billionths of a dollar, if that was said.
        correlation_id: The caller's own mark on everything that belongs together.
        trace: The trace that it belongs to.
    """

    reference_id: str | None
    delay: int | None
    at: int | None
    tags: Mapping[str, str]
    timeout: int | None
    retention: int | None
    budget: int | None = None
    correlation_id: str | None = None
    trace: TraceContext | None = None

    def starts_at(self, now: int) -> int | None:
        """Return when the run begins; None for at once.

        Raises:
            InvalidOptionError: After the year 9999.
        """
        starts_at = now + self.delay if self.delay is not None else self.at
        if starts_at is not None and starts_at > LAST_INSTANT:
            raise InvalidOptionError("delay", "delay leads past the year 9999")
        return starts_at if starts_at is not None and starts_at > now else None

    @property
    def said(self) -> dict[str, Any]:
        """Return what was asked for, and nothing that was not: the same words, the same run.

        Traces and marks are left out: a repeat has others.
        """
        fields = {
            "reference_id": self.reference_id,
            "delay": self.delay,
            "at": self.at,
            "tags": dict(self.tags) or None,
            "timeout": self.timeout,
            "retention": self.retention,
            "budget": self.budget,
        }
        return {name: value for name, value in fields.items() if value is not None}


def checked(options: StartOptions) -> Terms:
    """Return the options as terms.

    Raises:
        InvalidRequestError: The idempotency key makes no sense.
        InvalidOptionError: Another one does not, or two contradict one another.
    """
    check_key(options.idempotency_key)
    if options.on_conflict not in ("error", "existing"):
        said = f"on_conflict must be error or existing, not {options.on_conflict[:_SHOWN]!r}"
        raise InvalidOptionError("on_conflict", said)
    if options.delay is not None and options.at is not None:
        raise InvalidOptionError("at", "a run begins after a delay or at a time, not both")
    return Terms(
        reference_id=_checked_reference(options.reference_id),
        delay=_read("delay", lambda value: to_millis(value, "delay"), options.delay),
        at=_read("at", lambda when: instant(when, "at"), options.at),
        tags=checked_tags(options.tags),
        timeout=_read("timeout", run_timeout, options.timeout),
        retention=_read("retention", run_retention, options.retention),
        budget=_read("budget", to_nanos, options.budget),
        correlation_id=_checked_correlation(options.correlation_id),
        trace=read_traceparent(options.traceparent or ""),
    )


def timeout_of(engine: Engine, workflow: Workflow[Any, Any], said: int | None = None) -> int | None:
    """Return how long a run may take: what its start says, its workflow, or the deployment."""
    for timeout in (said, workflow.timeout):
        if timeout is not None:
            return timeout
    return engine.limits.run_timeout


def retention_of(
    engine: Engine, workflow: Workflow[Any, Any], said: int | None = None
) -> int | None:
    """Return how long a run is kept: what its start says, its workflow, or the deployment."""
    for retention in (said, workflow.retention):
        if retention is not None:
            return retention
    return engine.limits.retention


def deadline_of(begins_at: int, timeout: int | None) -> int | None:
    """Return when a run's time is up."""
    return None if timeout is None else min(begins_at + timeout, LAST_INSTANT)


def checked_tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Return the tags if there are not too many, and none is too long.

    Raises:
        InvalidOptionError: Saying which one is wrong, and how.
    """
    if len(tags) > MOST_TAGS:
        _refuse_tag(f"a run has at most {MOST_TAGS} tags, not {len(tags)}")
    for name, value in tags.items():
        if not _short(name, LONGEST_TAG) or ":" in name:
            shown = f"{name[:_SHOWN]!r}"
            said = f"has 1 to {LONGEST_TAG} printable characters without ':', not {shown}"
            _refuse_tag(f"the name of a tag {said}")
        if not _short(value, LONGEST_TAG_VALUE):
            shown = f"{value[:_SHOWN]!r}"
            said = f"has 1 to {LONGEST_TAG_VALUE} printable characters, not {shown}"
            _refuse_tag(f"the value of tag {name} {said}")
    return dict(tags)


def _refuse_tag(said: str) -> NoReturn:
    raise InvalidOptionError("tag", said)


def _read(name: str, read: Callable[[Any], int], value: object) -> int | None:
    if value is None:
        return None
    try:
        return read(value)
    except (TypeError, ValueError) as error:
        raise InvalidOptionError(name, str(error)) from error


def _checked_reference(reference_id: str | None) -> str | None:
    if reference_id is not None and not _short(reference_id, LONGEST_REFERENCE_ID):
        raise InvalidOptionError(
            "reference_id",
            f"a reference id has 1 to {LONGEST_REFERENCE_ID} printable characters, "
            f"not {reference_id[:_SHOWN]!r}",
        )
    return reference_id


def _checked_correlation(correlation_id: str | None) -> str | None:
    if correlation_id is not None and not _short(correlation_id, LONGEST_CORRELATION_ID):
        raise InvalidOptionError(
            "correlation_id",
            f"a correlation id has 1 to {LONGEST_CORRELATION_ID} printable characters, "
            f"not {correlation_id[:_SHOWN]!r}",
        )
    return correlation_id


def check_key(key: str | None) -> None:
    """Refuse an idempotency key that makes no sense.

    Raises:
        InvalidOptionError: It is empty, too long, or not printable.
    """
    if key is not None and not _short(key, LONGEST_IDEMPOTENCY_KEY):
        raise InvalidRequestError(
            f"an idempotency key has 1 to {LONGEST_IDEMPOTENCY_KEY} printable characters, "
            f"not {key[:_SHOWN]!r}"
        )


def check_said(what: str, text: str | None, longest: int) -> None:
    """Refuse a name or a reason that has no business in an audit.

    Raises:
        InvalidRequestError: It is empty, too long, or not printable.
    """
    # A line may end; whatever else does not show may not be there.
    shown = text is None or text.replace("\n", " ").isprintable()
    if not shown or (text is not None and not 0 < len(text) <= longest):
        raise InvalidRequestError(f"{what} must be 1 to {longest} printable characters")


def _short(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isprintable()
