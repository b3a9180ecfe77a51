"""Write the record of an operation, with what was said on the way to it, and its secrets."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from everstep.app.metering import put_record
from everstep.app.payloads import pack, with_secrets
from everstep.core.errors import PayloadTooLargeError, UnavailableError
from everstep.core.failures import masked
from everstep.core.records import replace
from everstep.core.run_logs import LogChunk, Logs, encode, note

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.masking import Masking
    from everstep.core.model import OpRecord
    from everstep.core.replay import Replay
    from everstep.core.transitions import Guard

_LOG: Final = logging.getLogger("everstep.recording")
_WHAT: Final = "what was said"


def record_op(
    engine: Engine, run_id: str, record: OpRecord, guard: Guard, replay: Replay
) -> OpRecord | None:
    """Write a record if its guard allows it.

    Args:
        engine: The ports.
        run_id: The run.
        record: The record, with the lines that were said.
        guard: What must be recorded before.
        replay: The pass that leads to it: it knows the run's secrets.

    Returns:
        The record as it is written, everything at hand; None if somebody else wrote first.

    Raises:
        UnavailableError: The store did not answer.
    """
    masking = replay.session.hidden.masking
    at = record.ended_at or record.started_at or 0
    logs = keep_logs(engine, run_id, record.logs, at, masking, record.attempt)
    error = record.error and masked(record.error, masking)
    if logs is not record.logs or error is not record.error:
        record = replace(record, logs=logs, error=error)
    whole = with_secrets(engine, run_id, record, replay)
    return put_record(engine, run_id, whole, guard, replay.ledger.records.get(record.key))


def keep_logs(
    engine: Engine, run_id: str, logs: Logs, at: int, masking: Masking, attempt: int = 0
) -> Logs:
    """Return what is to be recorded of what was said; what has no room is in the blob store.

    Lines are worth less than what they are about: if they cannot be kept, that is said instead,
    and nothing is repeated for their sake.
    """
    if not logs.lines:
        return logs
    room = max(0, engine.limits.logs.inline - logs.inline)
    lines = [each.masked(masking) for each in logs.lines]
    try:
        payload = pack(engine, run_id, encode(lines), _WHAT, room)
    except (UnavailableError, PayloadTooLargeError) as error:
        _LOG.warning("lines are lost", extra={"error": type(error).__name__})
        lines = [note(at, f"{len(logs.lines)} lines are lost: {type(error).__name__}")]
        payload = pack(engine, run_id, encode(lines), _WHAT)
    chunk = LogChunk(at=at, attempt=attempt, count=len(lines), payload=payload.recorded)
    return logs.recorded(chunk)
