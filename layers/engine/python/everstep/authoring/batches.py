"""What a group of branches has come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from everstep.core.errors import BatchFailedError
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from everstep.core.completion import Reason
    from everstep.core.operations import BranchEnd

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Generic[R]):
    """The results and errors of branches that ran side by side.

    Attributes:
        results: What succeeded: in the order of the items, or by the name of the branch.
        errors: What failed: by the index of the item, or by the name of the branch.
        total: How many branches were begun.
        reason: Why it ended: ``ALL_COMPLETED``, ``MIN_SUCCESSFUL_REACHED`` or
            ``FAILURE_TOLERANCE_EXCEEDED``.
    """

    results: R
    errors: Mapping[Any, BaseException]
    total: int
    reason: Reason
    succeeded: int

    @property
    def failed(self) -> int:
        """Return how many branches have failed."""
        return len(self.errors)

    def raise_for_failure(self) -> None:
        """Raise if any branch has failed.

        Raises:
            BatchFailedError: With the first error as its cause.
        """
        if self.errors:
            name, error = next(iter(self.errors.items()))
            raise BatchFailedError(self.failed, self.total, name, error) from error

    @classmethod
    def of(
        cls,
        names: Sequence[Any],
        reason: Reason,
        total: int,
        ends: Sequence[BranchEnd],
        *,
        listed: bool,
    ) -> Self:
        """Return the batch of branches that have ended."""
        ordered = sorted(ends, key=lambda end: end.index)
        results = {names[end.index]: end.value for end in ordered if end.error is None}
        errors = {names[end.index]: end.error for end in ordered if end.error is not None}
        shown: Any = list(results.values()) if listed else results
        return cls(results=shown, errors=errors, total=total, reason=reason, succeeded=len(results))
