"""Go over every run of a live system and say which invariants do not hold; nothing here writes.

Runs move while they are looked at, and indexes lag behind. So what seems wrong is looked at
again at the end, after a pause, and counts only if it is still there. A run that cannot be read
is reported and stops nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import field
from typing import TYPE_CHECKING, Final

from everstep.app.deadline import call_within
from everstep.app.findings import (
    Look,
    RunReport,
    Skipped,
    Violation,
    confirmed,
    unconfirmed,
)
from everstep.app.reading import read_due, read_list, read_run
from everstep.core.durations import MINUTE, SECOND
from everstep.core.errors import (
    EverstepError,
    RunNotFoundError,
    StepTimeout,
    WorkflowMissingError,
)
from everstep.core.event_invariants import (
    a_continued_run_goes_on,
    an_event_goes_to_one_wait,
    the_audit_is_whole,
)
from everstep.core.invariants import (
    ViolationError,
    a_stall_has_its_reason,
    an_ended_run_is_not_due,
    attempts_within_policy,
    code_comes_to_rest,
    every_entry_has_its_run,
    history_replays,
    history_replays_to_its_outcome,
    records_are_readable,
    records_are_whole,
    running_is_watched,
    sleep_has_lasted,
    the_end_is_recorded,
    the_replay_went_through,
    what_is_armed_is_indexed,
)
from everstep.core.model import RunStatus
from everstep.core.records import dataclass
from everstep.core.unreadable import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from everstep.app.engine import Engine
    from everstep.app.reading import Due
    from everstep.core.definition import Definition
    from everstep.core.listing import Listed
    from everstep.core.model import DueEntry, Head, History
    from everstep.core.unreadable import Unreadable

__all__ = [
    "OVERDUE",
    "RunReport",
    "Skipped",
    "Violation",
    "verify",
    "verify_run",
]

# The sweeper comes every minute; later than this it does not come at all, or gets nowhere.
OVERDUE: Final = 15 * MINUTE
# Far more than a replay takes.
_PATIENCE: Final = 5 * SECOND
# Seconds that an index may lag behind, with room to spare.
_LAG: Final = 3.0
_REPLAYED: Final = ("history_replays", "history_replays_to_its_outcome", "attempts_within_policy")


def every_run(_run: Listed) -> bool:
    """Leave no run out."""
    return True


def at_once(_seconds: float) -> None:
    """Wait for nothing: in memory no index lags."""


def verify(
    engine: Engine,
    among: Callable[[Listed], bool] = every_run,
    *,
    pause: Callable[[float], None] = at_once,
) -> Iterator[RunReport]:
    """Look at every run, in the order in which they were started; those with violations last.

    What is due without being listed, or cannot be read, is looked at whatever ``among`` says.

    Args:
        engine: The ports; only reads are made.
        among: Says which runs to look at.
        pause: Waits for so many seconds before the second look, as where indexes lag.

    Raises:
        EverstepError: A service failed; what was seen until then came before, unconfirmed.
    """
    listed, unreadable = read_list(engine)
    due = read_due(engine)
    wanted = {run_id for run_id, run in listed.items() if among(run)}
    strays = (due.entries.keys() | due.unreadable.keys()) - listed.keys() - unreadable.keys()
    run_ids = wanted | unreadable.keys() | strays
    check = _Check(engine=engine, due=due, unlisted=unreadable, listed=listed)
    for report in _rounds(check, run_ids, pause):
        # What is listed only by now is left to the next check.
        if report.run_id not in strays or report.violations:
            yield report


def verify_run(
    engine: Engine, run_id: str, *, pause: Callable[[float], None] = at_once
) -> RunReport:
    """Look at one run.

    Raises:
        RunNotFoundError: There is no such run.
    """
    check = _Check(engine=engine, due=read_due(engine))
    for report in _rounds(check, {run_id}, pause):
        return report
    raise RunNotFoundError(run_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A look at a run: what to report, and a print of the history to see whether it moves."""

    report: RunReport
    print: str


@dataclass(slots=True, kw_only=True)
class _Check:
    """One check over runs, and what it has come to know."""

    engine: Engine
    due: Due
    unlisted: Mapping[str, Sequence[Unreadable]] = field(default_factory=dict)
    listed: Mapping[str, Listed] = field(default_factory=dict)
    holders: dict[tuple[str, str], str] = field(default_factory=dict)
    suspects: dict[str, _Seen] = field(default_factory=dict)


def _rounds(
    check: _Check, run_ids: Collection[str], pause: Callable[[float], None]
) -> Iterator[RunReport]:
    """Yield reports: first of the healthy, then, after a pause, of those that are not."""
    try:
        yield from _first_round(check, run_ids)
        if check.suspects:
            pause(_LAG)
            check.due = read_due(check.engine)
            yield from _second_round(check)
    except EverstepError:
        for seen in check.suspects.values():
            yield unconfirmed(seen.report)
        raise


def _first_round(check: _Check, run_ids: Collection[str]) -> Iterator[RunReport]:
    for run_id in sorted(run_ids):
        seen = _look_at(check, run_id)
        if seen is not None and seen.report.violations:
            check.suspects[run_id] = seen
        elif seen is not None:
            yield seen.report


def _second_round(check: _Check) -> Iterator[RunReport]:
    for run_id, first in list(check.suspects.items()):
        second = _look_at(check, run_id)
        del check.suspects[run_id]
        if second is not None:
            moved = first.print != second.print
            yield confirmed(first.report, second.report, moved=moved)


def _look_at(check: _Check, run_id: str) -> _Seen | None:
    """Return what there is to say of a run; None if retention has taken it away by now."""
    look = Look(run_id)
    history, unreadable = read_run(check.engine, run_id)
    told = (check.unlisted, check.due.unreadable)
    for item in (*unreadable, *(item for items in told for item in items.get(run_id, ()))):
        look.at(records_are_readable, item)
    due = check.due.entries.get(run_id, ())
    if history is not None:
        _at_the_run(look, check, history, due)
        _at_the_code(look, check.engine, history, whole=not unreadable)
    elif due and not unreadable:
        look.at(every_entry_has_its_run, due)
    if history is None and not look.violations:
        return None
    what = check.listed.get(run_id) if history is None else history.head
    return _Seen(report=look.report(what), print=_print(history))


def _print(history: History | None) -> str:
    return hashlib.sha256(repr(history).encode(errors="backslashreplace")).hexdigest()


def _at_the_run(look: Look, check: _Check, history: History, due: Collection[DueEntry]) -> None:
    look.passed("records_are_readable")
    _at_the_records(look, history)
    _at_the_index(look, history, due, check.engine.clock.now())
    look.at(one_run_per_idempotency_key, history, check.holders)
    _at_the_audit(look, check.engine, history.head)
    if history.head.successor is not None:
        successor, unreadable = read_run(check.engine, history.head.successor)
        if not unreadable:
            look.at(a_continued_run_goes_on, history, successor)


def _at_the_audit(look: Look, engine: Engine, head: Head) -> None:
    try:
        look.at(the_audit_is_whole, head, engine.runs.audit(head.run_id))
    except UnreadableError as error:
        for item in error.items:
            look.at(records_are_readable, item)


def _at_the_records(look: Look, history: History) -> None:
    head = history.head
    look.at(running_is_watched, head)
    look.at(the_end_is_recorded, head)
    look.at(a_stall_has_its_reason, head)
    look.at(an_event_goes_to_one_wait, history)
    for record in history.records.values():
        look.at(records_are_whole, record)
        look.at(sleep_has_lasted, record)


def _at_the_index(look: Look, history: History, due: Collection[DueEntry], now: int) -> None:
    look.at(an_ended_run_is_not_due, history, due)
    look.at(what_is_armed_is_indexed, history, due)
    look.at(what_is_due_is_done, history, now)


def _at_the_code(look: Look, engine: Engine, history: History, *, whole: bool) -> None:
    if not whole:
        look.skip(_REPLAYED, "something that is recorded of the run cannot be read")
        return
    head = history.head
    try:
        definition = engine.registry.to_continue(head.workflow, head.version)
    except WorkflowMissingError:
        what = f"workflow {head.workflow} version {head.version} is not in the code at hand"
        look.skip(_REPLAYED, f"{what}; look at --workflows, or run this where the code is")
        return
    try:
        call_within(lambda: _replayed(look, definition, history), _PATIENCE)
        look.passed("code_comes_to_rest")
    except StepTimeout:
        look.at(code_comes_to_rest, _PATIENCE / SECOND)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a workflow's code may raise anything
        look.at(the_replay_went_through, error)


def _replayed(look: Look, definition: Definition, history: History) -> None:
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
        detail = f"{head.workflow}: {holder} and {head.run_id} have the same"
        raise ViolationError("one_run_per_idempotency_key", detail)


def what_is_due_is_done(history: History, now: int) -> None:
    """Nothing is left overdue: the sweeper comes, and gets to the end of its list."""
    armed = [record.due_at for record in history.records.values() if not record.status.final]
    instants = [at for at in (*armed, history.head.due_at) if at is not None]
    late = now - min(instants, default=now)
    if history.head.status is RunStatus.RUNNING and late > OVERDUE:
        raise ViolationError("what_is_due_is_done", f"due {late // SECOND} s ago, and still there")
