"""What can happen to a run's head, as facts that every store applies alike."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, assert_never

from everstep.core.audit import seal
from everstep.core.circumstances import Trail
from everstep.core.model import RunStatus
from everstep.core.records import dataclass, replace
from everstep.core.run_logs import NO_LOGS

if TYPE_CHECKING:
    from everstep.core.audit import AuditEntry
    from everstep.core.circumstances import Ending, Seal
    from everstep.core.model import ErrorInfo, Head, Payload, Stall
    from everstep.core.run_logs import Logs


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """The run became terminal; it leaves the due index, or stands there until it is removed.

    With its seal it is an entry of the audit itself, see ``trail.sealed``.
    """

    status: RunStatus
    by: str
    at: int
    result: Payload | None = None
    error: ErrorInfo | None = None
    successor: str | None = None
    seal: Seal | None = None
    hidden: Payload | None = None
    logs: Logs = NO_LOGS
    total: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStalled:
    """The run stands still until somebody resumes it; it leaves the due index."""

    by: str
    stall: Stall


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaused:
    """The run goes no further until somebody resumes it; it leaves the due index."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResumed:
    """The run goes on; the sweeper looks at it again at ``due_at``; it may have a new budget."""

    by: str
    at: int
    due_at: int
    budget: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTold:
    """The run is to end; the sweeper looks at ``due_at`` whether its code knows."""

    by: str
    ending: Ending
    due_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWatched:
    """The sweeper looked at the run and comes back at ``due_at``.

    Attributes:
        due_at: When.
        removal: Whether it comes back to remove the run, which has ended.
    """

    due_at: int
    removal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNoted:
    """Nothing but an entry of its audit is added to the run, whether or not it has ended."""


HeadChange = RunEnded | RunStalled | RunPaused | RunResumed | RunTold | RunWatched | RunNoted


def seal_of(change: HeadChange) -> Seal | None:
    """Return the entry of the audit that a change is itself."""
    return change.seal if isinstance(change, RunEnded) else None


def apply(head: Head, change: HeadChange, audit: AuditEntry | None = None) -> Head:
    """Return the head as it is after the change; it counts the entries of its audit, too."""
    changed = _applied(head, change)
    told = seal_of(change)
    if told is not None:
        before = head.trail or Trail(link="")
        trail = replace(
            before,
            link=told.link,
            sealed=told.number,
            after=told.after,
            started_at=told.started_at,
        )
        return replace(changed, generation=told.number, trail=trail)
    if audit is None:
        return changed
    trail = replace(head.trail or Trail(link=""), link=seal(audit))
    return replace(changed, generation=audit.number, trail=trail)


def _applied(head: Head, change: HeadChange) -> Head:
    match change:
        case RunEnded():
            return replace(
                head,
                status=change.status,
                by=change.by,
                ended_at=change.at,
                result=change.result,
                error=change.error,
                successor=change.successor,
                hidden=change.hidden or head.hidden,
                logs=change.logs,
                total=change.total,
                due_at=None if head.retention is None else change.at + head.retention,
            )
        case RunStalled(by=by, stall=stall):
            return replace(head, status=RunStatus.STALLED, by=by, stall=stall, due_at=None)
        case RunPaused(by=by):
            return replace(head, status=RunStatus.PAUSED, by=by, due_at=None)
        case RunResumed(by=by, at=at, due_at=due_at, budget=budget):
            return replace(
                head,
                budget=head.budget if budget is None else budget,
                status=RunStatus.RUNNING,
                by=by,
                resumed_at=at,
                due_at=due_at,
                stall=None,
            )
        case RunTold(by=by, ending=ending, due_at=due_at):
            return replace(
                head,
                status=RunStatus.RUNNING,
                by=by,
                ending=ending,
                due_at=due_at,
                stall=None,
            )
        case RunWatched(due_at=due_at):
            return replace(head, due_at=due_at)
        case RunNoted():
            return head
        case _:
            assert_never(change)
