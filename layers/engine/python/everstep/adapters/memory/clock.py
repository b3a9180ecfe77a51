"""A clock that stands still until it is told to move."""

from __future__ import annotations


class VirtualClock:
    """Tell the time that somebody set."""

    def __init__(self, start: int = 0) -> None:
        """Start at an instant.

        Args:
            start: Milliseconds since 1970 in UTC.
        """
        self._now = start

    def now(self) -> int:
        """Return milliseconds since 1970 in UTC."""
        return self._now

    def ticks(self) -> int:
        """Return the time in microseconds."""
        return self._now * 1000

    def set(self, instant: int) -> None:
        """Go to an instant, also back: clocks do that."""
        self._now = instant

    def advance(self, millis: int) -> None:
        """Go on by some milliseconds."""
        self._now += millis
