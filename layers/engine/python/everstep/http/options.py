"""What a trigger is asked beside the input: query parameters or headers as options of a start."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

from everstep.app.options import StartOptions
from everstep.core.errors import InvalidOptionError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.app.options import OnConflict
    from everstep.http.requests import Request

TAG: Final = "tag"
OPTIONS: Final = frozenset(
    {"version", "reference_id", "on_conflict", "delay", "at", TAG, "timeout", "retention"}
)
_SHOWN: Final = 40


def start_options(request: Request) -> StartOptions:
    """Return the options of a request; what they say is checked by the start itself.

    Raises:
        InvalidOptionError: One cannot be read.
        InvalidRequestError: A header contradicts its query parameter.
    """
    return StartOptions(
        version=request.either("version"),
        idempotency_key=request.headers.get("idempotency-key"),
        reference_id=request.either("reference_id"),
        # Whatever it says: the start refuses what it does not know.
        on_conflict=cast("OnConflict", request.either("on_conflict") or "error"),
        delay=_seconds(request, "delay"),
        at=_instant(request),
        tags=read_tags(request.all(TAG)),
        timeout=_seconds(request, "timeout"),
        retention=_seconds(request, "retention"),
        correlation_id=request.headers.get("x-correlation-id"),
        traceparent=request.headers.get("traceparent"),
    )


def read_tags(texts: Iterable[str]) -> dict[str, str]:
    """Return the tags of texts such as ``customer:4711``.

    Raises:
        InvalidOptionError: A text is no tag, or a name comes twice.
    """
    tags: dict[str, str] = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not colon:
            raise InvalidOptionError(TAG, f"tag must be name:value, not {text[:_SHOWN]!r}")
        if tags.setdefault(name, value) != value:
            raise InvalidOptionError(TAG, f"tag {name[:_SHOWN]!r} was given two values")
    return tags


def _seconds(request: Request, name: str) -> float | None:
    text = request.either(name)
    if text is None:
        return None
    try:
        return float(text)
    except ValueError as error:
        said = f"{name} must be a number of seconds, not {text[:_SHOWN]!r}"
        raise InvalidOptionError(name, said) from error


def _instant(request: Request) -> datetime | None:
    text = request.either("at")
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        example = "2026-01-31T12:00:00Z"
        said = f"at must be a time with its zone such as {example}, not {text[:_SHOWN]!r}"
        raise InvalidOptionError("at", said) from error
