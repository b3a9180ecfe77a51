"""Recorded text between records and the blob store, readable or not for others.

What a payload codec has made of a text begins with a mark that no JSON begins with: whatever was
recorded before there was a codec stays readable, and so does what was recorded with another key.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from everstep.core.errors import PayloadTooLargeError, UnreadablePayloadError
from everstep.core.hiding import hidden_of_head, hidden_text, values_of
from everstep.core.model import History, Payload
from everstep.core.places import owner
from everstep.core.records import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from everstep.app.engine import Engine
    from everstep.core.hiding import Hidden
    from everstep.core.model import Head, OpRecord
    from everstep.core.replay import Replay
    from everstep.ports import PayloadCodec

SEAL: Final = "!"
"""What a sealed text begins with."""
_SECRETS: Final = "what is to be masked"


class Plain:
    """The codec that leaves every text as it is, and reads what another one has left behind."""

    def __init__(self, before: Callable[[], PayloadCodec] | None = None) -> None:
        """Keep how to make the codec that was set before, if any can be told."""
        self._make = before

    @cached_property
    def _before(self) -> PayloadCodec | None:
        return None if self._make is None else self._make()

    def encode(self, text: str, _context: Mapping[str, str]) -> str:
        """Return the text itself."""
        return text

    def decode(self, text: str, context: Mapping[str, str]) -> str:
        """Return what another codec has written, if it can.

        Raises:
            UnreadablePayloadError: It cannot.
        """
        if self._before is not None:
            return self._before.decode(text, context)
        raise UnreadablePayloadError("it was written with a payload codec, and none is set here")


PLAIN: Final = Plain()


def check_size(engine: Engine, text: str, what: str) -> int:
    """Return the bytes of a text.

    Raises:
        PayloadTooLargeError: Over the limit.
    """
    size = len(text.encode())
    if size > engine.limits.payload:
        raise PayloadTooLargeError(what, size, engine.limits.payload)
    return size


def pack(engine: Engine, run_id: str, text: str, what: str, inline: int | None = None) -> Payload:
    """Return the payload of a text, at hand; a large one is in the blob store before this returns.

    Args:
        engine: The ports.
        run_id: The run that it is recorded of; nobody can read it as another one's.
        text: The text.
        what: Names it in errors.
        inline: Bytes above which it is large; the engine's limit if not given.

    Raises:
        PayloadTooLargeError: Over the limit; nothing was written.
        UnavailableError: A service did not answer.
    """
    size = check_size(engine, text, what)
    encoded = engine.codec.encode(text, _context(run_id))
    if encoded is text:
        sealed, room = None, size
    else:
        sealed = SEAL + encoded
        room = len(sealed.encode())
    limit = engine.limits.inline if inline is None else inline
    ref = engine.blobs.put(run_id, sealed or text) if room > limit else None
    return Payload(text=text, ref=ref, size=size, sealed=sealed)


def pack_secrets(engine: Engine, run_id: str, values: Collection[str]) -> Payload | None:
    """Return the payload of a run's secrets, as it is recorded; None if there are none."""
    if not values:
        return None
    return pack(engine, run_id, hidden_text(values), _SECRETS).recorded


def unpack(engine: Engine, run_id: str, payload: Payload) -> Payload:
    """Return the payload of a run with its text at hand.

    Raises:
        UnreadablePayloadError: Its text cannot be made readable.
        UnavailableError: A service did not answer.
    """
    if payload.sealed is not None:
        return payload
    text = payload.text
    if payload.ref is not None and text is None:
        text = engine.blobs.get(payload.ref)
    if text is None or not text.startswith(SEAL):
        return payload if text is payload.text else replace(payload, text=text)
    return replace(payload, text=_opened(engine, run_id, text), sealed=text)


def move(engine: Engine, payload: Payload, source: str, target: str) -> Payload:
    """Return what is recorded of one run as another run's, as it is to be recorded there."""
    readable = isinstance(engine.codec, Plain) and payload.sealed is None
    if readable and not (payload.text or "").startswith(SEAL):
        return _copied(engine, payload.recorded, target)
    whole = unpack(engine, source, payload)
    return pack(engine, target, whole.at_hand, f"what was recorded of run {source}").recorded


def _copied(engine: Engine, payload: Payload, target: str) -> Payload:
    """Return a payload that goes with a run: what belongs to another one, and nothing else."""
    if payload.ref is None or owner(payload.ref) in (None, target):
        return payload
    return replace(payload, ref=engine.blobs.copy(payload.ref, target))


def load(engine: Engine, run_id: str) -> History | None:
    """Return a run's history with everything at hand that its workflow's code may ask for.

    Raises:
        UnreadablePayloadError: Something cannot be made readable.
        UnavailableError: A service did not answer.
    """
    read_at = engine.clock.now()
    history = engine.runs.load(run_id)
    if history is None:
        return None
    head = _head_at_hand(engine, history.head)
    records = {key: at_hand(engine, run_id, each) for key, each in history.records.items()}
    return History(head=head, records=records, events=history.events, read_at=read_at)


def _head_at_hand(engine: Engine, head: Head) -> Head:
    given = unpack(engine, head.run_id, head.input)
    hidden = head.hidden and unpack(engine, head.run_id, head.hidden)
    if given is head.input and hidden is head.hidden:
        return head
    return replace(head, input=given, hidden=hidden)


def with_outcome(engine: Engine, head: Head) -> Head:
    """Return a head with what it came to, and what is to be masked of it, at hand."""
    return replace(
        head,
        result=head.result and unpack(engine, head.run_id, head.result),
        hidden=head.hidden and unpack(engine, head.run_id, head.hidden),
    )


def secrets_of(engine: Engine, history: History) -> Hidden:
    """Return the secrets of a run as it is recorded; no payload is fetched for that.

    What is typed as secret in payloads that are elsewhere is told once the run has ended.
    """
    head = history.head
    hidden = hidden_of_head(with_outcome(engine, replace(head, result=None)), engine.masking)
    for record in history.records.values():
        hidden.recorded(record.hidden and unpack(engine, head.run_id, record.hidden))
    return hidden


def at_hand(engine: Engine, run_id: str, record: OpRecord) -> OpRecord:
    """Return a record with everything at hand."""
    result, hidden = record.result, record.hidden
    if result is not None:
        result = unpack(engine, run_id, result)
    if hidden is not None:
        hidden = unpack(engine, run_id, hidden)
    if result is record.result and hidden is record.hidden:
        # Most are: a copy takes longer than all the rest that is done to read a record.
        return record
    return replace(record, result=result, hidden=hidden)


def recorded(record: OpRecord) -> OpRecord:
    """Return a record as it is written."""
    result = record.result and record.result.recorded
    hidden = record.hidden and record.hidden.recorded
    if result is record.result and hidden is record.hidden:
        return record
    return replace(record, result=result, hidden=hidden)


def _context(run_id: str) -> dict[str, str]:
    return {"run_id": run_id}


def _opened(engine: Engine, run_id: str, text: str) -> str:
    try:
        return engine.codec.decode(text.removeprefix(SEAL), _context(run_id))
    except UnreadablePayloadError as error:
        message = f"a payload of run {run_id} cannot be read: {error}"
        raise UnreadablePayloadError(message) from error


def with_secrets(engine: Engine, run_id: str, record: OpRecord, replay: Replay) -> OpRecord:
    """Return a record with the secrets that are to be recorded with it, at hand.

    Args:
        engine: The ports.
        run_id: The run.
        record: What is to be written; what it holds already is recorded, too.
        replay: The pass that leads to it.
    """
    owed = replay.session.hidden.owed(replay.records.get(record.key))
    values = dict.fromkeys((*values_of(record.hidden), *owed))
    if not values:
        return record
    return replace(record, hidden=pack(engine, run_id, hidden_text(values), _SECRETS))
