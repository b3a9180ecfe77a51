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
    """How one invariant fared: runs checked, violations, notes, and runs skipped by reason."""

    checked: int = 0
    violations: int = 0
    notes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True, kw_only=True)
class Health:
    """Reports added up; violations and notes are kept, in the order they were found.

    Attributes:
        strict: Whether to be content only where everything was checked and nothing is to be
            noted; then there are no notes, but violations.
        complete: Whether the check came to its end.
        faults: Configured modules of workflows that cannot be imported, and why.
    """

    strict: bool = False
    complete: bool = True
    faults: dict[str, str] = field(default_factory=dict)
    runs: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    notes: list[Violation] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Say whether something is wrong, or was not looked at that had to be."""
        left_out = self.strict and self._skips() > 0
        return bool(self.violations or self.faults or left_out or not self.complete)

    def add(self, report: RunReport) -> None:
        """Count one run's report."""
        self.runs += 1
        for name in report.checked:
            self._tally(name).checked += 1
        for skipped in report.skipped:
            self._tally(skipped.invariant).skipped[skipped.reason] += 1
        for violation in report.violations:
            if violation.of_the_code and not self.strict:
                self._tally(violation.invariant).notes += 1
                self.notes.append(violation)
            else:
                self._tally(violation.invariant).violations += 1
                self.violations.append(violation)

    def _skips(self) -> int:
        return sum(tally.skipped.total() for tally in self.tallies.values())

    def _tally(self, invariant: str) -> Tally:
        return self.tallies.setdefault(invariant, Tally())

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Yield one line per invariant, by name, with what the tally says."""
        for name, tally in sorted(self.tallies.items()):
            numbers = (tally.checked, tally.violations, tally.notes, tally.skipped.total())
            yield name, *map(str, numbers)

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
        checked = f"{_many(self.runs, 'run')} checked"
        if not self.complete:
            checked += ", then the check broke off"
        return f"{checked}: {', '.join((self._verdict(), *self._remarks()))}"

    def _verdict(self) -> str:
        if self.violations:
            broken = len({each.run_id for each in self.violations})
            return f"{_many(len(self.violations), 'violation')} in {_many(broken, 'run')}"
        if self.notes or self._skips() or not self.complete:
            return "no violation"
        return "every invariant holds"

    def _remarks(self) -> Iterable[str]:
        if self.notes:
            yield _many(len(self.notes), "note")
        if skips := self._skips():
            yield f"{_many(skips, 'check')} skipped"

    def as_object(self) -> dict[str, Any]:
        """Return the whole as what JSON can express."""
        return {
            "runs": self.runs,
            "complete": self.complete,
            "faults": [
                {"module": module, "reason": reason} for module, reason in self.faults.items()
            ],
            "invariants": [
                {
                    "name": name,
                    "checked": tally.checked,
                    "violations": tally.violations,
                    "notes": tally.notes,
                    "skipped": [
                        {"reason": reason, "runs": runs}
                        for reason, runs in tally.skipped.most_common()
                    ],
                }
                for name, tally in sorted(self.tallies.items())
            ],
            "violations": [_told(each) for each in self.violations],
            "notes": [_told(each) for each in self.notes],
        }


def _told(each: Violation) -> dict[str, str]:
    return {"run_id": each.run_id, "invariant": each.invariant, "detail": each.detail}


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
