"""Ages, dates and times with a zone are understood; everything else is told what is."""

from __future__ import annotations

import pytest

from everstep.cli.exits import CommandError, ExitCode
from everstep.cli.times import since
from everstep.core.durations import to_iso
from tests.unit.cli.typed import NOW


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("90s", "2025-12-31T23:58:30.000Z"),
        ("30m", "2025-12-31T23:30:00.000Z"),
        ("12h", "2025-12-31T12:00:00.000Z"),
        ("7d", "2025-12-25T00:00:00.000Z"),
        ("2w", "2025-12-18T00:00:00.000Z"),
        ("2025-12-30", "2025-12-30T00:00:00.000Z"),
        ("2025-12-30T08:00Z", "2025-12-30T08:00:00.000Z"),
        ("2025-12-30T08:00:01+02:00", "2025-12-30T06:00:01.000Z"),
    ],
)
def test_a_time_is_an_age_a_date_or_a_time_with_its_zone(text: str, means: str) -> None:
    assert to_iso(since(text, NOW)) == means


@pytest.mark.parametrize(
    "text", ["", "yesterday", "7", "7y", "-1d", "2025-12-30T08:00", "1969-01-01"]
)
def test_anything_else_is_told_what_is_understood(text: str) -> None:
    with pytest.raises(CommandError, match="an age such as 30m") as error:
        since(text, NOW)
    assert error.value.exit_code is ExitCode.USAGE


def test_an_age_from_before_1970_is_refused() -> None:
    with pytest.raises(CommandError, match="--since 999999w is before 1970"):
        since("999999w", NOW)
