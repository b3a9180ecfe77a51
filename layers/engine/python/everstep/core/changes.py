"""What can happen to a run's head, as facts that every store applies alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from everstep.core.model import RunStatus
from everstep.core.run_logs import NO_LOGS

if TYPE_CHECKING:
    from everstep.core.audit import AuditEntry
    from everstep.core.circumstances import Ending
    from everstep.core.model import ErrorInfo, Head, Payload, Stall
    from everstep.core.run_logs import Logs


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """The run became terminal; it leaves the due index, or stands there until it is removed."""

    status: RunStatus
    by: str
    at: int
    result: Payload | None = None
    error: ErrorInfo | None = None
    successor: str | None = None
    hidden: Payload | None = None
    logs: Logs = NO_LOGS


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
    """The run goes on; the sweeper looks at it again at ``due_at``."""

    by: str
    at: int
    due_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTold:
    """The run is to end; the sweeper looks at ``due_at`` whether its code knows."""

    by: str
    ending: Ending
    due_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWatched:
    """The sweeper looked at the run and comes back at ``due_at``."""

    due_at: int


HeadChange = RunEnded | RunStalled | RunPaused | RunResumed | RunTold | RunWatched


def apply(head: Head, change: HeadChange, audit: AuditEntry | None = None) -> Head:
    """Return the head as it is after the change; with an audit entry it counts that, too."""
    changed = _applied(head, change)
    return changed if audit is None else replace(changed, generation=audit.number)


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
                due_at=None if head.retention is None else change.at + head.retention,
            )
        case RunStalled(by=by, stall=stall):
            return replace(head, status=RunStatus.STALLED, by=by, stall=stall, due_at=None)
        case RunPaused(by=by):
            return replace(head, status=RunStatus.PAUSED, by=by, due_at=None)
        case RunResumed(by=by, at=at, due_at=due_at):
            return replace(
                head,
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
        case _:
            assert_never(change)
