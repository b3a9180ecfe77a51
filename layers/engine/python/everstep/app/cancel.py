"""Have runs end before their code does."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from everstep.app.children import tell_parent
from everstep.app.control import asked_for, change_audited
from everstep.app.observing import run_over
from everstep.app.options import LONGEST_WHY
from everstep.app.outbox import send
from everstep.app.outcomes import Done
from everstep.core.audit import ENGINE, Action, Asked
from everstep.core.changes import RunEnded, RunTold
from everstep.core.circumstances import Ending
from everstep.core.endings import told
from everstep.core.errors import IllegalStateError, RunNotFoundError
from everstep.core.model import ENDED_BY_FORCE, ErrorInfo, Message, MessageKind, RunStatus
from everstep.core.records import replace
from everstep.core.transitions import RUN_TERMINATED, RUN_TOLD, TIME_IS_UP

if TYPE_CHECKING:
    from collections.abc import Collection

    from everstep.app.engine import Engine
    from everstep.core.model import Head, History


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
    on for that. A run that is to begin later ends at once.

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
    asked = asked_for(engine, Action.CANCEL_REQUESTED, who, why)
    ending = _ending(engine, asked.who, asked.why)
    force = force or _begins_later(engine, run_id)
    head = _terminate(engine, run_id, ending, asked) if force else _tell(engine, run_id, asked)
    if not head.status.terminal:
        return RunStatus.RUNNING
    if head.successor is not None:
        raise IllegalStateError(
            f"run {head.run_id} is {head.status}: run {head.successor} goes on in its place"
        )
    if head.status is not RunStatus.CANCELLED:
        raise IllegalStateError(f"run {head.run_id} is {head.status}; it cannot be cancelled")
    # Also if somebody else has ended it: it may have died before this.
    send(engine, tell_parent(engine, head))
    return head.status


def _begins_later(engine: Engine, run_id: str) -> bool:
    """Say whether the code of a run has not begun, and so has nothing to undo."""
    head = engine.runs.head(run_id)
    return head is not None and engine.clock.now() < (head.starts_at or 0)


def cancel_child(engine: Engine, parent: Head, run_id: str) -> None:
    """Have a child run end, or whichever goes on in its place, if it has not.

    Raises:
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    why = told(parent.ending)[:LONGEST_WHY] if parent.ending else None
    asked = asked_for(engine, Action.CANCEL_REQUESTED, f"run {parent.run_id}", why)
    with suppress(RunNotFoundError):
        successor = _tell(engine, run_id, asked).successor
        while successor is not None:
            successor = _tell(engine, successor, asked).successor


def tell_in_time(engine: Engine, message: Message, head: Head) -> Done | None:
    """Let a run know that its time is up, if it is, and it goes on; a message was sent for that.

    Returns:
        What has come of the message, if it was not that.
    """
    now = engine.clock.now()
    if head.deadline is None:
        return Done.SUPERSEDED
    if head.deadline > now:
        send(engine, [replace(message, due=head.deadline)])
        return Done.EARLY
    ending = Ending(status=RunStatus.TIMED_OUT, at=now)
    change = RunTold(by=message.token, ending=ending, due_at=now + engine.limits.grace)
    with suppress(RunNotFoundError):
        asked = Asked(action=Action.TIME_UP, who=ENGINE)
        change_audited(engine, message.run_id, change, TIME_IS_UP, asked)
    return None


def _ending(engine: Engine, who: str | None, why: str | None) -> Ending:
    return Ending(status=RunStatus.CANCELLED, at=engine.clock.now(), who=who, why=why)


def _tell(engine: Engine, run_id: str, asked: Asked) -> Head:
    """Let a run know that it is to end; return its head as it was before."""
    token, ending = engine.ids.token(), _ending(engine, asked.who, asked.why)
    change = RunTold(by=token, ending=ending, due_at=ending.at + engine.limits.grace)
    head = change_audited(engine, run_id, change, RUN_TOLD, asked).head
    if not head.status.terminal:
        take = head.status is not RunStatus.RUNNING
        send(engine, [Message(run_id=run_id, kind=MessageKind.CANCEL, token=token, take=take)])
    return head


def _terminate(engine: Engine, run_id: str, ending: Ending, asked: Asked) -> Head:
    """End a run at once; return its head as it is then."""
    history = engine.runs.load(run_id)
    if history is None:
        raise RunNotFoundError(run_id)
    head = history.head
    if head.status.terminal and not head.was_forced:
        return head
    known = _end_children(engine, history, ending)
    if head.status.terminal:
        return head
    error = ErrorInfo(type=ENDED_BY_FORCE, message=told(ending))
    token = engine.ids.token()
    change = RunEnded(status=RunStatus.CANCELLED, by=token, at=ending.at, error=error)
    found = change_audited(engine, run_id, change, RUN_TERMINATED, asked)
    if found.changed:
        run_over(engine, head, change.status, ending.at)
    again = engine.runs.load(run_id) if found.changed else None
    if again is None:
        return found.head
    # Those that were started meanwhile; whoever starts one from now on sees the end.
    _end_children(engine, again, ending, known)
    return again.head


def _end_children(
    engine: Engine, history: History, ending: Ending | None, known: Collection[str] = ()
) -> set[str]:
    """Have the child runs of a run end, but for those that know; return them all."""
    head = replace(history.head, ending=ending)
    children = {each.child for each in history.records.values() if each.child is not None}
    for run_id in sorted(children - set(known)):
        cancel_child(engine, head, run_id)
    return children


def end_orphans(engine: Engine, history: History, token: str) -> None:
    """Have child runs end that a message has started while their parent was ended by force.

    Args:
        engine: The ports.
        history: Of the parent.
        token: Of the message.
    """
    if history.head.was_forced:
        mine = {key: each for key, each in history.records.items() if each.by == token}
        _end_children(engine, replace(history, records=mine), history.head.ending)
