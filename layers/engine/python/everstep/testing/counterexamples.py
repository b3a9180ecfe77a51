"""A schedule that changes what comes out of a workflow, told so that one can mend it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from everstep.core.invariants import ViolationError
from everstep.testing.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.testing.schedules import Played

_WIDTH: Final = 96
_OURS: Final = (
    "This is a fault of Everstep and not of the workflow: please report it with this text."
)
_RESTLESS: Final = (
    "The run goes on without end. Look for a loop that nothing ends, or let the script end it."
)
_FIRST: Final = "Let the run end as it should without faults first."
_SCRIPT: Final = (
    "Under a fault the run takes longer, so a script cannot rely on how far it is. Let the script "
    "only act, and put what must hold at the end into check=."
)
_REPEATED: Final = (
    "{steps}: a step whose process dies before its result is recorded is executed again. Hand "
    "step_context().idempotency_key to whatever it calls, or make its effect harmless to repeat."
)
_UNKNOWN: Final = (
    "{steps}: an attempt began and left no result, and nobody may make it again. Give the step a "
    "probe=, let the workflow catch StepInterrupted, and say with outcome= what has to stay the "
    "same."
)
_CODE: Final = (
    "The workflow's code did something else when it was replayed. Take time, chance and ids from "
    "ctx, and keep everything else in steps; `everstep check` finds most such places."
)
_OUTSIDE: Final = (
    "No step was executed more often than usual, so the outcome depends on when things happen, or "
    "on something outside. Reset what is outside in setup=; if the workflow returns a time or lets "
    "things race, say with outcome= what has to stay the same."
)


@dataclass(slots=True, kw_only=True)
class Counterexample:
    """One schedule after which something is not as usual.

    Attributes:
        faults: What went wrong, in words, in order.
        operation: Key of the operation where it did; None for the run itself.
        usual: How the run ends when nothing goes wrong.
        played: How it ends here.
        differences: Where the two differ: the place, how it is usually, how it is here.
        error: What a check, the script or an invariant had to say.
        advice: What to change.
        again: The argument that plays just this schedule.
        others: How many more schedules show the same.
    """

    faults: tuple[str, ...]
    operation: str | None
    usual: str
    played: str
    differences: tuple[tuple[str, str, str], ...]
    error: str | None
    advice: str
    again: str
    others: int = 0

    def same_as(self, other: Counterexample) -> bool:
        """Say whether another one shows the same, so that it has the same cause."""
        return (self.operation, self.differences, self.error) == (
            other.operation,
            other.differences,
            other.error,
        )

    def __str__(self) -> str:
        lines = [f"when {fault}" for fault in self.faults] or ["when things happen in this order"]
        for place, usual, here in self.differences:
            lines += [f"  {place}", f"    as usual: {usual}", f"    here:     {here}"]
        if self.error is not None:
            lines += textwrap.indent(self.error, "  ").splitlines()
        lines += textwrap.wrap(
            f"What to do: {self.advice}", _WIDTH, initial_indent="  ", subsequent_indent="    "
        )
        lines.append(f"  Play it again: crash_matrix(…, {self.again})")
        if self.others:
            more = "schedule shows" if self.others == 1 else "schedules show"
            lines.append(f"  {self.others} more {more} the same.")
        return "\n".join(lines)


class CrashMatrixError(AssertionError):
    """Some schedules do not end as usual.

    Attributes:
        counterexamples: Up to five of them.
    """

    def __init__(self, name: str, counterexamples: Sequence[Counterexample], played: int) -> None:
        """Tell every counterexample."""
        self.counterexamples = tuple(counterexamples)
        failed = sum(1 + each.others for each in counterexamples)
        shown = "\n\n".join(f"{number}. {each}" for number, each in enumerate(counterexamples, 1))
        super().__init__(f"{name}: {failed} of {played} schedules do not end as usual\n\n{shown}")


def counterexample(usual: Played, here: Played, again: str) -> Counterexample | None:
    """Return what is wrong with a schedule, compared with the usual one; None if nothing is."""
    if here.error is None and here.compared == usual.compared:
        return None
    operations = [incident.operation for incident in here.incidents if incident.operation]
    return Counterexample(
        faults=tuple(str(incident) for incident in here.incidents),
        operation=operations[0] if operations else None,
        usual=usual.outcome.brief(),
        played=here.outcome.brief(),
        differences=tuple(_differences(usual, here)),
        error=None if here.error is None else _told(here.error),
        advice=_advice(usual, here),
        again=again,
    )


def wrong_as_usual(usual: Played) -> Counterexample:
    """Return what is wrong with a workflow although nothing goes wrong around it."""
    return Counterexample(
        faults=("nothing at all goes wrong",),
        operation=None,
        usual=usual.outcome.brief(),
        played=usual.outcome.brief(),
        differences=(),
        error=usual.outcome.error if usual.error is None else _told(usual.error),
        advice=_FIRST if usual.error is None else _advice(usual, usual),
        again="only=[]",
    )


def _differences(usual: Played, here: Played) -> list[tuple[str, str, str]]:
    if here.error is not None or isinstance(usual.compared, Outcome):
        return list(usual.outcome.differences(here.outcome))
    return [("outcome", repr(usual.compared), repr(here.compared))]


def _told(error: BaseException) -> str:
    notes = "\n".join(getattr(error, "__notes__", ())) if isinstance(error, ViolationError) else ""
    return f"{type(error).__name__}: {error}\n{notes}".rstrip()


def _advice(usual: Played, here: Played) -> str:
    violated = here.error.invariant if isinstance(here.error, ViolationError) else ""
    if violated.startswith("history_replays") or _drifts(here.outcome):
        return _CODE
    if violated:
        return _RESTLESS if violated == "comes_to_rest" else _OURS
    unknown = [
        key
        for key, end in here.outcome.operations.items()
        if end.startswith("FAILED with StepInterrupted")
        and usual.outcome.operations.get(key) != end
    ]
    if unknown:
        return _UNKNOWN.format(steps=", ".join(unknown))
    more = {
        step: times
        for step, times in here.executions.items()
        if times > usual.executions.get(step, 0)
    }
    if more:
        told = (f"{step} was executed {_times(times)}" for step, times in more.items())
        return _REPEATED.format(steps=", ".join(told))
    return _SCRIPT if here.error is not None and here.scripted else _OUTSIDE


def _drifts(outcome: Outcome) -> bool:
    return outcome.error is not None and outcome.error.startswith("NonDeterminismError")


def _times(count: int) -> str:
    return "once" if count == 1 else "twice" if count == 2 else f"{count} times"  # noqa: PLR2004 - two is twice
