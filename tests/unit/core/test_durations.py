"""Durations and instants as milliseconds: rounded up, and refused where they make no sense."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from everstep.core.durations import LAST_INSTANT, instant, to_datetime, to_iso, to_millis
from everstep.core.operations import SleepCall


@pytest.mark.parametrize(
    ("duration", "millis"),
    [
        (0, 0),
        (1, 1000),
        (0.0011, 2),
        (0.1 + 0.2, 300),
        (timedelta(microseconds=1), 1),
        (timedelta(days=365), 31_536_000_000),
        (timedelta(days=-1, hours=25), 3_600_000),
    ],
    ids=str,
)
def test_a_duration_is_rounded_up_to_milliseconds(duration: float | timedelta, millis: int) -> None:
    assert to_millis(duration, "x") == millis


@pytest.mark.parametrize(
    "duration",
    [-1, -0.001, timedelta(seconds=-1), float("nan"), float("inf"), 1e12, 10**400, timedelta.max],
    ids=lambda value: str(value)[:20],
)
def test_a_duration_out_of_range_is_refused(duration: float | timedelta) -> None:
    with pytest.raises(ValueError, match=r"ctx\.sleep must be between 0 and about 8,000 years"):
        to_millis(duration, "ctx.sleep")


@pytest.mark.parametrize("duration", [True, False, None, "1", 1j], ids=str)
def test_what_is_no_duration_is_refused(duration: float) -> None:
    with pytest.raises(TypeError, match=r"ctx\.sleep must be seconds or a timedelta, not"):
        to_millis(duration, "ctx.sleep")


@pytest.mark.parametrize(
    ("when", "millis"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, microsecond=1, tzinfo=UTC), 1),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), -1000),
        (datetime(1970, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), 0),
        (datetime.max.replace(tzinfo=UTC), LAST_INSTANT + 1),
    ],
    ids=str,
)
def test_an_instant_is_rounded_up_to_milliseconds(when: datetime, millis: int) -> None:
    assert instant(when, "x") == millis


def test_a_naive_datetime_is_refused_because_it_could_mean_any_zone() -> None:
    with pytest.raises(ValueError, match=r"when must be timezone-aware, for example"):
        instant(datetime(2026, 1, 1), "when")  # noqa: DTZ001 - that is the point


def test_what_is_no_datetime_is_refused() -> None:
    not_a_datetime: Any = 5

    with pytest.raises(TypeError, match="when must be a datetime, not int"):
        instant(not_a_datetime, "when")


def test_millis_read_back_as_utc() -> None:
    assert to_datetime(1500) == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    assert to_iso(1500) == "1970-01-01T00:00:01.500Z"


@pytest.mark.parametrize(
    ("call", "wake_at"),
    [
        (SleepCall(duration=5), 105),
        (SleepCall(duration=0), 100),
        (SleepCall(until=150), 150),
        (SleepCall(until=99), 100),
        (SleepCall(until=-1000), 100),
        (SleepCall(duration=LAST_INSTANT), LAST_INSTANT),
        (SleepCall(until=LAST_INSTANT + 1), LAST_INSTANT),
    ],
    ids=str,
)
def test_a_sleep_ends_between_now_and_the_last_instant(call: SleepCall, wake_at: int) -> None:
    assert call.wake_at(100) == wake_at
