"""Go over every run of a live system and say which invariants do not hold; nothing here writes.

Runs move while they are looked at, and indexes lag behind. So what seems wrong is looked at
again a moment later, and counts only if it is still there and the run has not moved.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, ParamSpec

from everstep.app.deadline import call_within
from everstep.app.payloads import load, unpack
from everstep.core.durations import MINUTE, SECOND
from everstep.core.errors import RunNotFoundError, StepTimeout, WorkflowMissingError
from everstep.core.invariants import (
    ViolationError,
    a_stall_has_its_reason,
    attempts_within_policy,
    history_replays,
    history_replays_to_its_outcome,
    records_are_whole,
    running_is_watched,
    sleep_has_lasted,
    the_end_is_recorded,
)
from everstep.core.model import HEAD, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    from everstep.app.engine import Engine
    from everstep.core.model import DueEntry, History, Listed
    from everstep.core.replay import Definition

P = ParamSpec("P")

# The sweeper comes every minute; later than this it does not come at all, or gets nowhere.
OVERDUE: Final = 15 * MINUTE
_FAR_FUTURE: Final = 2**50
_MANY: Final = 100_000
# Far more than a replay takes.
_PATIENCE: Final = 5 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One invariant that does not hold for one run."""

    invariant: str
    run_id: str
    detail: str


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
        workflow: Its workflow.
        version: Its version.
        status: Its recorded status.
        checked: Names of the invariants that were looked at.
        violations: Those that do not hold.
        skipped: Those that could not be looked at.
    """

    run_id: str
    workflow: str
    version: str
    status: RunStatus
    checked: tuple[str, ...]
    violations: tuple[Violation, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def every_run(_run: Listed) -> bool:
    """Leave no run out."""
    return True


def verify(engine: Engine, among: Callable[[Listed], bool] = every_run) -> Iterator[RunReport]:
    """Look at every run that is listed, in the order in which they were started.

    Args:
        engine: The ports; only reads are made.
        among: Says which runs to look at.
    """
    listed = [run for run in engine.lists.every() if among(run)]
    holders: dict[tuple[str, str], str] = {}
    due = _due(engine)
    for run in sorted(listed, key=lambda each: each.run_id):
        try:
            report = _report(engine, run.run_id, due, holders)
        except RunNotFoundError:
            # Since it was listed, retention has taken it away.
            continue
        yield report


def verify_run(engine: Engine, run_id: str) -> RunReport:
    """Look at one run.

    Raises:
        RunNotFoundError: There is no such run.
    """
    return _report(engine, run_id, _due(engine), {})


def _report(
    engine: Engine,
    run_id: str,
    due: dict[str, list[DueEntry]],
    holders: dict[tuple[str, str], str],
) -> RunReport:
    seen, report = _looked_at(engine, run_id, due, holders)
    if not report.violations:
        return report
    # The run may have moved between two reads, or an index may lag.
    again, second = _looked_at(engine, run_id, _due(engine), holders)
    return _confirmed(report, second, moved=seen != again)


def _confirmed(first: RunReport, second: RunReport, *, moved: bool) -> RunReport:
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


def _due(engine: Engine) -> dict[str, list[DueEntry]]:
    found: dict[str, list[DueEntry]] = {}
    for shard in range(engine.timers.shards):
        for entry in engine.timers.due(shard, _FAR_FUTURE, _MANY):
            found.setdefault(entry.run_id, []).append(entry)
    return found


def _looked_at(
    engine: Engine,
    run_id: str,
    due: dict[str, list[DueEntry]],
    holders: dict[tuple[str, str], str],
) -> tuple[History, RunReport]:
    history = load(engine, run_id)
    if history is None:
        raise RunNotFoundError(run_id)
    look = _Look(run_id)
    _at_the_records(look, history)
    _at_the_index(look, history, due.get(run_id, ()), engine.clock.now())
    look.at(one_run_per_idempotency_key, history, holders)
    _at_the_code(look, engine, history)
    head = history.head
    report = RunReport(
        run_id=run_id,
        workflow=head.workflow,
        version=head.version,
        status=head.status,
        checked=tuple(look.checked),
        violations=tuple(look.violations),
        skipped=tuple(look.skipped),
    )
    return history, report


@dataclass(slots=True)
class _Look:
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
            self.violations.append(
                Violation(invariant=name, run_id=self.run_id, detail=error.detail)
            )
        if name not in self.checked:
            self.checked.append(name)


def _at_the_records(look: _Look, history: History) -> None:
    head = history.head
    look.at(running_is_watched, head)
    look.at(the_end_is_recorded, head)
    look.at(a_stall_has_its_reason, head)
    for record in history.records.values():
        look.at(records_are_whole, record)
        look.at(sleep_has_lasted, record)


def _at_the_index(look: _Look, history: History, due: Collection[DueEntry], now: int) -> None:
    look.at(an_ended_run_is_not_due, history, due)
    look.at(what_is_armed_is_indexed, history, due)
    look.at(what_is_due_is_done, history, now)


def _at_the_code(look: _Look, engine: Engine, history: History) -> None:
    head = history.head
    names = ("history_replays", "history_replays_to_its_outcome", "attempts_within_policy")
    try:
        definition = engine.registry.to_continue(head.workflow, head.version)
    except WorkflowMissingError as error:
        look.skipped += [Skipped(invariant=name, reason=str(error)) for name in names]
        return
    result = unpack(engine, head.result) if head.result else None
    whole = replace(history, head=replace(head, result=result))
    try:
        call_within(lambda: _replayed(look, definition, whole), _PATIENCE)
    except StepTimeout:
        reason = f"the code does not come to rest within {_PATIENCE / SECOND:g} s"
        look.skipped += [Skipped(invariant=name, reason=reason) for name in names]


def _replayed(look: _Look, definition: Definition, history: History) -> None:
    if history.head.status.terminal:
        look.at(history_replays_to_its_outcome, definition, history)
    elif history.head.status is not RunStatus.STALLED:
        look.at(history_replays, definition, history)
    look.at(attempts_within_policy, definition, history)


# --- Invariants that need more than one run's records


def one_run_per_idempotency_key(history: History, holders: dict[tuple[str, str], str]) -> None:
    """An idempotency key of a workflow starts one run.

    Args:
        history: The run.
        holders: Keys of the runs looked at so far, and the run of each; the run adds its own.
    """
    head = history.head
    if head.idempotency_key is None:
        return
    holder = holders.setdefault((head.workflow, head.idempotency_key), head.run_id)
    if holder != head.run_id:
        detail = f"{head.workflow}, key {head.idempotency_key!r}: {holder} and {head.run_id}"
        raise ViolationError("one_run_per_idempotency_key", detail)


def an_ended_run_is_not_due(history: History, due: Iterable[DueEntry]) -> None:
    """Once a run has its outcome, the sweeper has nothing to do with it any more."""
    for entry in due:
        if history.head.status.terminal and entry.key == HEAD:
            raise ViolationError("an_ended_run_is_not_due", f"{entry}")


def what_is_armed_is_indexed(history: History, due: Iterable[DueEntry]) -> None:
    """What is to be looked at stands in the due index, where the sweeper finds it."""
    found = {entry.key for entry in due}
    armed = {record.key for record in history.records.values() if record.due_at is not None}
    if history.head.due_at is not None:
        armed.add(HEAD)
    missing = sorted(armed - found)
    if missing:
        names = ", ".join(key or "the run itself" for key in missing)
        raise ViolationError("what_is_armed_is_indexed", f"not in the due index: {names}")


def what_is_due_is_done(history: History, now: int) -> None:
    """Nothing is left overdue: the sweeper comes, and gets to the end of its list."""
    armed = [record.due_at for record in history.records.values() if not record.status.final]
    instants = [at for at in (*armed, history.head.due_at) if at is not None]
    late = now - min(instants, default=now)
    if history.head.status is RunStatus.RUNNING and late > OVERDUE:
        raise ViolationError("what_is_due_is_done", f"due {late // SECOND} s ago, and still there")
