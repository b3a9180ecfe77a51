"""What a check of live runs has found: violations, what was skipped, and a report per run."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final, ParamSpec

from everstep.core.invariants import ViolationError
from everstep.core.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from everstep.core.listing import Listed
    from everstep.core.model import Head, RunStatus

P = ParamSpec("P")

LONGEST_DETAIL: Final = 500
_OF_THE_CODE: Final = frozenset({"history_replays_to_its_outcome", "attempts_within_policy"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One invariant that does not hold for one run."""

    invariant: str
    run_id: str
    detail: str

    @property
    def of_the_code(self) -> bool:
        """Say whether it may tell no more than that today's code is other code than it was."""
        return self.invariant in _OF_THE_CODE


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """One invariant that could not be looked at, and why."""

    invariant: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """What was looked at in one run.

    Attributes:
        run_id: The run.
        workflow: Its workflow; empty if that cannot be read.
        version: Its version; empty if that cannot be read.
        status: Its recorded status; None if that cannot be read.
        checked: Names of the invariants that were looked at.
        violations: Those that do not hold.
        skipped: Those that could not be looked at.
    """

    run_id: str
    workflow: str
    version: str
    status: RunStatus | None
    checked: tuple[str, ...]
    violations: tuple[Violation, ...] = ()
    skipped: tuple[Skipped, ...] = ()


@dataclass(slots=True)
class Look:
    """What was looked at so far, in one run."""

    run_id: str
    checked: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    def at(self, check: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
        """Make one check; several of one name count once."""
        name = getattr(check, "__name__", "")
        try:
            check(*args, **kwargs)
        except ViolationError as error:
            name = error.invariant
            found = Violation(invariant=name, run_id=self.run_id, detail=capped(error.detail))
            if found not in self.violations:
                self.violations.append(found)
        self.passed(name)

    def passed(self, name: str) -> None:
        """Count a check as made."""
        if name not in self.checked:
            self.checked.append(name)

    def skip(self, names: Iterable[str], reason: str) -> None:
        """Count checks as not made, and say why."""
        self.skipped += [Skipped(invariant=name, reason=capped(reason)) for name in names]

    def report(self, run: Head | Listed | None) -> RunReport:
        """Return the whole, with what is known of the run."""
        return RunReport(
            run_id=self.run_id,
            workflow=run.workflow if run else "",
            version=run.version if run else "",
            status=run.status if run else None,
            checked=tuple(self.checked),
            violations=tuple(self.violations),
            skipped=tuple(self.skipped),
        )


def capped(detail: str, longest: int = LONGEST_DETAIL) -> str:
    """Return a detail, cut off if it is long."""
    return detail if len(detail) <= longest else f"{detail[: longest - 1]}…"


def unconfirmed(report: RunReport) -> RunReport:
    """Return a report whose violations say that nobody has seen them twice."""
    once = "; seen once only, as the check broke off"
    return replace(
        report,
        violations=tuple(
            replace(each, detail=capped(each.detail, LONGEST_DETAIL - len(once)) + once)
            for each in report.violations
        ),
    )


def confirmed(first: RunReport, second: RunReport, *, moved: bool) -> RunReport:
    """Return the second report without what only one of the two has seen.

    Of a run that has not moved a violation may tell another detail each time, such as code that
    asks for something else in every pass.
    """
    names = {each.invariant for each in first.violations}
    told = {(each.invariant, each.detail) for each in first.violations}
    lasting = tuple(
        each
        for each in second.violations
        if ((each.invariant, each.detail) in told if moved else each.invariant in names)
    )
    return replace(second, violations=lasting)
