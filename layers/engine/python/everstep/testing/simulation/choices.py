"""Everything that may differ between two schedules, as numbered choices.

Zero is what happens when nothing goes wrong and nobody overtakes anybody. So a schedule is the
list of its choices that are not zero: it can be drawn, written down, played again, and cut down
by leaving entries out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

# What the choice is about, and the how-manieth of its kind it is.
Choice = tuple[str, int]
Schedule = dict[Choice, int]


class Choices(Protocol):
    """Makes choices."""

    def pick(self, about: str, options: int, odds: float | None = None) -> int:
        """Return a number below ``options``.

        Args:
            about: What is chosen; choices are counted by this.
            options: How many there are, at least one.
            odds: How likely it is not zero; if not given, every option is as likely.
        """


class Drawn:
    """Choices by chance.

    Attributes:
        schedule: The choices so far that were not zero.
    """

    def __init__(self, rng: Random) -> None:
        """Draw from this source."""
        self.schedule: Schedule = {}
        self._rng = rng
        self._counts: Counter[str] = Counter()

    def pick(self, about: str, options: int, odds: float | None = None) -> int:
        """Return a number below ``options``, and remember it."""
        self._counts[about] += 1
        chosen = self._draw(options, odds)
        if chosen:
            self.schedule[about, self._counts[about]] = chosen
        return chosen

    def _draw(self, options: int, odds: float | None) -> int:
        if options == 1:
            return 0
        if odds is None:
            return self._rng.randrange(options)
        return self._rng.randrange(1, options) if self._rng.random() < odds else 0


class Kept:
    """Choices that were made before; zero where nothing is known or possible any more."""

    def __init__(self, schedule: Mapping[Choice, int] | None = None) -> None:
        """Make these choices; none means that everything is as usual."""
        self._schedule = schedule or {}
        self._counts: Counter[str] = Counter()

    def pick(self, about: str, options: int, odds: float | None = None) -> int:
        """Return what the schedule says."""
        del odds
        self._counts[about] += 1
        chosen = self._schedule.get((about, self._counts[about]), 0)
        return chosen if chosen < options else 0
