"""Write the record of an operation, with what was said on the way to it."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from everstep.app.payloads import pack
from everstep.core.errors import PayloadTooLargeError, UnavailableError
from everstep.core.run_logs import LogChunk, Logs, encode, note

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.model import OpRecord, Payload
    from everstep.core.transitions import Guard

_LOG: Final = logging.getLogger("everstep.recording")


def record_op(engine: Engine, run_id: str, record: OpRecord, guard: Guard) -> OpRecord | None:
    """Write a record if its guard allows it.

    Returns:
        The record as it is written; None if somebody else wrote first.

    Raises:
        UnavailableError: The store did not answer.
    """
    result = record.result.recorded if record.result else None
    logs = keep_logs(engine, record.logs, record.ended_at or record.started_at or 0, record.attempt)
    written = replace(record, result=result, logs=logs)
    return written if engine.runs.put(run_id, written, guard) else None


def keep_logs(engine: Engine, logs: Logs, at: int, attempt: int = 0) -> Logs:
    """Return what is to be recorded of what was said; what has no room is in the blob store.

    Lines are worth less than what they are about: if they cannot be kept, that is said instead,
    and nothing is repeated for their sake.
    """
    if not logs.lines:
        return logs
    room = max(0, engine.limits.logs.inline - logs.inline)
    try:
        payload = _packed(engine, logs, room)
    except (UnavailableError, PayloadTooLargeError) as error:
        _LOG.warning("lines are lost", extra={"error": type(error).__name__})
        lost = f"{len(logs.lines)} lines are lost: {type(error).__name__}"
        logs = replace(logs, lines=(note(at, lost),))
        payload = pack(engine, encode(logs.lines), "what was said")
    chunk = LogChunk(at=at, attempt=attempt, count=len(logs.lines), payload=payload.recorded)
    return logs.recorded(chunk)


def _packed(engine: Engine, logs: Logs, room: int) -> Payload:
    return pack(engine, encode(logs.lines), "what was said", room)
