"""What is said of a recorded run beside today's code."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from everstep.core.durations import SECOND
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.core.model import Head, History
    from everstep.core.unreadable import Unreadable


class Verdict(StrEnum):
    """What came of a replay; all but the first keep the run from going on."""

    SAFE = "safe"
    ARGUMENTS_CHANGED = "arguments-changed"
    OPERATION_INSERTED = "operation-inserted"
    OPERATION_RENAMED = "operation-renamed"
    OPERATION_REMOVED = "operation-removed"
    KIND_CHANGED = "kind-changed"
    BRANCHES_CHANGED = "branches-changed"
    RESULT_UNREADABLE = "result-unreadable"
    INPUT_UNREADABLE = "input-unreadable"
    CODE_MISTAKE = "code-mistake"
    PINNED = "pinned"
    RESTLESS = "restless"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What a replay has shown; ``str()`` tells it in a few lines.

    Attributes:
        run_id: The run.
        workflow: Its workflow.
        version: The version that it is pinned to.
        verdict: Whether today's code can go on with it, or what keeps it from that.
        reason: The same in words.
        operation: Key of the operation where code and history part, if there is one.
        mend: What to do about it; empty if all is well.
        notes: What else is worth knowing.
        same_outcome: Whether a run that has ended would end in the same way today; true for a
            run that has not.
    """

    run_id: str
    workflow: str
    version: str
    verdict: Verdict
    reason: str
    operation: str | None = None
    mend: str = ""
    notes: tuple[str, ...] = ()
    same_outcome: bool = True

    @property
    def safe(self) -> bool:
        """Say whether the run can go on with today's code."""
        return self.verdict is Verdict.SAFE

    @property
    def broken(self) -> bool:
        """Say whether the run would stall with today's code, which has its version."""
        return self.verdict not in (Verdict.SAFE, Verdict.PINNED)

    def __str__(self) -> str:
        word = "broken" if self.broken else self.verdict
        where = f" at {self.operation}" if self.operation else ""
        lines = [f"{word}{where}: {self.reason}"]
        lines += [f"What to do: {self.mend}"] if self.mend else []
        lines += [f"Note: {note}" for note in self.notes]
        lines.append(f"(run {self.run_id} of {self.workflow} version {self.version})")
        return "\n".join(lines)


def pinned(history: History, versions: Iterable[str]) -> ReplayReport:
    """Report that a run's version is not there.

    Args:
        history: The run.
        versions: Those of its workflow that are there.
    """
    head = history.head
    there = ", ".join(versions) or "none"
    return report_on(
        head,
        Verdict.PINNED,
        f"the run stays on version {head.version} of {head.workflow}, which is not among the "
        f"workflows (versions there: {there})",
        mend=f"deploy version {head.version} side by side with the others until its last run ends",
    )


def restless(history: History, limit: int) -> ReplayReport:
    """Report that a replay had no end within so many milliseconds."""
    return report_on(
        history.head,
        Verdict.RESTLESS,
        f"today's code did not come to rest within {limit / SECOND:g} s",
        mend="look for a loop that nothing ends, and put work that takes long into a step",
    )


def unreplayable(history: History, error: BaseException) -> ReplayReport:
    """Report that today's code raises what no workflow may raise, such as ``KeyboardInterrupt``."""
    return report_on(
        history.head,
        Verdict.CODE_MISTAKE,
        f"today's code cannot be replayed: it raises {type(error).__name__}",
        mend="mend the code, and check again",
    )


def unreadable(
    run_id: str, workflow: str, version: str, items: Iterable[Unreadable]
) -> ReplayReport:
    """Report that something which is recorded of a run cannot be read."""
    what = "; ".join(f"{item.key or 'the run itself'}: {item.reason}" for item in items)
    return ReplayReport(
        run_id=run_id,
        workflow=workflow,
        version=version,
        verdict=Verdict.UNREADABLE,
        reason=f"what is recorded of the run cannot be read: {what}",
        mend="look at the run with everstep doctor --check",
    )


def report_on(head: Head, verdict: Verdict, reason: str, **more: Any) -> ReplayReport:  # noqa: ANN401 - fields of the report
    """Return a report on a run."""
    return ReplayReport(
        run_id=head.run_id,
        workflow=head.workflow,
        version=head.version,
        verdict=verdict,
        reason=reason,
        **more,
    )
