"""Durations and instants as whole milliseconds."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Final

SECOND: Final = 1000
MINUTE: Final = 60 * SECOND
DAY: Final = 24 * 60 * MINUTE
# By then no function can be at work on a run any more that has ended.
SHORTEST_RETENTION: Final = 60 * MINUTE
# So long what was read of a head may be gone by before it is read again: a pause, a cancellation
# or an end takes effect so much later at most.
FRESH: Final = SECOND
# So long a record that was read need not be read again before its step begins: as a step may take.
# A duplicate that was carried out elsewhere meanwhile is carried out twice.
GLANCED: Final = 200
# SQS delays a message by at most 900 s; a longer timer lives in the due index.
LONGEST_DELAY: Final = 900 * SECOND
# 31 December 9999, the last instant that `datetime` can express.
LAST_INSTANT: Final = 253_402_300_799_999

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_millis(duration: float | timedelta, what: str) -> int:
    """Return a duration in milliseconds, rounded up so that a timer never ends early.

    Args:
        duration: Seconds, or a ``timedelta``.
        what: The argument's name, for the error.

    Raises:
        ValueError: Negative, not finite, or past the year 9999.
        TypeError: Neither a number nor a ``timedelta``.
    """
    if isinstance(duration, timedelta):
        seconds = duration.total_seconds()
    elif isinstance(duration, bool) or not isinstance(duration, int | float):
        message = f"{what} must be seconds or a timedelta, not {type(duration).__name__}"
        raise TypeError(message)
    else:
        seconds = duration
    # Compared, not converted: a whole number may be too large for a float. Nan is refused too.
    if not 0 <= seconds <= LAST_INSTANT / SECOND:
        message = f"{what} must be between 0 and about 8,000 years, not {duration!r}"
        raise ValueError(message)
    return math.ceil(round(seconds * SECOND, 3))


def run_timeout(duration: float | timedelta) -> int:
    """Return how long a run may take in milliseconds.

    Raises:
        ValueError: Not a length of time, or none at all.
        TypeError: Neither a number nor a ``timedelta``.
    """
    millis = to_millis(duration, "timeout")
    if millis == 0:
        message = "timeout must be more than 0"
        raise ValueError(message)
    return millis


def run_retention(duration: float | timedelta) -> int:
    """Return how long a run is kept after its end in milliseconds.

    Raises:
        ValueError: Not a length of time, or less than an hour.
        TypeError: Neither a number nor a ``timedelta``.
    """
    millis = to_millis(duration, "retention")
    if millis < SHORTEST_RETENTION:
        message = f"retention must be at least an hour, not {duration!r}"
        raise ValueError(message)
    return millis


def is_far(instant: int, now: int) -> bool:
    """Say whether an instant is further away than the queue can hold a message back."""
    return instant - now > LONGEST_DELAY


def instant(when: datetime, what: str) -> int:
    """Return an aware datetime as milliseconds since 1970, rounded up.

    Raises:
        TypeError: Not a datetime.
        ValueError: A naive datetime, which could mean any time zone.
    """
    if not isinstance(when, datetime):
        message = f"{what} must be a datetime, not {type(when).__name__}"
        raise TypeError(message)
    if when.tzinfo is None or when.utcoffset() is None:
        message = f"{what} must be timezone-aware, for example datetime.now(UTC); got {when!r}"
        raise ValueError(message)
    return -((EPOCH - when) // timedelta(milliseconds=1))


def to_datetime(millis: int) -> datetime:
    """Return milliseconds since 1970 as an aware UTC datetime."""
    return EPOCH + timedelta(milliseconds=millis)


def to_iso(millis: int) -> str:
    """Return milliseconds since 1970 as ISO 8601 in UTC with milliseconds."""
    return to_datetime(millis).isoformat(timespec="milliseconds").replace("+00:00", "Z")
