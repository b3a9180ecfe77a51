"""Recorded text between records and the blob store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from everstep.core.errors import PayloadTooLargeError
from everstep.core.model import History, Payload

if TYPE_CHECKING:
    from everstep.app.engine import Engine


def pack(engine: Engine, text: str, what: str, inline: int | None = None) -> Payload:
    """Return the payload of a text, at hand; a large one is in the blob store before this returns.

    Args:
        engine: The ports.
        text: What to record.
        what: What that is, for the error.
        inline: Bytes above which it is large; the engine's limit if not given.

    Raises:
        PayloadTooLargeError: Over the limit; nothing was written.
    """
    size = len(text.encode())
    if size > engine.limits.payload:
        raise PayloadTooLargeError(what, size, engine.limits.payload)
    if size <= (engine.limits.inline if inline is None else inline):
        return Payload(text=text, size=size)
    return Payload(text=text, ref=engine.blobs.put(text), size=size)


def unpack(engine: Engine, payload: Payload) -> Payload:
    """Return the payload with its text at hand."""
    if payload.ref is None:
        return payload
    return replace(payload, text=engine.blobs.get(payload.ref))


def load(engine: Engine, run_id: str) -> History | None:
    """Return a run's history with everything at hand that its workflow's code may ask for."""
    history = engine.runs.load(run_id)
    if history is None:
        return None
    head = replace(history.head, input=unpack(engine, history.head.input))
    records = {
        key: replace(record, result=unpack(engine, record.result)) if record.result else record
        for key, record in history.records.items()
    }
    return replace(history, head=head, records=records)
