"""Points in time as people type them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from everstep.cli.exits import usage
from everstep.core.durations import MINUTE, SECOND, instant

_AGE: Final = re.compile(r"(\d{1,6})([smhdw])")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNITS: Final = {
    "s": SECOND,
    "m": MINUTE,
    "h": 60 * MINUTE,
    "d": 24 * 60 * MINUTE,
    "w": 7 * 24 * 60 * MINUTE,
}
_NUMBER: Final = re.compile(r"\d{1,12}(\.\d{1,3})?")
_ALLOWED: Final = (
    "an age such as 30m, 12h, 7d or 2w, a date such as 2026-01-31 (from 00:00 UTC), "
    "or a time with its zone such as 2026-01-31T08:00Z"
)
_MOMENT: Final = (
    "a time with its zone such as 2026-01-31T08:00Z, or a date such as 2026-01-31 (00:00 UTC)"
)
_DURATION: Final = "seconds such as 90, or a duration such as 90s, 5m, 12h, 7d or 2w"


def since(text: str, now: int, option: str = "--since") -> int:
    """Return the time that an option such as ``--since`` means, in milliseconds since 1970.

    Args:
        text: An age, a date, or a time with its zone.
        now: Milliseconds since 1970.
        option: What it was given to.

    Raises:
        CommandError: It is none of these, or lies before 1970.
    """
    millis = (
        now - _age(text) if _AGE.fullmatch(text) else instant(_when(text, option, _ALLOWED), option)
    )
    if millis < 0:
        raise usage(f"{option} {text} is before 1970; give {_ALLOWED}")
    return millis


def moment(text: str, option: str) -> datetime:
    """Return the time that an option such as ``--at`` means: a date, or a time with its zone.

    Raises:
        CommandError: It is neither.
    """
    return _when(text, option, _MOMENT)


def seconds(text: str, option: str) -> float:
    """Return the seconds that a duration such as ``90``, ``90s``, ``5m`` or ``7d`` means.

    Raises:
        CommandError: It is none.
    """
    if _AGE.fullmatch(text):
        return _age(text) / SECOND
    if _NUMBER.fullmatch(text):
        return float(text)
    raise usage(f"{option} must be {_DURATION}, not {text!r}")


def _age(text: str) -> int:
    return int(text[:-1]) * _UNITS[text[-1]]


def _when(text: str, option: str, allowed: str) -> datetime:
    full = f"{text}T00:00Z" if _DAY.fullmatch(text) else text
    try:
        when = datetime.fromisoformat(full)
        instant(when, option)
    except ValueError as error:
        raise usage(f"{option} must be {allowed}, not {text!r}") from error
    return when
