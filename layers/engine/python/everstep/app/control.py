"""Carry out what people ask of a run, and record who asked it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from everstep.app.outbox import send
from everstep.core.audit import Action, Asked, acceptance, following
from everstep.core.changes import RunPaused, RunResumed
from everstep.core.errors import (
    IllegalStateError,
    InvalidRequestError,
    RunNotFoundError,
    UnavailableError,
)
from everstep.core.model import Message, MessageKind, RunStatus
from everstep.core.transitions import RUN_PAUSED, RUN_RESUMED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.app.engine import Engine
    from everstep.core.audit import AuditEntry
    from everstep.core.changes import RunEnded, RunTold
    from everstep.core.model import Head
    from everstep.core.transitions import HeadGuard

LONGEST_WHO: Final = 200
LONGEST_WHY: Final = 1000
_CONTENTION: Final = 20


def pause(
    engine: Engine, run_id: str, *, who: str | None = None, why: str | None = None
) -> RunStatus:
    """Let a run go no further until it is resumed; pausing a paused run changes nothing.

    A step that is in flight is finished and recorded; what follows it waits. What is sent to
    the run meanwhile is kept, and timers that end meanwhile take effect when it is resumed.

    Args:
        engine: The ports.
        run_id: The run.
        who: Who asks, for the audit.
        why: What for, for the audit.

    Returns:
        The run's status afterwards.

    Raises:
        InvalidRequestError: What is to be recorded is too long.
        RunNotFoundError: There is no such run.
        IllegalStateError: The run has ended, or stands still for another reason.
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    change = RunPaused(by=engine.ids.token())
    asked = asked_for(engine, Action.PAUSED, who, why)
    found = change_audited(engine, run_id, change, RUN_PAUSED, asked)
    if found.changed or found.head.status is RunStatus.PAUSED:
        return RunStatus.PAUSED
    if found.head.status is RunStatus.STALLED:
        raise IllegalStateError(
            f"run {run_id} is STALLED: it goes no further until its cause is mended and it is "
            "resumed, so there is nothing to pause"
        )
    raise IllegalStateError(f"run {run_id} is {found.head.status}; only a run in progress pauses")


def resume(
    engine: Engine, run_id: str, *, who: str | None = None, why: str | None = None
) -> RunStatus:
    """Let a run that stands still go on; resuming a running run changes nothing.

    Args:
        engine: The ports.
        run_id: The run.
        who: Who asks, for the audit.
        why: What for, for the audit.

    Returns:
        The run's status afterwards.

    Raises:
        InvalidRequestError: What is to be recorded is too long.
        RunNotFoundError: There is no such run.
        IllegalStateError: The run has ended.
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    now = engine.clock.now()
    token = engine.ids.token()
    change = RunResumed(by=token, at=now, due_at=now + engine.limits.grace)
    asked = asked_for(engine, Action.RESUMED, who, why)
    found = change_audited(engine, run_id, change, RUN_RESUMED, asked)
    if found.changed:
        send_recovery(engine, run_id, token)
        return RunStatus.RUNNING
    if found.head.status is not RunStatus.RUNNING:
        raise IllegalStateError(
            f"run {run_id} is {found.head.status}; only a PAUSED or STALLED run can be resumed"
        )
    return found.head.status


def audit(engine: Engine, run_id: str) -> Sequence[AuditEntry]:
    """Return what was asked of a run, beginning with its acceptance, in order.

    Raises:
        RunNotFoundError: There is no such run.
    """
    head = engine.runs.head(run_id)
    if head is None:
        raise RunNotFoundError(run_id)
    return [acceptance(head), *engine.runs.audit(run_id)]


# --- A change and its audit entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What became of a change: whether it was made, and the head as it was found before."""

    changed: bool
    head: Head


def asked_for(engine: Engine, action: Action, who: str | None, why: str | None) -> Asked:
    """Return what somebody asks, ready to be recorded: without secrets, as it stays for ever.

    Raises:
        InvalidRequestError: A name or a reason is empty, too long, or not printable.
    """
    for what, text, longest in (("who asks", who, LONGEST_WHO), ("the reason", why, LONGEST_WHY)):
        # A line may end; whatever else does not show has no business in an audit.
        shown = text is None or text.replace("\n", " ").isprintable()
        if not shown or (text is not None and not 0 < len(text) <= longest):
            raise InvalidRequestError(f"{what} must be 1 to {longest} printable characters")
    return Asked(action=action, who=who, why=why and engine.masking.text(why))


def change_audited(
    engine: Engine,
    run_id: str,
    change: RunPaused | RunResumed | RunTold | RunEnded,
    guard: HeadGuard,
    asked: Asked,
) -> Found:
    """Change a run's head if the guard allows it, and record who asked: both or neither.

    A change whose answer was lost is recognised by its token when it is found made.

    Args:
        engine: The ports.
        run_id: The run.
        change: What is to happen to the head, with a token of its own.
        guard: What the head must be for that.
        asked: What is recorded with it.

    Raises:
        RunNotFoundError: There is no such run.
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    for _ in range(_CONTENTION):
        head = engine.runs.head(run_id)
        if head is None:
            raise RunNotFoundError(run_id)
        if head.by == change.by or not guard.allows(head):
            return Found(changed=head.by == change.by, head=head)
        entry = following(_last_entry(engine, head), asked, engine.clock.now())
        if engine.runs.change(run_id, change, guard, entry):
            return Found(changed=True, head=head)
    raise UnavailableError(f"run {run_id} is changed by many at the same time: try again")


def _last_entry(engine: Engine, head: Head) -> AuditEntry:
    if head.generation == 0:
        return acceptance(head)
    # If somebody adds an entry at this moment the head has changed, too, and refuses ours.
    found = engine.runs.audit(head.run_id, head.generation)
    # An entry that is gone keeps nobody from acting; the chain shows that it is broken.
    return found[0] if found else replace(acceptance(head), number=head.generation)


def send_recovery(engine: Engine, run_id: str, token: str) -> None:
    """Send the message that takes over whatever a run owes; the sweeper makes up for it."""
    try:
        send(engine, [Message(run_id=run_id, kind=MessageKind.RECOVER, token=token, take=True)])
    except UnavailableError:
        # The run is RUNNING and stands in the due index: the sweeper sends what this could not.
        return
