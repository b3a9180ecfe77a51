"""A run's history as a JSON document that people can read, compare, keep and hand on.

The document is one object with three fields::

    {
      "format": "everstep-history/1",
      "run": {"id", "workflow", "version", "status", "created_at", "starts_at", "ended_at",
              "input", "result", "error": {"type", "message", "operation", "trace"},
              "successor", "stalled": {"at", …error}},
      "operations": [{"key", "kind", "status", "attempt", "input_hash", "started_at", "ended_at",
                      "wake_at", "result", "error", "child", "outcome", "patches"}]
    }

Operations stand in the order in which the code asked for them. What is not known is left out;
``null`` is a value. Times are ISO 8601 in UTC with milliseconds. Payloads stand as what they are
in JSON, with the tags of ``codec``, secrets in clear; reading gives the recorded text back,
letter by letter. What only the engine needs to move a run on (tokens, index entries) is not
part of it: a document can be looked at and replayed, and not be put back.
"""

from __future__ import annotations

import json
from math import inf
from typing import TYPE_CHECKING, Any, Final

from everstep.core.circumstances import Origin
from everstep.core.documents import AGAIN, HistoryFormatError, Part, part_of, shown
from everstep.core.durations import to_iso
from everstep.core.model import (
    ErrorInfo,
    Head,
    History,
    OpKind,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
    Stall,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FORMAT: Final = "everstep-history/1"
_NAME: Final = "everstep-history/"
_ABSENT: Final = object()
_ERROR: Final = ("type", "message", "operation", "trace")
_RUN: Final = (
    *("id", "workflow", "version", "status", "created_at", "starts_at", "ended_at"),
    *("input", "result", "error", "successor", "stalled", "origin"),
)
_ORIGIN: Final = ("run_id", "op", "root", "root_created_at", "effects")
_OPERATION: Final = (
    *("key", "kind", "status", "attempt", "input_hash"),
    *("started_at", "ended_at", "wake_at", "result", "error", "child", "outcome", "patches"),
)
# The other statuses are derived from the history when somebody asks.
_RECORDED: Final = tuple(
    status
    for status in RunStatus
    if status not in (RunStatus.PENDING, RunStatus.SLEEPING, RunStatus.WAITING)
)
_NEEDED: Final = {
    OpStatus.DONE: ("ended_at",),
    OpStatus.FAILED: ("ended_at", "error"),
    OpStatus.CANCELLED: ("ended_at", "error"),
    OpStatus.RETRY: ("wake_at", "error"),
    OpStatus.WAITING: (),
    OpStatus.STARTED: ("wake_at",),
}


# --- Writing


def export_history(
    history: History, asked: Iterable[str] = (), *, traces: bool = True
) -> dict[str, Any]:
    """Return a history as a document.

    Args:
        history: Head and records, every payload at hand, that of the result included.
        asked: Keys in the order in which the code asked for them, where that is known; the
            other operations follow by time.
        traces: Tell where in the code errors came from. Line numbers change with every edit.

    Raises:
        ValueError: A payload is not at hand.
    """
    operations = [_operation(record, traces=traces) for record in in_order(history, asked)]
    return {"format": FORMAT, "run": _run(history.head, traces=traces), "operations": operations}


def in_order(history: History, asked: Iterable[str] = ()) -> list[OpRecord]:
    """Return a history's records in the order of these keys, the others by time after them."""
    place = {key: at for at, key in enumerate(asked)}
    last = len(place)

    def position(record: OpRecord) -> tuple[int, int, float]:
        # What has not ended comes after whatever began at the same time.
        ended = inf if record.ended_at is None else record.ended_at
        return place.get(record.key, last), record.started_at or 0, ended

    return sorted(history.records.values(), key=position)


def document_text(document: Mapping[str, Any]) -> str:
    """Return the text of a document's file; the same document always gives the same text."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _run(head: Head, *, traces: bool) -> dict[str, Any]:
    stall = head.stall
    return _present(
        id=head.run_id,
        workflow=head.workflow,
        version=head.version,
        status=head.status.value,
        created_at=to_iso(head.created_at),
        starts_at=_time(head.starts_at),
        ended_at=_time(head.ended_at),
        input=_value(head.input),
        result=_value(head.result),
        error=_error(head.error, traces=traces),
        successor=_ABSENT if head.successor is None else head.successor,
        stalled=_ABSENT
        if stall is None
        else {"at": to_iso(stall.at), **_error(stall.reason, traces=traces)},
        origin=_ABSENT if head.origin is None else _origin(head.origin),
    )


def _origin(origin: Origin) -> dict[str, Any]:
    return {
        "run_id": origin.run_id,
        "op": origin.op,
        "root": origin.root,
        "root_created_at": to_iso(origin.root_created_at),
        "effects": origin.effects,
    }


def _operation(record: OpRecord, *, traces: bool) -> dict[str, Any]:
    return _present(
        key=record.key,
        kind=record.kind.value,
        status=record.status.value,
        attempt=record.attempt,
        input_hash=record.input_hash,
        started_at=_time(record.started_at),
        ended_at=_time(record.ended_at),
        wake_at=_time(record.wake_at),
        result=_value(record.result),
        error=_error(record.error, traces=traces),
        child=_ABSENT if record.child is None else record.child,
        outcome=_ABSENT if record.outcome is None else record.outcome.value,
        patches=list(record.patches) or _ABSENT,
    )


def _present(**fields: object) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not _ABSENT}


def _time(millis: int | None) -> object:
    return _ABSENT if millis is None else to_iso(millis)


def _value(payload: Payload | None) -> object:
    return _ABSENT if payload is None else json.loads(payload.at_hand)


def _error(error: ErrorInfo | None, *, traces: bool) -> Any:  # noqa: ANN401 - an object or nothing
    if error is None:
        return _ABSENT
    return _present(
        type=error.type,
        message=error.message,
        operation=_ABSENT if error.operation is None else error.operation,
        trace=error.trace.split("\n") if traces and error.trace is not None else _ABSENT,
    )


# --- Reading


def parse_document(text: str) -> dict[str, Any]:
    """Return the document in a file's text, as far as it is one at all (see ``read_history``).

    Raises:
        HistoryFormatError: The text is no JSON object.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise HistoryFormatError("", f"is not JSON ({error})", AGAIN) from error
    if not isinstance(document, dict):
        raise HistoryFormatError("", f"is {shown(document)}, not an object", AGAIN)
    return document


def read_history(document: object) -> History:
    """Return the history that a document tells.

    Raises:
        HistoryFormatError: It tells none; the message names the field and what to do.
    """
    whole = part_of(document, "")
    _check_format(whole)
    whole.allow("format", "run", "operations")
    head = _head(whole.part("run", *_RUN))
    records: dict[str, OpRecord] = {}
    for at, item in enumerate(whole.items("operations")):
        part = part_of(item, f"operations[{at}]")
        part.allow(*_OPERATION)
        record = _record(part)
        if record.key in records:
            part.refuse("key", f"is {record.key!r} a second time", "a key names one operation")
        records[record.key] = record
    return History(head=head, records=records)


def _check_format(whole: Part) -> None:
    if "format" not in whole.fields:
        whole.refuse("format", "is missing", "this is no recorded history; export the run")
    found = whole.fields["format"]
    if found == FORMAT:
        return
    if isinstance(found, str) and found.startswith(_NAME):
        mend = f"this Everstep reads {FORMAT}; read it with the one that wrote it, or {AGAIN}"
        whole.refuse("format", f"is {found!r}", mend)
    whole.refuse("format", f"is {shown(found)}, not {FORMAT!r}", "this is no recorded history")


def _head(run: Part) -> Head:
    return Head(
        run_id=run.text("id"),
        workflow=run.text("workflow"),
        version=run.text("version"),
        status=run.one_of("status", _RECORDED),
        input=run.payload("input"),
        created_at=run.instant("created_at"),
        starts_at=run.maybe("starts_at", run.instant),
        by="",
        ended_at=run.maybe("ended_at", run.instant),
        result=run.maybe("result", run.payload),
        error=run.maybe("error", lambda name: _error_info(run.part(name, *_ERROR))),
        successor=run.maybe("successor", run.text),
        stall=run.maybe("stalled", lambda name: _stall(run.part(name, "at", *_ERROR))),
        origin=run.maybe("origin", lambda name: _read_origin(run.part(name, *_ORIGIN))),
    )


def _read_origin(origin: Part) -> Origin:
    return Origin(
        run_id=origin.text("run_id"),
        op=origin.string("op"),
        root=origin.text("root"),
        root_created_at=origin.instant("root_created_at"),
        effects=origin.text("effects"),
    )


def _record(operation: Part) -> OpRecord:
    status = operation.one_of("status", tuple(OpStatus))
    kind = operation.one_of("kind", tuple(OpKind))
    # A wait may have no time-out.
    sleeps = ("wake_at",) if (kind, status) == (OpKind.SLEEP, OpStatus.WAITING) else ()
    for name in (*_NEEDED[status], *sleeps):
        if name not in operation.fields:
            operation.refuse(name, f"is missing, although the status is {status}", AGAIN)
    return OpRecord(
        key=operation.text("key"),
        kind=kind,
        status=status,
        by="",
        input_hash=operation.string("input_hash"),
        attempt=operation.number("attempt"),
        started_at=operation.maybe("started_at", operation.instant),
        ended_at=operation.maybe("ended_at", operation.instant),
        wake_at=operation.maybe("wake_at", operation.instant),
        result=operation.maybe("result", operation.payload),
        error=operation.maybe("error", lambda name: _error_info(operation.part(name, *_ERROR))),
        child=operation.maybe("child", operation.text),
        outcome=operation.maybe("outcome", lambda name: operation.one_of(name, _RECORDED)),
        patches=operation.maybe("patches", operation.texts) or (),
    )


def _stall(stalled: Part) -> Stall:
    return Stall(reason=_error_info(stalled), at=stalled.instant("at"))


def _error_info(error: Part) -> ErrorInfo:
    return ErrorInfo(
        type=error.text("type"),
        message=error.string("message"),
        operation=error.maybe("operation", error.text),
        trace=error.maybe("trace", error.lines),
    )
