"""``assert_deterministic``: a workflow's code must do the same in every pass over its history.

The workflow is run once. What it recorded is then replayed, each prefix of it, while everything
differs that code can see without being told: chance, the clock, environment variables, what
earlier passes left behind in the process, and in fresh processes the hash seed, which orders sets.
"""

from __future__ import annotations

import inspect
import os
import warnings
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final, TypeVar

from everstep.adapters.system import SystemClock
from everstep.core.durations import SECOND
from everstep.core.exported import export_history, in_order, read_history
from everstep.core.keys import scope_of
from everstep.core.model import OpKind
from everstep.core.telling import brief, told_call
from everstep.core.tracing import Moment, moment
from everstep.testing.differences import Cause, DeterminismError, Parting, parting
from everstep.testing.engine import TestEngine
from everstep.testing.fresh_process import UnimportableError, pass_elsewhere, place_of
from everstep.testing.passes import Place, Surroundings, can_hold_the_clock, pass_over
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from everstep.app.engine import Execution
    from everstep.authoring.workflows import Workflow
    from everstep.core.model import ErrorInfo, History, OpRecord
    from everstep.testing.handles import TestRun

In = TypeVar("In")
Out = TypeVar("Out")

# Another day of the week, of the month and of the year, and another hour and second.
_LEAP: Final = (397 * 24 * 3600 + 5 * 3600 + 43 * 60 + 21) * SECOND + 987


class NotReplayedWarning(UserWarning):
    """Say that a workflow was not replayed in fresh processes although that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeterminismReport:
    """What was compared; ``str()`` tells it in a few lines.

    Attributes:
        workflow: Name of the workflow.
        operations: How many operations its run recorded.
        passes: How many passes were made in this process.
        processes: How many were made in fresh ones.
        notes: What could not be varied, and why.
    """

    workflow: str
    operations: int
    passes: int
    processes: int
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = f"{self.passes} passes in this process and {self.processes} in fresh ones"
        lines = [f"{self.workflow}: the same in {told} ({self.operations} operations)"]
        return "\n".join([*lines, *(f"Note: {note}" for note in self.notes)])


def assert_deterministic(  # noqa: PLR0913 - options by name, each with a use of its own
    workflow: Workflow[In, Out],
    input: In | None = None,  # noqa: A002 - the name in workflows
    *,
    script: Callable[[TestEngine, TestRun[Out]], object] | None = None,
    workflows: Iterable[Workflow[Any, Any]] = (),
    setup: Callable[[], object] | None = None,
    replays: int = 3,
    processes: int = 2,
) -> DeterminismReport:
    """Make sure that a workflow's code does the same in every pass over its history.

    Args:
        workflow: The workflow.
        input: Its input.
        script: Does what the outside does while the run goes on (``engine.mock``,
            ``engine.advance`` and so on). When it returns, time passes until the run has ended
            or stands still.
        workflows: What else is deployed.
        setup: Called before the run, to reset what steps leave outside.
        replays: How many passes to make in this process, each with another clock, other chance
            and other environment variables.
        processes: How many to make in fresh processes, each with another hash seed. Where these
            cannot import the workflow there are none, and a ``NotReplayedWarning`` says why.

    Raises:
        DeterminismError: Two passes differ; the message says after which operation, what each
            asked for, what differed around them, and what to do.
        RequestError: The workflow cannot be started with this input.
    """
    __tracebackhide__ = True
    if setup is not None:
        setup()
    recording = _record(workflow, input, script, workflows)
    look = _Look(workflow, recording)
    look.here(replays)
    elsewhere = look.elsewhere(processes)
    if recording.stall is not None:
        raise DeterminismError.of_a_stall(workflow.name, recording.stall)
    if look.kept_here is not None:
        told = (
            f"{look.kept_here}; what the order of sets changes is not seen (processes=0 for none)"
        )
        warnings.warn(f"{workflow.name} was {told}", NotReplayedWarning, stacklevel=2)
    return DeterminismReport(
        workflow=workflow.name,
        operations=len(recording.history.records),
        passes=replays + 1,
        processes=elsewhere,
        notes=tuple(look.notes),
    )


# --- The run


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recording:
    """What the run recorded, and what its steps were called with."""

    document: dict[str, Any]
    history: History
    arguments: dict[str, dict[str, str]]
    stall: ErrorInfo | None

    def moments(self) -> Iterable[Moment]:
        """Yield what the code asked for when it ran for the first time.

        Once there are branches, no record tells what was asked for at the same time.
        """
        asked: tuple[str, ...] = ()
        records = takewhile(_is_alone, self.history.records.values())
        for told, record in enumerate(records):
            asked = (*asked, record.key)
            yield Moment(
                told=told,
                asked=asked,
                does=record.kind.value,
                identity=record.input_hash,
                shown=self._shown(record),
            )

    def _shown(self, record: OpRecord) -> dict[str, str]:
        if record.kind is not OpKind.STEP:
            return {"": told_call(record.input_hash)}
        return self.arguments.get(record.key, {})


def _is_alone(record: OpRecord) -> bool:
    return record.kind is not OpKind.JOIN and not scope_of(record.key)


def _record(
    workflow: Workflow[In, Out],
    given: In | None,
    script: Callable[[TestEngine, TestRun[Out]], object] | None,
    workflows: Iterable[Workflow[Any, Any]],
) -> _Recording:
    with World([workflow, *workflows], settings=Settings(visibility=0)) as world:
        engine = TestEngine(world=world)
        arguments: dict[str, dict[str, str]] = {}
        carry_out = world.carry_out

        def noting(execution: Execution) -> object:
            if execution.run_id == run.id:
                arguments.setdefault(execution.key, _called_with(execution))
            return carry_out(execution)

        run = engine.start(workflow, given)
        world.carry_out = noting
        if script is not None:
            script(engine, run)
        engine.run_to_rest()
        document, stall = run.export(), run.error if run.status == "STALLED" else None
    history = read_history(document)
    if stall is not None or not _all_asked(workflow, history):
        history = _by_time(history, list(arguments))
        document = export_history(history, history.records)
    return _Recording(document=document, history=history, arguments=arguments, stall=stall)


def _all_asked(workflow: Workflow[Any, Any], history: History) -> bool:
    return history.records.keys() <= {*moment(workflow, history, len(history.records)).asked}


def _by_time(history: History, executed: list[str]) -> History:
    """Put records in the order in which they came about, the steps' executions telling it best."""
    place = {key: at for at, key in enumerate(executed)}
    keys = sorted(history.records, key=lambda key: place.get(key, len(place)))
    records = in_order(replace(history, records={key: history.records[key] for key in keys}))
    return replace(history, records={record.key: record for record in records})


def _called_with(execution: Execution) -> dict[str, str]:
    bound = inspect.signature(execution.fn).bind(*execution.args, **execution.kwargs)
    return {name: brief(value) for name, value in bound.arguments.items()}


# --- The passes


class _Look:
    """The passes over one recorded run, compared with the first."""

    def __init__(self, workflow: Workflow[Any, Any], recording: _Recording) -> None:
        """Make the first pass, in surroundings that can be had again."""
        self._workflow = workflow
        self._recording = recording
        self.notes: list[str] = []
        self.kept_here: str | None = None
        self._holds_the_clock = can_hold_the_clock()
        if not self._holds_the_clock:
            self.notes.append(
                "the clock was not varied: install time-machine (pip install 'everstep[testing]')"
            )
        self._usual = Surroundings(
            seed=0, at=SystemClock().now() if self._holds_the_clock else None
        )
        self._first = self._pass(self._usual)

    def here(self, replays: int) -> None:
        """Compare the first pass with the run itself, and with passes in other surroundings.

        Raises:
            DeterminismError: They differ.
        """
        self._judge(parting(self._recording.moments(), self._first), self._cause)
        for number in range(1, replays + 1):
            everything = self._other(number, *_HIDDEN)
            self._judge(parting(self._first, self._pass(everything)), self._cause)

    def elsewhere(self, processes: int) -> int:
        """Compare the first pass with passes in fresh processes; return how many there were.

        Raises:
            DeterminismError: They differ.
        """
        if not processes:
            return 0
        try:
            place = place_of(self._workflow)
            seeds = self._seeds(processes + 1)
            passed = self._fresh(place, seeds[:-1])
        except UnimportableError as error:
            self.kept_here = f"not replayed in fresh processes: {error}"
            self.notes.append(self.kept_here)
            return 0
        for moments in passed:
            found = parting(self._first, moments)
            self._judge(found, lambda: self._cause_elsewhere(place, seeds, passed))
        return processes

    def _judge(self, found: Parting | None, cause: Callable[[], list[Cause]]) -> None:
        if found is not None:
            keys = tuple(self._recording.history.records)
            raise DeterminismError.of_a_parting(self._workflow.name, found, cause(), keys)

    def _pass(self, surroundings: Surroundings) -> list[Moment]:
        return pass_over(self._workflow, self._recording.history, surroundings)

    def _other(self, number: int, *hidden: Cause) -> Surroundings:
        usual = self._usual
        moved = None if usual.at is None else usual.at + number * _LEAP
        return Surroundings(
            seed=number if Cause.CHANCE in hidden else usual.seed,
            at=moved if Cause.CLOCK in hidden else usual.at,
            environment=f"changed {number}" if Cause.ENVIRONMENT in hidden else None,
        )

    def _cause(self) -> list[Cause]:
        """Find out what makes the difference, by varying one thing at a time."""
        if parting(self._first, self._pass(self._usual)):
            return [Cause.AGAIN if self._holds_the_clock else Cause.AGAIN_OR_THE_CLOCK]
        found = [each for each in _HIDDEN if self._shows(each)]
        return found or [Cause.LEFT_BEHIND]

    def _shows(self, hidden: Cause) -> bool:
        passes = (self._pass(self._other(number, hidden)) for number in (1, 2, 3))
        return any(parting(self._first, moments) for moments in passes)

    # --- Fresh processes

    def _seeds(self, count: int) -> list[int]:
        here = os.environ.get("PYTHONHASHSEED")  # noqa: TID251 - this process's own
        return [seed for seed in range(1, count + 2) if str(seed) != here][:count]

    def _fresh(self, place: Place, seeds: Iterable[int]) -> list[list[Moment]]:
        return pass_elsewhere(place, self._recording.document, self._usual, seeds)

    def _cause_elsewhere(
        self, place: Place, seeds: list[int], passed: list[list[Moment]]
    ) -> list[Cause]:
        """Find out whether the hash seed makes it, by two more processes."""
        same, other = self._fresh(place, [seeds[0], seeds[-1]])
        if parting(passed[0], same):
            return [Cause.PROCESS]
        if any(parting(passed[0], each) for each in [*passed[1:], other]):
            return [Cause.HASH_SEED]
        return [Cause.FRESH]


_HIDDEN: Final = (Cause.CLOCK, Cause.CHANCE, Cause.ENVIRONMENT)
