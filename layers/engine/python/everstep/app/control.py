"""Carry out what people ask of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from everstep.app.children import tell_parent
from everstep.app.outbox import send
from everstep.core.changes import RunEnded, RunResumed, RunTold
from everstep.core.circumstances import Ending
from everstep.core.endings import told
from everstep.core.errors import IllegalStateError, RunNotFoundError, UnavailableError
from everstep.core.model import ENDED_BY_FORCE, ErrorInfo, Message, MessageKind, RunStatus
from everstep.core.transitions import RUN_RESUMED, RUN_TERMINATED, RUN_TOLD

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.model import Head


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


def cancel(
    engine: Engine,
    run_id: str,
    *,
    who: str | None = None,
    why: str | None = None,
    force: bool = False,
) -> RunStatus:
    """Have a run end before its code does; asking again changes nothing.

    Its code is told where it waits, and may undo what was done; a step that runs is not
    interrupted. Child runs that it waits for are cancelled with it. A run that stands still goes
    on for that.

    Args:
        engine: The ports.
        run_id: The run.
        who: Who asks.
        why: What for.
        force: End the run at once, whatever its code would do: nothing is undone.

    Returns:
        The run's status afterwards: RUNNING while its code comes to its end.

    Raises:
        RunNotFoundError: There is no such run.
        IllegalStateError: The run has ended otherwise.
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    head = engine.runs.head(run_id)
    if head is None:
        raise RunNotFoundError(run_id)
    now = engine.clock.now()
    ending = Ending(status=RunStatus.CANCELLED, at=now, who=who, why=why)
    if head.status.terminal:
        if head.status is not RunStatus.CANCELLED:
            raise IllegalStateError(f"run {run_id} is {head.status}; it cannot be cancelled")
        send(engine, tell_parent(engine, head))
        return head.status
    if force:
        return _terminate(engine, head, ending)
    token = engine.ids.token()
    change = RunTold(by=token, ending=ending, due_at=now + engine.limits.grace)
    engine.runs.change(run_id, change, RUN_TOLD)
    take = head.status is not RunStatus.RUNNING
    send(engine, [Message(run_id=run_id, kind=MessageKind.CANCEL, token=token, take=take)])
    return RunStatus.RUNNING


def cancel_child(engine: Engine, parent: Head, run_id: str) -> None:
    """Have a child run end, if it has not.

    Raises:
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    why = told(parent.ending) if parent.ending else None
    try:
        cancel(engine, run_id, who=f"run {parent.run_id}", why=why)
    except (RunNotFoundError, IllegalStateError):
        # It has ended, which is as good.
        return


def _terminate(engine: Engine, head: Head, ending: Ending) -> RunStatus:
    error = ErrorInfo(type=ENDED_BY_FORCE, message=told(ending))
    change = RunEnded(status=RunStatus.CANCELLED, by=engine.ids.token(), at=ending.at, error=error)
    history = engine.runs.load(head.run_id)
    for record in history.records.values() if history else ():
        if record.child is not None:
            cancel_child(engine, replace(head, ending=ending), record.child)
    engine.runs.change(head.run_id, change, RUN_TERMINATED)
    send(engine, tell_parent(engine, head))
    return RunStatus.CANCELLED


def _send_recovery(engine: Engine, run_id: str, token: str) -> None:
    try:
        send(engine, [Message(run_id=run_id, kind=MessageKind.RECOVER, token=token, take=True)])
    except UnavailableError:
        # The run is RUNNING and stands in the due index: the sweeper sends what this could not.
        return
