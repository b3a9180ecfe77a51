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
    from everstep.app.engine import Engine
    from everstep.core.model import History

DERIVED = frozenset({RunStatus.PENDING, RunStatus.SLEEPING, RunStatus.WAITING})
RECORDED = tuple(status for status in RunStatus if status not in DERIVED)


def check_run(engine: Engine, run_id: str) -> None:
    """Check one run that has come to rest."""
    history = load(engine, run_id)
    assert history is not None
    nothing_is_silently_stuck(history)
    if history.head.status.terminal:
        history_replays_to_its_outcome(engine, history)
        _has_left_the_due_index(engine, history)
    _kept_to_its_policies(engine, history)
    _slept_long_enough(history)


def check_all(engine: Engine) -> int:
    """Check every run of the table; return how many there are."""
    checked = 0
    for name in engine.registry.names:
        for status in RECORDED:
            checked += _check_listed(engine, name, status)
    return checked


def _check_listed(engine: Engine, name: str, status: RunStatus) -> int:
    before: str | None = None
    checked = 0
    while page := engine.lists.newest(name, status, before, 100):
        for listed in page:
            check_run(engine, listed.run_id)
        checked += len(page)
        before = page[-1].run_id
    return checked


def _has_left_the_due_index(engine: Engine, history: History) -> None:
    run_id = history.head.run_id
    for shard in range(engine.timers.shards):
        for entry in engine.timers.due(shard, 2**50, 1000):
            if entry.run_id == run_id:
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
