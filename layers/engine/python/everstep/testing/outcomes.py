"""What a run has come to, in the parts that must not depend on what went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.testing.handles import HistoryEntry, TestRun

_NEVER = "not asked for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended, apart from times.

    Attributes:
        status: Its status.
        result: What the workflow returned, if it did.
        error: Type and message of its error, if it has one.
        operations: By key, how each operation ended: status, result, error.
    """

    status: str
    result: Any
    error: str | None
    operations: dict[str, str]

    def differences(self, other: Outcome) -> Iterator[tuple[str, str, str]]:
        """Yield what differs: the place, how it is here, how it is there."""
        for key in [*self.operations, *(set(other.operations) - set(self.operations))]:
            here = self.operations.get(key, _NEVER)
            there = other.operations.get(key, _NEVER)
            if here != there:
                yield f"operation {key}", here, there
        if self.brief() != other.brief():
            yield "the run", self.brief(), other.brief()

    def brief(self) -> str:
        """Return the end of the run in one line."""
        if self.error is not None:
            return f"{self.status}, {self.error}"
        return f"{self.status}, result {self.result!r}"


def outcome_of(run: TestRun[Any]) -> Outcome:
    """Return the outcome of a run."""
    error = run.error
    return Outcome(
        status=run.status.value,
        result=run.result,
        error=None if error is None else f"{error.type}: {error.message}",
        operations={entry.key: _end(entry) for entry in run.history},
    )


def _end(entry: HistoryEntry) -> str:
    if entry.error is not None:
        return f"{entry.status} with {entry.error.type}: {entry.error.message}"
    return f"{entry.status}, result {entry.result!r}" if entry.kind == "step" else entry.status
