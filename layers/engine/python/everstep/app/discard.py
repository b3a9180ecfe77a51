"""Have a run that has ended removed before its retention is over, or although it has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.changes import RunWatched
from everstep.core.errors import IllegalStateError, RunNotFoundError
from everstep.core.transitions import RUN_DISCARDED

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.model import RunStatus


def discard(engine: Engine, run_id: str) -> RunStatus:
    """Let the sweeper remove a run that has ended, as it removes those whose retention is over.

    Nothing of it is left then, its audit included. Doing so again changes nothing.

    Args:
        engine: The ports.
        run_id: The run.

    Returns:
        Its status.

    Raises:
        RunNotFoundError: There is no such run.
        IllegalStateError: It has not ended.
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    head = engine.runs.head(run_id)
    if head is None:
        raise RunNotFoundError(run_id)
    if not head.status.terminal:
        raise IllegalStateError(f"run {run_id} is {head.status}; only a run that has ended goes")
    # As if it were to be kept for no time at all: nothing else moves a run that has ended.
    if head.ended_at is not None and head.due_at != head.ended_at:
        engine.runs.change(run_id, RunWatched(due_at=head.ended_at, removal=True), RUN_DISCARDED)
    return head.status
