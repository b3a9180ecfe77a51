"""``crash_matrix``: a workflow under every fault, none of which may change what comes out.

The workflow is run once as usual. Then it is run again for each port call of that run and each
thing that can go wrong there: the process dies before or after the call, the answer gets lost,
the service refuses, a second process does the same work at once, the process stands still and
wakes up too late, a message arrives twice, late, early, or once more when all is over. Every
time the run must come to the same outcome, and every invariant of the engine must hold.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from inspect import iscoroutinefunction
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeVar

from everstep.app.engine import Limits
from everstep.core.invariants import ViolationError
from everstep.testing.counterexamples import (
    Counterexample,
    CrashMatrixError,
    counterexample,
    wrong_as_usual,
)
from everstep.testing.outcomes import Outcome, outcome_of
from everstep.testing.schedules import Case, Played
from everstep.testing.simulation.choices import Drawn, Kept
from everstep.testing.simulation.faults import Chance, FaultKind, Planned
from everstep.testing.simulation.minimise import minimise
from everstep.testing.simulation.policies import AnyOrder
from everstep.testing.simulation.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from everstep.authoring.workflows import Workflow
    from everstep.testing.engine import TestEngine
    from everstep.testing.handles import TestRun
    from everstep.testing.simulation.choices import Choices, Schedule

In = TypeVar("In")
Out = TypeVar("Out")

_ENOUGH: Final = 5
# Between these calls only user code runs, and the process that dies in it dies after it.
_THE_SAME: Final = {("attempt", FaultKind.CRASH_AFTER), ("effect", FaultKind.CRASH_BEFORE)}
# A run that takes more would make a matrix of hours.
_ACTIONS: Final = 2_000
# Turns that a call can take when everybody takes turns, and things have to be done again.
_PER_CALL: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashReport:
    """What a crash matrix has seen; ``str()`` gives it in a few lines.

    Attributes:
        outcome: What the run comes to, whatever goes wrong.
        schedules: How many schedules were played, by what went wrong in them.
        executions: By step, how often it was executed at most in one schedule.
        usual_executions: The same when nothing goes wrong.
    """

    outcome: Outcome
    schedules: Mapping[str, int]
    executions: Mapping[str, int]
    usual_executions: Mapping[str, int]

    @property
    def played(self) -> int:
        """Return how many schedules were played."""
        return sum(self.schedules.values())

    @property
    def repeated(self) -> list[str]:
        """Return the steps that some fault lets run more often than usual."""
        usual = self.usual_executions
        return [step for step, times in self.executions.items() if times > usual.get(step, 0)]

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.schedules.items())
        lines = [
            f"one outcome in {self.played} schedules: {self.outcome.brief()}",
            f"played: {kinds}",
        ]
        lines += [
            f"step {step}: executed {self.executions[step]} times at most, "
            f"{self.usual_executions.get(step, 0)} as usual"
            for step in self.repeated
        ]
        return "\n".join(lines)


def crash_matrix(  # noqa: PLR0913 - options by name, each with a use of its own
    workflow: Workflow[In, Out],
    input: In | None = None,  # noqa: A002 - the name in workflows
    *,
    script: Callable[[TestEngine, TestRun[Out]], object] | None = None,
    workflows: Iterable[Workflow[Any, Any]] = (),
    prepare: Callable[[TestEngine], object] | None = None,
    setup: Callable[[], object] | None = None,
    check: Callable[[TestRun[Out]], object] | None = None,
    outcome: Callable[[TestRun[Out]], object] | None = None,
    pairs: bool = False,
    seeds: int | Iterable[int] = (),
    limits: Limits | None = None,
    only: Iterable[Mapping[int, str]] | None = None,
) -> CrashReport:
    """Run a workflow under every single fault; report its one outcome, or what changed it.

    Args:
        workflow: The workflow.
        input: Its input.
        script: Does what the outside does while the run goes on (``engine.advance`` and so on).
            It must not rely on how far the run is: under a fault that takes longer. When it
            returns, time passes until every run has ended or stands still.
        workflows: What else is deployed.
        prepare: Called with the engine of each schedule before anything happens in it, to mock
            steps or to let them fail.
        setup: Called before each schedule, to reset what steps leave outside.
        check: Called after each schedule; raises ``AssertionError`` if something outside is not
            as it should be, such as a customer charged twice.
        outcome: What must be the same in all schedules, if not status, result, error and the
            end of every operation.
        pairs: Play every two faults as well, which takes up to hundreds of times longer.
        seeds: How many schedules to draw in addition (or the seeds to draw them from), with
            several processes and several faults at the same time.
        limits: Payload limits and the sweeper's patience, where the defaults do not fit.
        only: Play just these plans, as counterexamples name them.

    Raises:
        CrashMatrixError: An outcome differs, a check fails or an invariant does not hold; the
            message says what went wrong where, both outcomes, and what to change.
        RequestError: The workflow cannot be started with this input.
        ValueError: A plan in ``only`` names a call that is not reached, or what cannot happen
            there: it was made for other code.
        TypeError: ``setup``, ``check`` or ``outcome`` is an ``async def``.
    """
    for name, given in (("setup", setup), ("check", check), ("outcome", outcome)):
        if iscoroutinefunction(given):
            raise TypeError(f"{name} must be a plain function: nobody awaits an async def")
    case = Case(
        workflows=(workflow, *workflows),
        input=input,
        script=script,
        prepare=prepare,
        setup=setup,
        check=check,
        outcome=outcome or outcome_of,
    )
    matrix = _Matrix(case, limits or Limits())
    if only is not None:
        matrix.plans(
            ({number: FaultKind(kind) for number, kind in plan.items()} for plan in only),
            named=True,
        )
    else:
        matrix.plans(matrix.singles())
        matrix.plans(matrix.pairs() if pairs else ())
    matrix.seeds(range(seeds) if isinstance(seeds, int) else seeds)
    return matrix.report()


class _Matrix:
    """The schedules of one crash matrix, compared with the usual one."""

    def __init__(self, case: Case, limits: Limits) -> None:
        self.case = case
        self.limits = limits
        self.schedules: Counter[str] = Counter()
        self.executions: Counter[str] = Counter()
        self.counterexamples: list[Counterexample] = []
        self.actions = _ACTIONS
        self.usual = self._as_usual()
        self.actions = max(_ACTIONS, _PER_CALL * len(self.usual.calls))

    def _as_usual(self) -> Played:
        usual = self.case.play(self._settings())
        wrong = isinstance(usual.error, ViolationError) or usual.outcome.status == "STALLED"
        if wrong:
            self.counterexamples.append(wrong_as_usual(usual))
            self.schedules["usual"] += 1
            self.report()
        if usual.error is not None:
            raise usual.error
        return usual

    def _settings(self) -> Settings:
        return Settings(
            limits=self.limits,
            reuses_ids=True,
            threads=self.case.script is not None,
            actions=self.actions,
        )

    def report(self) -> CrashReport:
        """Return what was seen.

        Raises:
            CrashMatrixError: Something was not as usual.
        """
        if self.counterexamples:
            raise CrashMatrixError(
                self.case.workflows[0].name, self.counterexamples, self.schedules.total()
            )
        return CrashReport(
            outcome=self.usual.outcome,
            schedules=dict(self.schedules),
            executions=dict(self.executions),
            usual_executions=dict(self.usual.executions),
        )

    # --- Planned faults

    def singles(self) -> Iterator[dict[int, FaultKind]]:
        """Yield every fault at every call of the usual schedule."""
        # What is easiest to understand comes first: if several show the same, it is told.
        for kind in FaultKind:
            for call in self.usual.calls:
                if kind in call.kinds and (call.name, kind) not in _THE_SAME:
                    yield {call.number: kind}

    def pairs(self) -> Iterator[dict[int, FaultKind]]:
        """Yield every two faults, the second wherever the first leads to."""
        for plan in self.singles():
            (first,) = plan
            for call in self._planned(plan).calls[first:]:
                # Dying before a call is dying after the one before it.
                for kind in call.kinds[1:]:
                    yield {**plan, call.number: kind}

    def plans(self, plans: Iterable[dict[int, FaultKind]], *, named: bool = False) -> None:
        """Play each plan, until there are enough counterexamples.

        Raises:
            ValueError: A plan that somebody has named does not fit.
        """
        for plan in plans:
            if len(self.counterexamples) >= _ENOUGH:
                return
            played = self._planned(plan)
            if named:
                _check_reached(plan, played)
            values = {number: kind.value for number, kind in plan.items()}
            self._judge(played, " and ".join(values.values()) or "usual", f"only=[{values}]")

    def _planned(self, plan: Mapping[int, FaultKind]) -> Played:
        return self.case.play(self._settings(), Planned(plan))

    def _judge(self, played: Played, kind: str, again: str) -> None:
        self.schedules[kind] += 1
        for step, times in played.executions.items():
            self.executions[step] = max(self.executions[step], times)
        found = counterexample(self.usual, played, again)
        if found is None:
            return
        # One cause shows at many calls: the first is told, the others are counted.
        known = next((each for each in self.counterexamples if each.same_as(found)), None)
        if known is None:
            self.counterexamples.append(found)
        else:
            known.others += 1

    # --- Drawn schedules

    def seeds(self, seeds: Iterable[int]) -> None:
        """Play a schedule for each seed; cut one down that is not as usual."""
        for seed in seeds:
            if len(self.counterexamples) >= _ENOUGH:
                return
            drawn = Drawn(Random(seed))  # noqa: S311 - a schedule, not a secret
            played = self._drawn(seed, drawn)
            again = f"seeds=[{seed}]"
            if counterexample(self.usual, played, again) is not None:
                played = self._cut_down(seed, drawn.schedule)
            self._judge(played, "drawn at random", again)

    def _cut_down(self, seed: int, schedule: Schedule) -> Played:
        def differs(part: Schedule) -> bool:
            return counterexample(self.usual, self._drawn(seed, Kept(part)), "") is not None

        return self._drawn(seed, Kept(minimise(schedule, differs)))

    def _drawn(self, seed: int, choices: Choices) -> Played:
        rng = Random(f"the world of {seed}")  # noqa: S311 - a world, not a secret
        settings = self._settings()
        settings.executors = rng.randint(2, 4)
        settings.oddities = rng.choice((0, 2, 5))
        faults = Chance(choices, 0.05, rng.choice((1, 2, 4)))
        return self.case.play(settings, faults, AnyOrder(choices), choices)


def _check_reached(plan: Mapping[int, FaultKind], played: Played) -> None:
    reached = {call.number: call for call in played.calls}
    for number, kind in plan.items():
        call = reached.get(number)
        if call is None or kind not in call.kinds:
            what = "is not reached" if call is None else f"({call.name}) knows no such fault"
            raise ValueError(
                f"call {number}, where {kind.value!r} was planned, {what}: the plan was made for "
                "other code"
            )
