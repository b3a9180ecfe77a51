"""What ``everstep doctor`` found, added up over runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.app.verify import RunReport, Violation


@dataclass(slots=True, kw_only=True)
class Tally:
    """How one invariant fared: runs checked, violations, and runs skipped by reason."""

    checked: int = 0
    violations: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Health:
    """Reports added up; the violations are kept, in the order they were found."""

    runs: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    def add(self, report: RunReport) -> None:
        """Count one run's report."""
        self.runs += 1
        for name in report.checked:
            self._tally(name).checked += 1
        for skipped in report.skipped:
            self._tally(skipped.invariant).skipped[skipped.reason] += 1
        for violation in report.violations:
            self._tally(violation.invariant).violations += 1
            self.violations.append(violation)

    def _tally(self, invariant: str) -> Tally:
        return self.tallies.setdefault(invariant, Tally())

    def rows(self) -> Iterable[tuple[str, str, str, str]]:
        """Yield one line per invariant, by name: name, runs checked, violations, runs skipped."""
        for name, tally in sorted(self.tallies.items()):
            yield name, str(tally.checked), str(tally.violations), str(tally.skipped.total())

    def skipped(self) -> Iterable[tuple[str, str]]:
        """Yield why something could not be looked at, and what: one reason often has several."""
        invariants: dict[str, list[str]] = {}
        for name, tally in sorted(self.tallies.items()):
            for reason, runs in tally.skipped.items():
                invariants.setdefault(reason, []).append(f"{name} in {_many(runs, 'run')}")
        for reason, what in invariants.items():
            yield reason, ", ".join(what)

    def summary(self) -> str:
        """Return the whole in one line."""
        if not self.runs:
            return "no runs to check"
        checked = f"{_many(self.runs, 'run')} checked: "
        if not self.violations:
            skipped = sum(tally.skipped.total() for tally in self.tallies.values())
            if skipped:
                return f"{checked}no violation, but {_many(skipped, 'check')} skipped"
            return f"{checked}every invariant holds"
        broken = len({each.run_id for each in self.violations})
        return f"{checked}{_many(len(self.violations), 'violation')} in {_many(broken, 'run')}"

    def as_object(self) -> dict[str, Any]:
        """Return the whole as what JSON can express."""
        return {
            "runs": self.runs,
            "invariants": [
                {
                    "name": name,
                    "checked": tally.checked,
                    "violations": tally.violations,
                    "skipped": [
                        {"reason": reason, "runs": runs}
                        for reason, runs in tally.skipped.most_common()
                    ],
                }
                for name, tally in sorted(self.tallies.items())
            ],
            "violations": [
                {"run_id": each.run_id, "invariant": each.invariant, "detail": each.detail}
                for each in self.violations
            ],
        }


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
