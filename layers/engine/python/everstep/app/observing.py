"""Tell what was committed: by whoever committed it, and by nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.model import OpKind, OpStatus
from everstep.core.observations import (
    CodeReplayed,
    RunAccepted,
    RunAtHand,
    RunOver,
    SleepOver,
    StepAttempted,
)
from everstep.core.replay import Replay

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.definition import Definition
    from everstep.core.model import Head, History, OpRecord, RunStatus


def run_accepted(engine: Engine, head: Head) -> None:
    """Tell of a run that was recorded just now."""
    engine.observe(RunAtHand(head=head))
    engine.observe(RunAccepted(run_id=head.run_id, workflow=head.workflow))


def run_over(engine: Engine, head: Head, status: RunStatus, at: int) -> None:
    """Tell of a run that was ended just now."""
    lasted = max(0, at - head.begins_at)
    over = RunOver(run_id=head.run_id, workflow=head.workflow, status=status, lasted=lasted)
    engine.observe(over)


def committed(engine: Engine, history: History, record: OpRecord) -> None:
    """Tell of an attempt or a sleep that was recorded just now; others have nothing to tell.

    Args:
        engine: The ports.
        history: The run as it was before.
        record: What was recorded.
    """
    run_id, ended_at = history.head.run_id, record.ended_at or 0
    if record.kind is OpKind.SLEEP:
        late = max(0, ended_at - (record.wake_at or 0))
        engine.observe(SleepOver(run_id=run_id, op=record.key, late=late))
    if record.kind is OpKind.STEP:
        before = history.records.get(record.key)
        # Of an attempt that somebody else has begun, only that it ended is known.
        settled = before is not None and before.status is OpStatus.STARTED
        attempted = StepAttempted(
            run_id=run_id,
            op=record.key,
            attempt=record.attempt,
            status=record.status,
            lasted=None if settled else max(0, ended_at - (record.started_at or 0)),
        )
        engine.observe(attempted)


def replayed(
    engine: Engine, definition: Definition, history: History, *, live: bool, fresh: frozenset[str]
) -> Replay:
    """Return a pass over the code of a run, and tell how long it took."""
    before = engine.clock.ticks()
    replay = Replay(definition, history, live=live, fresh=fresh, masking=engine.masking)
    took = engine.clock.ticks() - before
    run_id, operations = history.head.run_id, len(history.records)
    engine.observe(CodeReplayed(run_id=run_id, operations=operations, took=took))
    return replay
