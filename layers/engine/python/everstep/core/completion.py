"""When branches that run side by side have done enough: pure judgement over what has ended."""

from __future__ import annotations

from enum import StrEnum

from everstep.core.records import dataclass


class Reason(StrEnum):
    """Why a group of branches was closed."""

    ALL_COMPLETED = "ALL_COMPLETED"
    MIN_SUCCESSFUL_REACHED = "MIN_SUCCESSFUL_REACHED"
    FAILURE_TOLERANCE_EXCEEDED = "FAILURE_TOLERANCE_EXCEEDED"
    FIRST_COMPLETED = "FIRST_COMPLETED"
    INTERRUPTED = "INTERRUPTED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a group of branches waits for.

    Attributes:
        first: So many ended branches are enough, however they ended; None for no such number.
        min_successful: So many successes are enough; None for all.
        tolerated_failures: More failures than this are too many; None for any number.
        tolerated_ratio: More failures than this part of all branches are too many; None for any.
    """

    first: int | None = None
    min_successful: int | None = None
    tolerated_failures: int | None = None
    tolerated_ratio: float | None = None

    @property
    def is_enough_before_all(self) -> bool:
        """Say whether some branches may be enough, if nothing fails."""
        return self.first is not None or self.min_successful is not None

    def judge(self, total: int, ended: int, failures: int) -> Reason | None:
        """Return why the group can be closed; None if it cannot.

        Args:
            total: How many branches there are.
            ended: How many have ended.
            failures: How many of those have failed.
        """
        if self.first is not None and ended >= self.first:
            return Reason.FIRST_COMPLETED
        if self._too_many(failures, total):
            return Reason.FAILURE_TOLERANCE_EXCEEDED
        enough = self.min_successful
        if enough is not None and ended - failures >= enough:
            return Reason.MIN_SUCCESSFUL_REACHED
        return Reason.ALL_COMPLETED if ended == total else None

    def _too_many(self, failures: int, total: int) -> bool:
        by_number = self.tolerated_failures is not None and failures > self.tolerated_failures
        by_ratio = self.tolerated_ratio is not None and failures > self.tolerated_ratio * total
        return by_number or by_ratio


ALL_OR_FIRST_FAILURE = Completion(tolerated_failures=0)
"""As ``asyncio.gather``: everything, or the first error."""

FIRST = Completion(first=1)
"""Whatever ends first."""
