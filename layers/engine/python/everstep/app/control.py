"""Carry out what people ask of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.outbox import send
from everstep.core.changes import RunResumed
from everstep.core.errors import IllegalStateError, RunNotFoundError, UnavailableError
from everstep.core.model import Message, MessageKind, RunStatus
from everstep.core.transitions import RUN_RESUMED

if TYPE_CHECKING:
    from everstep.app.engine import Engine


def resume(engine: Engine, run_id: str) -> RunStatus:
    """Let a run that stands still go on; resuming a running run changes nothing.

    Returns:
        The run's status afterwards.

    Raises:
        RunNotFoundError: There is no such run.
        IllegalStateError: The run has ended.
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    now = engine.clock.now()
    token = engine.ids.token()
    change = RunResumed(by=token, at=now, due_at=now + engine.limits.grace)
    if engine.runs.change(run_id, change, RUN_RESUMED):
        _send_recovery(engine, run_id, token)
        return RunStatus.RUNNING
    head = engine.runs.head(run_id)
    if head is None:
        raise RunNotFoundError(run_id)
    if head.status is not RunStatus.RUNNING:
        raise IllegalStateError(
            f"run {run_id} is {head.status}; only a PAUSED or STALLED run can be resumed"
        )
    return head.status


def _send_recovery(engine: Engine, run_id: str, token: str) -> None:
    try:
        send(engine, [Message(run_id=run_id, kind=MessageKind.RECOVER, token=token, take=True)])
    except UnavailableError:
        # The run is RUNNING and stands in the due index: the sweeper sends what this could not.
        return
