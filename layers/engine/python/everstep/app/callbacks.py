"""Callbacks: complete them, fail them, or show that somebody is still at work on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.events import put_charged, tell
from everstep.app.metering import recording
from everstep.app.payloads import check_size, pack, unpack
from everstep.core.errors import CallbackGoneError, CallbackNotFoundError, IllegalStateError
from everstep.core.model import Event, OpStatus, Payload
from everstep.core.records import replace
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
    _check_awaited(history, key)
    sign = Event(name=key, number=SIGN_OF_LIFE, payload=Payload(), at=engine.clock.now())
    before = [
        each.cost for each in history.events if (each.name, each.number) == (key, SIGN_OF_LIFE)
    ]
    with recording() as counts:
        cost = counts.take(engine.clock.ticks(), *before, requests=1)
        engine.runs.replace_event(history.head.run_id, replace(sign, cost=cost))


def _answer(engine: Engine, token: str, text: str) -> bool:
    check_size(engine, text, "the answer to a callback")
    history, key = _found(engine, token)
    run_id = history.head.run_id
    _check_runs(history)
    if _given(engine, history, key, text):
        # Whoever repeats it has not heard that it was kept, perhaps because of its message.
        tell(engine, run_id)
        return False
    _check_awaited(history, key)
    payload = pack(engine, run_id, text, "the answer to a callback").recorded
    answer = Event(name=key, number=1, payload=payload, at=engine.clock.now())
    created = put_charged(engine, run_id, answer, sends=1)
    if not created:
        _given(engine, _load(engine, run_id), key, text)
    tell(engine, run_id)
    return created


def _found(engine: Engine, token: str) -> tuple[History, str]:
    """Return the run of a token, and the operation.

    Raises:
        CallbackNotFoundError: Nobody has made this token, or its run is gone.
    """
    named = read_token(token)
    if named is None:
        raise CallbackNotFoundError
    history = _load(engine, named[0])
    if not is_genuine(token, *named, history.head.secret):
        raise CallbackNotFoundError
    return history, named[1]


def _load(engine: Engine, run_id: str) -> History:
    history = engine.runs.load(run_id)
    if history is None:
        raise CallbackNotFoundError
    return history


def _check_awaited(history: History, key: str) -> None:
    """Let only those go on whose answer can still reach the code.

    Raises:
        CallbackGoneError: The run has ended, or does not wait for the callback any more.
    """
    _check_runs(history)
    record = history.records.get(key)
    if record is not None and record.status in (OpStatus.FAILED, OpStatus.CANCELLED):
        reason = record.error.message if record.error else record.status
        raise CallbackGoneError(f"{key} of run {history.head.run_id} has ended: {reason}")


def _check_runs(history: History) -> None:
    """Refuse whatever comes after the run's end, a repetition of what it ended with included.

    Raises:
        CallbackGoneError: The run has ended.
    """
    head = history.head
    if head.status.terminal:
        raise CallbackGoneError(f"run {head.run_id} is {head.status}: its callbacks are over")


def _given(engine: Engine, history: History, key: str, text: str) -> bool:
    """Say whether this very answer was given before.

    Raises:
        CallbackGoneError: It was kept, but too late.
        IllegalStateError: Another one was.
    """
    before = next((each for each in history.events if (each.name, each.number) == (key, 1)), None)
    if before is None:
        return False
    record = history.records.get(key)
    if record is not None and record.status.final and record.event is None:
        _check_awaited(history, key)
    run_id = history.head.run_id
    if unpack(engine, run_id, before.payload).at_hand != text:
        raise IllegalStateError(f"{key} of run {run_id} was answered before, and differently")
    return True
