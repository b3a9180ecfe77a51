"""Carry out what people ask of a run, and record who asked it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.app.audit import link_of
from everstep.app.options import LONGEST_WHO, LONGEST_WHY, check_said
from everstep.app.outbox import send
from everstep.core.audit import Action, Asked, following
from everstep.core.changes import RunEnded, RunPaused, RunResumed
from everstep.core.errors import (
    IllegalStateError,
    InvalidRequestError,
    RunNotFoundError,
    UnavailableError,
)
from everstep.core.model import Message, MessageKind, RunStatus
from everstep.core.records import dataclass
from everstep.core.spending import to_nanos
from everstep.core.trail import began_at, sealed
from everstep.core.transitions import RUN_PAUSED, RUN_RESUMED, run_taken_over

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.changes import RunStalled, RunTold
    from everstep.core.model import Head
    from everstep.core.transitions import HeadGuard

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
    engine: Engine,
    run_id: str,
    *,
    who: str | None = None,
    why: str | None = None,
    budget: float | None = None,
) -> RunStatus:
    """Let a run that stands still go on; resuming a running run changes nothing.

    Args:
        engine: The ports.
        run_id: The run.
        who: Who asks, for the audit.
        why: What for, for the audit.
        budget: What it may cost from now on, in dollars, all that it has cost included.

    Returns:
        The run's status afterwards.

    Raises:
        InvalidRequestError: What is to be recorded is too long, or the budget is none.
        RunNotFoundError: There is no such run.
        IllegalStateError: The run has ended.
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    now = engine.clock.now()
    token = engine.ids.token()
    change = RunResumed(by=token, at=now, due_at=now + engine.limits.grace, budget=_budget(budget))
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


def _budget(dollars: float | None) -> int | None:
    try:
        return None if dollars is None else to_nanos(dollars)
    except ValueError as error:
        raise InvalidRequestError(str(error)) from error


def recover(
    engine: Engine,
    run_id: str,
    seen_due_at: int | None,
    *,
    who: str | None = None,
    why: str | None = None,
) -> bool:
    """Have a running run taken over, as the watchdog would: what got lost is sent again.

    Args:
        engine: The ports.
        run_id: The run.
        seen_due_at: Where it stood in the due index when it was looked at.
        who: Who asks, for the audit.
        why: What for, for the audit.

    Returns:
        Whether this call did it; else it goes on, or stands still, by somebody else's doing.

    Raises:
        InvalidRequestError: What is to be recorded is too long.
        RunNotFoundError: There is no such run.
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    now = engine.clock.now()
    token = engine.ids.token()
    change = RunResumed(by=token, at=now, due_at=now + engine.limits.grace)
    asked = asked_for(engine, Action.RECOVERED, who, why)
    found = change_audited(engine, run_id, change, run_taken_over(seen_due_at), asked)
    if found.changed:
        send_recovery(engine, run_id, token)
    return found.changed


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
    check_said("who asks", who, LONGEST_WHO)
    check_said("the reason", why, LONGEST_WHY)
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
        if change_once(engine, head, change, guard, asked):
            return Found(changed=True, head=head)
    raise UnavailableError(f"run {run_id} is changed by many at the same time: try again")


def change_once(
    engine: Engine,
    head: Head,
    change: RunPaused | RunResumed | RunStalled | RunTold | RunEnded,
    guard: HeadGuard,
    asked: Asked,
) -> bool:
    """Change a run's head as it was just read, and record who asked; say whether that was done.

    It is refused if anybody has added to the audit since.
    """
    # If somebody adds an entry at this moment the head has changed, too, and refuses ours.
    link, now = link_of(engine, head), engine.clock.now()
    entry = following(head.generation, link, asked, now)
    if isinstance(change, RunEnded):
        change = sealed(head, change, link, _began(engine, head), entry)
    return engine.runs.change(head.run_id, change, guard, entry)


def _began(engine: Engine, head: Head) -> int | None:
    history = engine.runs.load(head.run_id)
    return None if history is None else began_at(history.records.values())


def send_recovery(engine: Engine, run_id: str, token: str) -> None:
    """Send the message that takes over whatever a run owes; the sweeper makes up for it."""
    try:
        send(engine, [Message(run_id=run_id, kind=MessageKind.RECOVER, token=token, take=True)])
    except UnavailableError:
        # The run is RUNNING and stands in the due index: the sweeper sends what this could not.
        return
