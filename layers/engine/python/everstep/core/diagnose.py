"""Why a run does not move: pure judgement over its history, the same for everybody who looks.

Nobody can see into the queue. What has left no trace may be under way, so nothing is called lost
before the time has passed in which a message that was sent leaves a trace: the grace, after which
the sweeper, too, sends a first message again. What happens by itself is not guessed: the
sweeper's own judgement (``core.watch``) is asked for the instants at which it will look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.awaited import awaited
from everstep.core.decisions import Broken, Raised, Returned, Suspended
from everstep.core.diagnosis import Awaited, Cause, Diagnosis, Foreseen, Repair, State, Window
from everstep.core.model import MessageKind, OpStatus, RunStatus
from everstep.core.progress import not_begun, progress
from everstep.core.records import replace
from everstep.core.watch import watch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.core.decisions import Decision
    from everstep.core.diagnosis import Known
    from everstep.core.model import Head, History

_LOOKS: Final = 4
_MISSING: Final = "WorkflowMissingError"
_DEAD_LETTER: Final = "DeadLetter"
_SWEEPER: Final = (
    "the sweeper has not looked at it in time: see whether its schedule is enabled, and its log"
)
_CAUSES: Final[Mapping[State, Cause]] = {
    State.OVERDUE: Cause.MESSAGE_LOST,
    State.UNDER_WAY: Cause.UNDER_WAY,
    State.RETRYING: Cause.RETRYING,
    State.WAITING: Cause.WAITING,
    State.SLEEPING: Cause.SLEEPING,
}
"""The worst first: one of these in the frontier is why the run is where it is."""


def diagnose(history: History, decision: Decision | None, now: int, known: Known) -> Diagnosis:
    """Return why a run does not move.

    Args:
        history: Head, records and events.
        decision: Where its workflow stands; None if that could not be found out.
        now: The present.
        known: What else is known.
    """
    status = (
        not_begun(history.head) if history.begins_later(now) else progress(history, decision, [])
    ).status
    head = history.head
    base = Diagnosis(
        run_id=head.run_id, status=status, cause=Cause.UNDER_WAY, says="", due_at=head.due_at
    )
    if head.status.terminal:
        return _ended(base, head)
    if head.status is RunStatus.PAUSED:
        return _paused(base, known)
    if head.status is RunStatus.STALLED:
        return _stalled(base, history, decision)
    found = _running(base, history, decision, now, known)
    found = replace(found, foreseen=_foreseen(history, decision, found, now, known))
    return _watched(found, head, now, known)


# --- What stands still


def _ended(base: Diagnosis, head: Head) -> Diagnosis:
    says = f"it is {head.status}"
    advice = ""
    if head.successor is not None:
        says, advice = f"{says}: run {head.successor} goes on in its place", "look at that run"
    elif head.error is not None:
        says = f"{says}: {head.error.type}: {head.error.message}"
        advice = "runs retry goes on from where it failed, in a new run"
    return replace(base, cause=Cause.ENDED, says=says, since=head.ended_at, advice=advice)


def _paused(base: Diagnosis, known: Known) -> Diagnosis:
    last = known.last
    by = f" by {last.who}" if last is not None and last.who else ""
    why = f" ({last.why})" if last is not None and last.why else ""
    return replace(
        base,
        cause=Cause.PAUSED,
        says=f"it was paused{by}{why}",
        since=None if last is None else last.at,
        advice="runs resume lets it go on; nothing else does",
    )


def _stalled(base: Diagnosis, history: History, decision: Decision | None) -> Diagnosis:
    stall = history.head.stall
    kind = "" if stall is None else stall.reason.type
    why = "nobody has said why" if stall is None else f"{kind}: {stall.reason.message}"
    found = replace(
        base,
        cause=Cause.STALLED,
        says=f"it stands still: {why}",
        since=None if stall is None else stall.at,
        window=_window_of(kind, history),
    )
    if decision is None or isinstance(decision, Broken):
        still = "the code at hand cannot go on with it" if decision else "its code is not at hand"
        return replace(found, advice=f"{still}: mend that, deploy it, then runs resume")
    if kind == _DEAD_LETTER:
        mended = "see the step executor's log whether the cause is mended; then resume it"
    else:
        mended = "the code at hand can go on with it: resume it"
    return replace(found, repair=Repair.RESUME, advice=mended)


def _window_of(kind: str, history: History) -> Window:
    if kind == _MISSING:
        return Window.VERSION
    if kind != _DEAD_LETTER:
        return Window.CODE
    begun = any(each.status is OpStatus.STARTED for each in history.records.values())
    return Window.UNKNOWN if begun else Window.NEVER_FINISHED


# --- What runs


def _running(
    base: Diagnosis, history: History, decision: Decision | None, now: int, known: Known
) -> Diagnosis:
    head = history.head
    if history.begins_later(now):
        return replace(
            base,
            cause=Cause.BEGINS_LATER,
            says="it is to begin later",
            since=head.created_at,
            until=head.begins_at,
        )
    if decision is None:
        why = known.missing or "its code does not come to rest"
        advice = "deploy it: with its next message the run would stall"
        return replace(
            base, cause=Cause.VERSION_MISSING, says=why, window=Window.VERSION, advice=advice
        )
    if isinstance(decision, Broken):
        says = f"the code at hand disagrees with what is recorded: {decision.error.message}"
        advice = "mend the code, or put the old one back: with its next message the run would stall"
        return replace(
            base, cause=Cause.CODE_DISAGREES, says=says, window=Window.CODE, advice=advice
        )
    seen = _frontier(history, decision, now, known)
    return _of_the_run(replace(base, awaited=seen), history, decision, now, known)


def _frontier(history: History, decision: Decision, now: int, known: Known) -> tuple[Awaited, ...]:
    frontier = decision.frontier if isinstance(decision, Suspended) else ()
    return tuple(awaited(each, history, now, known) for each in frontier)


def _of_the_run(
    base: Diagnosis, history: History, decision: Decision, now: int, known: Known
) -> Diagnosis:
    head = history.head
    if head.ending is not None and not _has_heard(decision):
        since = max(head.ending.at, _progress(history))
        says = f"it was told to end ({head.ending.status}), and its code has not heard of it yet"
        found = replace(base, cause=Cause.IS_TO_END, says=says, since=head.ending.at)
        return _overdue(found, since, now, known, Window.MESSAGE)
    if head.ending is None and head.deadline is not None and head.deadline <= now:
        found = replace(base, cause=Cause.TIME_IS_UP, says="its time is up", since=head.deadline)
        return _overdue(found, head.deadline, now, known, Window.MESSAGE)
    if not history.records:
        return _starting(base, head, now, known)
    if isinstance(decision, Returned | Raised):
        since = _progress(history)
        found = replace(
            base, cause=Cause.FINISHING, says="its code has come to its end", since=since
        )
        return _overdue(found, since, now, known, Window.LAST_COMMIT)
    return _suspended(base, history, decision, now, known)


def _starting(base: Diagnosis, head: Head, now: int, known: Known) -> Diagnosis:
    """Judge a run of which nothing is recorded; a short sleep leaves no record either."""
    resumed = head.resumed_at is not None
    since = max(head.begins_at, head.resumed_at or 0)
    wakes = [each.until for each in base.awaited if each.until is not None]
    asleep = bool(wakes) and all(each.state is State.SLEEPING for each in base.awaited)
    found = replace(
        base,
        cause=Cause.SLEEPING if asleep else Cause.STARTING,
        says="it sleeps" if asleep else "its first message is queued, or its first step runs",
        since=since,
        until=min(wakes, default=None),
    )
    window = Window.RESUME_SEND if resumed else Window.FIRST_SEND
    late = _overdue(found, max([since, *wakes]), now, known, window)
    what = "the resumption" if resumed else "the start"
    says = f"nothing is recorded of it: the message of {what} is lost or very late"
    return late if late.repair is None else replace(late, says=says)


def _suspended(
    base: Diagnosis, history: History, decision: Decision, now: int, known: Known
) -> Diagnosis:
    closable = decision.closable if isinstance(decision, Suspended) else ()
    if closable:
        group = closable[0]
        found = replace(
            base, says=f"the group {group.key} is about to be closed", since=group.ready_at
        )
        return _overdue(found, group.ready_at, now, known, Window.MESSAGE)
    for state, cause in _CAUSES.items():
        these = [each for each in base.awaited if each.state is state]
        if these:
            first = these[0]
            return replace(
                base,
                cause=cause,
                says="; ".join(f"{each.key} {each.says}" for each in these),
                since=first.since,
                until=min((each.until for each in these if each.until is not None), default=None),
                window=_window_after_resumption(first, history),
                repair=Repair.RECOVER if state is State.OVERDUE else None,
            )
    return replace(base, says="it waits for nothing", since=_progress(history))


def _window_after_resumption(first: Awaited, history: History) -> Window | None:
    resumed = history.head.resumed_at
    lost = first.window is Window.MESSAGE
    return (
        Window.RESUME_SEND
        if lost and resumed is not None and _progress(history) <= resumed
        else first.window
    )


def _overdue(found: Diagnosis, expected: int, now: int, known: Known, window: Window) -> Diagnosis:
    """Return the same, with the failure window and the repair if it is more than late."""
    if now < expected + known.grace:
        return found
    says = f"{found.says}, and its message is lost or very late"
    return replace(found, says=says, window=window, repair=Repair.RECOVER)


def _has_heard(decision: Decision) -> bool:
    return not isinstance(decision, Suspended) or all(
        each.interrupted for each in decision.frontier
    )


def _progress(history: History) -> int:
    """Return when something of the run was recorded last."""
    ended = (each.ended_at or 0 for each in history.records.values())
    return max([history.head.begins_at, *ended])


# --- What happens by itself


def _foreseen(
    history: History, decision: Decision | None, found: Diagnosis, now: int, known: Known
) -> Foreseen | None:
    looks = [_timer(history, each) for each in found.awaited if each.state is State.OVERDUE]
    looks.append(_watchdog(history, decision, now, known))
    due = [replace(each, at=max(each.at, now)) for each in looks if each is not None]
    return min(due, key=lambda each: each.at, default=None)


def _timer(history: History, it: Awaited) -> Foreseen | None:
    record = history.records.get(it.key)
    if record is None or record.due_at is None:
        return None
    step = record.status is OpStatus.RETRY
    return Foreseen(kind=MessageKind.STEP if step else MessageKind.TIMER, at=record.due_at)


def _watchdog(
    history: History, decision: Decision | None, now: int, known: Known
) -> Foreseen | None:
    look = history.head.due_at
    for _ in range(_LOOKS):
        if look is None:
            return None
        when = max(look, now)
        seen = watch(
            history,
            decision,
            when,
            watchdog=known.watchdog,
            grace=known.grace,
            children_ended=any(
                head is None or head.status.terminal for head in known.children.values()
            ),
        )
        if seen.send is not None:
            return Foreseen(kind=seen.send.kind, at=when)
        look = seen.next_look
    return None


def _watched(found: Diagnosis, head: Head, now: int, known: Known) -> Diagnosis:
    """Say if the sweeper, which repairs what gets lost, does not know the run, or does not look."""
    if head.due_at is None:
        return replace(
            found,
            cause=Cause.NOT_WATCHED,
            says=f"the sweeper does not know of it; {found.says}",
            repair=Repair.RECOVER,
        )
    if head.due_at + known.grace <= now:
        advice = "; ".join(filter(None, (found.advice, _SWEEPER)))
        return replace(found, advice=advice)
    return found
