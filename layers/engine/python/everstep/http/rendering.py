"""Runs as JSON for people and programs; secrets are masked, see ``core.masking``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep.core.audit import ENGINE, Action, seal
from everstep.core.codec import decode, masked, plain
from everstep.core.durations import to_iso
from everstep.core.failures import masked as masked_error
from everstep.core.keys import name_of
from everstep.core.model import OpKind, OpStatus, RunStatus
from everstep.core.trace_context import correlation_id_of, trace_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.app.query import Outcome, Page, RunView
    from everstep.core.audit import AuditEntry
    from everstep.core.audit_check import Verdict
    from everstep.core.circumstances import Ending, Origin, Parent
    from everstep.core.decisions import Pending
    from everstep.core.listing import Listed
    from everstep.core.masking import Masking
    from everstep.core.model import ErrorInfo, Event, OpRecord, Payload, Stall

SCHEDULED: Final = "SCHEDULED"
"""Status of a step that was asked for and has left no record yet: queued, or running now."""
WAITING: Final = "WAITING"
"""Status of what waits, whether or not that is recorded."""
_WAITS: Final = frozenset({OpKind.SLEEP, OpKind.WAIT, OpKind.CALLBACK, OpKind.CHILD})


def run(view: RunView) -> dict[str, Any]:
    """Return a run in full, without its steps."""
    head, progress, masking = view.head, view.progress, view.masking
    started = [each.started_at for each in progress.records if each.started_at is not None]
    return {
        "run_id": head.run_id,
        "workflow": head.workflow,
        "version": head.version,
        "status": progress.status,
        "reference_id": head.reference_id,
        "tags": masking.data(dict(head.tags)),
        "created_at": to_iso(head.created_at),
        "starts_at": _time(head.starts_at),
        "started_at": _time(min(started, default=None)),
        "ended_at": _time(head.ended_at),
        "wake_at": _time(progress.wake_at),
        "deadline": _time(head.deadline),
        "input": _value(head.input, masking),
        "result": _value(head.result, masking),
        "error": _error(head.error, masking),
        "stall": _stall(head.stall, masking),
        "successor": head.successor,
        "parent": _parent(head.parent),
        "ending": _ending(head.ending, masking),
        "origin": None if head.origin is None else origin(head.origin),
        "trace_id": trace_of(head).trace_id,
        "correlation_id": correlation_id_of(head),
    }


def steps(view: RunView) -> list[dict[str, Any]]:
    """Return a run's operations: what is recorded, and then what has left no record yet."""
    recorded = [_step(each, view.masking) for each in view.progress.records]
    return recorded + [_scheduled(each) for each in view.progress.scheduled]


def event(event: Event, masking: Masking) -> dict[str, Any]:
    """Return an event that was sent to a run."""
    return {
        "name": event.name,
        "number": event.number,
        "at": to_iso(event.at),
        "payload": _value(event.payload, masking),
        "taken_by": event.taken_by,
    }


def page(found: Page) -> dict[str, Any]:
    """Return one page of a list of runs."""
    return {"runs": [_listed(each) for each in found.runs], "cursor": found.cursor}


def ended(found: Outcome | RunView, *, recorded: bool = False) -> dict[str, Any]:
    """Return how a run ended: with its result, plain or as recorded, its error or successor."""
    head, masking = found.head, found.masking
    shown: dict[str, Any] = {"run_id": head.run_id, "status": head.status}
    if head.successor is not None:
        return shown | {"successor": head.successor}
    if head.status is RunStatus.COMPLETED:
        form = _tagged if recorded else _value
        return shown | {"result": form(head.result, masking)}
    return shown | {"error": _error(head.error, masking)}


def origin(origin: Origin) -> dict[str, Any]:
    """Return where a run goes on that goes on from another one."""
    return {"run_id": origin.run_id, "from_step": origin.op or None}


def audited(entry: AuditEntry) -> dict[str, Any]:
    """Return an audit entry, with its own hash."""
    return {
        "number": entry.number,
        "at": to_iso(entry.at),
        "action": entry.action,
        "by": entry.who,
        "reason": entry.why,
        "details": dict(entry.details),
        "previous": entry.previous,
        "hash": seal(entry),
    }


def trail(entries: Sequence[AuditEntry], started_at: int | None) -> list[dict[str, Any]]:
    """Return an audit; that the code began stands in it where it belongs by its time."""
    shown = [audited(each) for each in entries]
    if started_at is not None:
        later = [n for n, each in enumerate(entries) if n and each.at >= started_at]
        shown.insert(later[0] if later else len(shown), _started(started_at))
    return shown


def verdict(found: Verdict) -> dict[str, Any]:
    """Return what a check of an audit has found."""
    breaks = [{"number": b.entry, "harm": b.harm, "detail": b.detail} for b in found.breaks]
    return {
        "whole": found.whole,
        "proven": found.proven,
        "entries": found.entries,
        "hash": found.hash or None,
        "breaks": breaks,
    }


def _started(at: int) -> dict[str, Any]:
    """Return when the code began, which is no entry: nothing was written for it."""
    what = {"number": None, "at": to_iso(at), "action": Action.STARTED, "by": ENGINE}
    return {**what, "reason": None, "details": {}, "previous": None, "hash": None}


def _listed(item: Listed) -> dict[str, Any]:
    return {
        "run_id": item.run_id,
        "workflow": item.workflow,
        "version": item.version,
        "status": item.status,
        "reference_id": item.reference_id,
        "tags": dict(item.tags),
        "created_at": to_iso(item.created_at),
        "starts_at": _time(item.starts_at),
        "ended_at": _time(item.ended_at),
    }


def _step(record: OpRecord, masking: Masking) -> dict[str, Any]:
    ended_at, started_at = record.ended_at, record.started_at
    took = None if ended_at is None or started_at is None else ended_at - started_at
    return {
        "key": record.key,
        "name": name_of(record.key),
        "kind": record.kind,
        "status": record.status,
        "attempt": record.attempt,
        "started_at": _time(started_at),
        "ended_at": _time(ended_at),
        "wake_at": _time(record.wake_at),
        "lateness_ms": _lateness(record),
        "duration_ms": took,
        "result": _value(record.result, masking),
        "error": _error(record.error, masking),
        "child": _child(record),
    }


def _scheduled(pending: Pending) -> dict[str, Any]:
    waits = pending.operation.kind in _WAITS
    return {
        "key": pending.key,
        "name": name_of(pending.key),
        "kind": pending.operation.kind,
        "status": WAITING if waits else SCHEDULED,
        "attempt": 0,
        "started_at": to_iso(pending.ready_at) if waits else None,
        "ended_at": None,
        "wake_at": _time(pending.wake_at),
        "lateness_ms": None,
        "duration_ms": None,
        "result": None,
        "error": None,
        "child": None,
    }


def _child(record: OpRecord) -> dict[str, Any] | None:
    """Return the run that an operation has started, or waits for, and what it ended as."""
    if record.child is None:
        return None
    done = record.kind is OpKind.CHILD and record.status is OpStatus.DONE
    status = RunStatus.COMPLETED if done else record.outcome
    return {"run_id": record.child, "status": status}


def _parent(parent: Parent | None) -> dict[str, Any] | None:
    return None if parent is None else {"run_id": parent.run_id, "operation": parent.op}


def _ending(ending: Ending | None, masking: Masking) -> dict[str, Any] | None:
    if ending is None:
        return None
    return {
        "status": ending.status,
        "at": to_iso(ending.at),
        "by": ending.who,
        "reason": None if ending.why is None else masking.text(ending.why),
    }


def _lateness(record: OpRecord) -> int | None:
    """Return how much later than asked for a sleep ended."""
    over = record.kind is OpKind.SLEEP and record.status is OpStatus.DONE
    if not over or record.ended_at is None or record.wake_at is None:
        return None
    return record.ended_at - record.wake_at


def _time(millis: int | None) -> str | None:
    return None if millis is None else to_iso(millis)


def _value(payload: Payload | None, masking: Masking) -> Any:  # noqa: ANN401 - JSON
    if payload is None or payload.text is None:
        return None
    return masking.data(plain(decode(payload.text)))


def _tagged(payload: Payload | None, masking: Masking) -> Any:  # noqa: ANN401 - JSON
    if payload is None or payload.text is None:
        return None
    return masking.data(masked(payload.text))


def _error(error: ErrorInfo | None, masking: Masking) -> dict[str, Any] | None:
    if error is None:
        return None
    shown = masked_error(error, masking)
    return {"type": shown.type, "message": shown.message, "operation": error.operation}


def _stall(stall: Stall | None, masking: Masking) -> dict[str, Any] | None:
    if stall is None:
        return None
    shown = {**(_error(stall.reason, masking) or {}), "at": to_iso(stall.at)}
    # What the engine has written itself: its token is none of the user's.
    return shown if stall.message is None else shown | {"message_body": stall.message}
