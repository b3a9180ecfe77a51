"""How a run may be started, and how that is said to the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

# Pydantic and the interpreter alike know it in every supported Python.
from typing_extensions import TypedDict

from everstep.core.durations import SECOND, instant, to_iso, to_millis
from everstep.core.spending import NANOS, to_nanos

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from everstep.app.options import OnConflict

_TEXTS: Final = ("version", "reference_id", "on_conflict")
_DURATIONS: Final = ("delay", "timeout", "retention")


class StartOptions(TypedDict, total=False):
    """How to start a run; durations are seconds or ``timedelta``.

    Attributes:
        idempotency_key: The same key starts one run only.
        version: The version to start on.
        reference_id: What the run is about, in the caller's own words.
        on_conflict: What to do if a run with this reference goes on already.
        delay: How long to wait before the run begins.
        at: When the run begins, in place of a delay; aware of its time zone.
        tags: Names and values to find the run by.
        timeout: How long the run may take.
        retention: How long it is kept once it has ended.
        budget: What it may cost, in dollars, in place of what its workflow says.
        correlation_id: A mark on everything that belongs together, for logs.
        traceparent: The trace that it belongs to, as W3C writes it.
    """

    idempotency_key: str | None
    version: str | None
    reference_id: str | None
    on_conflict: OnConflict | None
    delay: float | timedelta | None
    at: datetime | None
    tags: Mapping[str, str] | None
    timeout: float | timedelta | None
    retention: float | timedelta | None
    budget: float | None
    correlation_id: str | None
    traceparent: str | None


def start_query(options: StartOptions) -> list[tuple[str, str]]:
    """Return the options as query parameters.

    Raises:
        TypeError: There is no such option, or it is of another type.
        ValueError: A duration is negative, a time does not say its zone, or a budget is none.
    """
    unknown = sorted(set(options) - set(StartOptions.__annotations__))
    if unknown:
        raise TypeError(f"there is no option {unknown[0]!r}; there are {_names()}")
    return list(_parameters(options))


def start_headers(options: StartOptions, key: str) -> dict[str, str]:
    """Return the options that are headers.

    Args:
        options: The options.
        key: The idempotency key, if they have none.
    """
    said = {
        "Idempotency-Key": options.get("idempotency_key") or key,
        "X-Correlation-Id": options.get("correlation_id"),
        "Traceparent": options.get("traceparent"),
    }
    return {name: value for name, value in said.items() if value is not None}


def _names() -> str:
    return ", ".join(StartOptions.__annotations__)


def _parameters(options: StartOptions) -> Iterator[tuple[str, str]]:
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if name in _TEXTS:
            yield name, str(value)
    for name in _DURATIONS:
        if name in given:
            seconds = to_millis(cast("float | timedelta", given[name]), name) / SECOND
            yield name, f"{seconds:.15g}"
    budget = options.get("budget")
    if budget is not None:
        yield "budget", f"{to_nanos(budget) / NANOS:.15g}"
    at = options.get("at")
    if at is not None:
        yield "at", to_iso(instant(at, "at"))
    for name, value in (options.get("tags") or {}).items():
        yield "tag", f"{name}:{value}"
