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
_ALLOWED: Final = (
    "an age such as 30m, 12h, 7d or 2w, a date such as 2026-01-31 (from 00:00 UTC), "
    "or a time with its zone such as 2026-01-31T08:00Z"
)


def since(text: str, now: int) -> int:
    """Return the time that ``--since`` means, in milliseconds since 1970.

    Args:
        text: An age, a date, or a time with its zone.
        now: Milliseconds since 1970.

    Raises:
        CommandError: It is none of these, or lies before 1970.
    """
    millis = now - _age(text) if _AGE.fullmatch(text) else _instant(text)
    if millis < 0:
        raise usage(f"--since {text} is before 1970; give {_ALLOWED}")
    return millis


def _age(text: str) -> int:
    return int(text[:-1]) * _UNITS[text[-1]]


def _instant(text: str) -> int:
    full = f"{text}T00:00Z" if _DAY.fullmatch(text) else text
    try:
        return instant(datetime.fromisoformat(full), "--since")
    except ValueError as error:
        raise usage(f"--since must be {_ALLOWED}, not {text!r}") from error
