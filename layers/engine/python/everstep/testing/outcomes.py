"""What a run has come to, in the parts that must not depend on what went wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.testing.handles import HistoryEntry, TestRun

_NEVER: Final = "not asked for"
# Which attempt it was in the end: two deaths use one up.
_ATTEMPT: Final = re.compile(r"\b(failed after|attempt) \d+( attempts?\b| began and left\b)")
# Where an object lies in memory, which texts of exceptions tell.
_ADDRESS: Final = re.compile(r"\b0x[0-9a-fA-F]{4,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended, apart from times.

    Attributes:
        status: Its status.
        result: What the workflow returned, if it did.
        recorded: The same as it is recorded, which is what is compared.
        error: Type and message of its error, if it has one.
        reason: The same without the number of attempts, which is what is compared.
        operations: By key, how each operation ended: status, result, error.
    """

    status: str
    result: Any = field(compare=False)
    recorded: str | None
    error: str | None = field(compare=False)
    reason: str | None
    operations: dict[str, str]

    def differences(self, other: Outcome) -> Iterator[tuple[str, str, str]]:
        """Yield what differs: the place, how it is here, how it is there."""
        for key in [*self.operations, *sorted(other.operations.keys() - self.operations.keys())]:
            here = self.operations.get(key, _NEVER)
            there = other.operations.get(key, _NEVER)
            if here != there:
                yield f"operation {key}", here, there
        mine, others = self.brief(), other.brief()
        if mine == others and self.recorded != other.recorded:
            mine, others = f"recorded {self.recorded}", f"recorded {other.recorded}"
        if mine != others:
            yield "the run", mine, others

    def brief(self) -> str:
        """Return the end of the run in one line."""
        if self.error is not None:
            return f"{self.status}, {self.error}"
        return f"{self.status}, result {self.result!r}"


def outcome_of(run: TestRun[Any]) -> Outcome:
    """Return the outcome of a run, that of its last successor if it was continued as new.

    What the successors have done stands beside what it has done itself.
    """
    successor = run.successor
    if successor is not None:
        last = outcome_of(successor)
        later = {f"→ {key}": end for key, end in last.operations.items()}
        return replace(last, operations=_operations(run) | later)
    error = run.error
    told = None if error is None else _ADDRESS.sub("0x…", f"{error.type}: {error.message}")
    return Outcome(
        status=run.status.value,
        result=run.result,
        recorded=run.recorded_result,
        error=told,
        reason=None if told is None else _ATTEMPT.sub(r"\1 …", told),
        operations=_operations(run),
    )


def _operations(run: TestRun[Any]) -> dict[str, str]:
    return {entry.key: _end(entry) for entry in run.history}


def _end(entry: HistoryEntry) -> str:
    if entry.error is not None:
        told = f"{entry.status} with {entry.error.type}: {entry.error.message}"
        return _ATTEMPT.sub(r"\1 …", _ADDRESS.sub("0x…", told))
    return f"{entry.status}, result {entry.result!r}" if entry.kind == "step" else entry.status
