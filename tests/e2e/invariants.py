"""What must hold on the live table after whatever was done to it, by the simulation's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.payloads import load
from everstep.core.model import OpKind, OpStatus, RunStatus
from tests.simulation.invariants import (
    ViolationError,
    history_replays_to_its_outcome,
    most_attempts,
    nothing_is_silently_stuck,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from everstep.app.engine import Engine
    from everstep.core.model import DueEntry, History

DERIVED = frozenset({RunStatus.PENDING, RunStatus.SLEEPING, RunStatus.WAITING})
RECORDED = tuple(status for status in RunStatus if status not in DERIVED)


def check_run(engine: Engine, run_id: str, due: Iterable[DueEntry]) -> None:
    """Check one run that has come to rest, given all that is due."""
    history = load(engine, run_id)
    assert history is not None
    nothing_is_silently_stuck(history)
    if history.head.status.terminal:
        history_replays_to_its_outcome(engine, history)
        _has_left_the_due_index(history, due)
    _kept_to_its_policies(engine, history)
    _slept_long_enough(history)


def check_since(engine: Engine, oldest: str) -> int:
    """Check every run whose id sorts after this one; return how many there are."""
    shards = range(engine.timers.shards)
    due = [entry for shard in shards for entry in engine.timers.due(shard, 2**50, 10_000)]
    started = [run_id for run_id in _listed(engine) if run_id > oldest]
    for run_id in started:
        check_run(engine, run_id, due)
    return len(started)


def _listed(engine: Engine) -> Iterator[str]:
    for name in engine.registry.names:
        for status in RECORDED:
            before: str | None = None
            while page := engine.lists.newest(name, status, before, 100):
                yield from (listed.run_id for listed in page)
                before = page[-1].run_id


def _has_left_the_due_index(history: History, due: Iterable[DueEntry]) -> None:
    for entry in due:
        if entry.run_id == history.head.run_id:
            raise ViolationError("an_ended_run_is_not_due", f"{entry}")


def _kept_to_its_policies(engine: Engine, history: History) -> None:
    allowed = most_attempts(engine, history)
    for record in history.records.values():
        if record.attempt > allowed.get(record.key, record.attempt):
            raise ViolationError("attempts_within_policy", f"{record}")


def _slept_long_enough(history: History) -> None:
    for record in history.records.values():
        ended = record.kind is OpKind.SLEEP and record.status is OpStatus.DONE
        if ended and (record.ended_at or 0) < (record.wake_at or 0):
            raise ViolationError("sleep_never_ends_early", f"{record}")
