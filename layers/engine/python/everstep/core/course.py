"""The course of a pass, for whoever wants to go on from the middle of it."""

from __future__ import annotations

from weakref import WeakKeyDictionary


class Course:
    """When code asked for what, and by which operation it failed.

    Attributes:
        asked_at: When the code asked for each operation, by key in the order of asking.
        failed_by: The operation whose error ended the workflow; None if it was not one.
        failed_in: The operations whose errors ended branches, by the group of the branch.
    """

    def __init__(self) -> None:
        """Begin before the code's first line."""
        self.asked_at: dict[str, int] = {}
        self.failed_by: str | None = None
        self.failed_in: dict[str, set[str]] = {}
        # Weakly: what an error holds must be let go as if nobody had looked.
        self._given: WeakKeyDictionary[BaseException, str] = WeakKeyDictionary()

    def asked(self, key: str, now: int) -> None:
        """Note that the code asks for an operation."""
        self.asked_at[key] = now

    def given(self, error: BaseException, key: str) -> None:
        """Note that an operation raises an error in the code."""
        self._given[error] = key

    def raised(self, error: BaseException) -> None:
        """Note what ends the workflow: an operation's error, or one that it led to."""
        self.failed_by = self._cause_of(error)

    def raised_in(self, group: str, error: BaseException) -> None:
        """Note the error that ends a branch of a group."""
        cause = self._cause_of(error)
        if cause is not None:
            self.failed_in.setdefault(group, set()).add(cause)

    def _cause_of(self, error: BaseException) -> str | None:
        seen: BaseException | None = error
        for _ in range(_LONGEST_CHAIN):
            if seen is None:
                return None
            if seen in self._given:
                return self._given[seen]
            seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
        return None


# User code may tie errors into a ring.
_LONGEST_CHAIN = 100
