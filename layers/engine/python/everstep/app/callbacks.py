"""Callbacks: complete them, fail them, or show that somebody is still at work on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.events import tell
from everstep.app.payloads import pack, unpack
from everstep.core.errors import CallbackGoneError, CallbackNotFoundError, IllegalStateError
from everstep.core.model import Event, OpStatus, Payload
from everstep.core.tokens import is_genuine, read_token
from everstep.core.waits import SIGN_OF_LIFE, completed_text, failed_text

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.model import History


def complete_callback(engine: Engine, token: str, value: object) -> bool:
    """Complete a callback with a value; say whether this call did, or the same one before.

    Args:
        engine: The ports.
        token: What ``ctx.callback`` gave.
        value: JSON data.

    Raises:
        CallbackNotFoundError: There is no such token.
        CallbackGoneError: Its run has ended, or does not wait for it any more.
        IllegalStateError: It was answered before, and differently.
        PayloadTooLargeError: The value is over the limit.
        UnavailableError: Nothing is known; the same call is harmless.
    """
    return _answer(engine, token, completed_text(value))


def fail_callback(engine: Engine, token: str, error_type: str, message: str) -> bool:
    """Say that a callback cannot be completed; say whether this call did, or the same before.

    Raises:
        CallbackNotFoundError: There is no such token.
        CallbackGoneError: Its run has ended, or does not wait for it any more.
        IllegalStateError: It was answered before, and differently.
        UnavailableError: Nothing is known; the same call is harmless.
    """
    return _answer(engine, token, failed_text(error_type, message))


def heartbeat_callback(engine: Engine, token: str) -> None:
    """Show that somebody is at work on a callback.

    Raises:
        CallbackNotFoundError: There is no such token.
        CallbackGoneError: Its run has ended, or does not wait for it any more.
        UnavailableError: Nothing is known; the same call is harmless.
    """
    history, key = _found(engine, token)
    sign = Event(name=key, number=SIGN_OF_LIFE, payload=Payload(), at=engine.clock.now())
    engine.runs.replace_event(history.head.run_id, sign)


def _answer(engine: Engine, token: str, text: str) -> bool:
    payload = pack(engine, text, "the answer to a callback")
    history, key = _found(engine, token)
    run_id = history.head.run_id
    answer = Event(name=key, number=1, payload=payload.recorded, at=engine.clock.now())
    created = engine.runs.put_event(run_id, answer)
    if not created:
        _check_same(engine, run_id, key, text)
    tell(engine, run_id)
    return created


def _found(engine: Engine, token: str) -> tuple[History, str]:
    """Return the run of a token, and the operation; only if somebody can still wait for it."""
    named = read_token(token)
    history = None if named is None else engine.runs.load(named[0])
    if named is None or history is None or not is_genuine(token, *named, history.head.secret):
        raise CallbackNotFoundError
    key, status = named[1], history.head.status
    if status.terminal:
        raise CallbackGoneError(f"run {history.head.run_id} is {status}")
    record = history.records.get(key)
    if record is not None and record.status in (OpStatus.FAILED, OpStatus.CANCELLED):
        reason = record.error.message if record.error else record.status
        raise CallbackGoneError(f"{key} of run {history.head.run_id} has ended: {reason}")
    return history, key


def _check_same(engine: Engine, run_id: str, key: str, text: str) -> None:
    """Accept an answer that was given before, if it was the same one."""
    history = engine.runs.load(run_id)
    events = history.events if history else ()
    before = next((each for each in events if (each.name, each.number) == (key, 1)), None)
    if before is not None and unpack(engine, before.payload).at_hand != text:
        raise IllegalStateError(f"{key} of run {run_id} was answered before, and differently")
