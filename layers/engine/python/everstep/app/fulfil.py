"""Carry out what a message owes: arm timers, end the run, send messages."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

from everstep.app.outbox import message_for, send
from everstep.app.payloads import pack, unpack
from everstep.core.changes import RunEnded
from everstep.core.decide import Arm, Close, End, Rearm, Send, Take
from everstep.core.decisions import Raised
from everstep.core.errors import PayloadTooLargeError
from everstep.core.failures import describe
from everstep.core.model import RunStatus
from everstep.core.transitions import ARMED, JOIN_CLOSED, REARMED, RUN_ENDED, WAIT_ENDED
from everstep.core.waits import fulfilled, needs_claim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.app.engine import Engine
    from everstep.core.decide import Effect
    from everstep.core.decisions import Pending, Returned
    from everstep.core.model import Event, Message, OpRecord


def fulfil(engine: Engine, message: Message, effects: Iterable[Effect]) -> None:
    """Carry out every effect; each may be repeated, by this message or another.

    A write that a guard refuses was made before, which is as good.

    Raises:
        UnavailableError: A service did not answer; the rest is still owed.
    """
    sends = []
    for effect in effects:
        match effect:
            case Send():
                sends.append(message_for(engine, message.run_id, effect))
            case Close(record=record):
                _close(engine, message.run_id, record)
            case Take(pending=pending, event=event):
                take(engine, message, pending, event)
            case Arm(record=record):
                engine.runs.put(message.run_id, record, ARMED)
            case Rearm(key=key, due_at=due_at):
                engine.runs.move(message.run_id, key, due_at, REARMED)
            case End(outcome=outcome):
                engine.runs.change(message.run_id, _ended(engine, message, outcome), RUN_ENDED)
            case _:
                assert_never(effect)
    send(engine, sends)


def take(engine: Engine, message: Message, pending: Pending, event: Event) -> bool:
    """Let a wait take an event; say whether it did, or somebody else was first.

    Where several waits may be after one event, it is claimed before: whoever has claimed it
    takes it, also if its process dies in between.
    """
    run_id, key = message.run_id, pending.key
    if needs_claim(key) and not engine.runs.claim_event(run_id, event.name, event.number, key):
        return False
    text = unpack(engine, event.payload).at_hand
    record = fulfilled(pending, event, text, message.token, engine.clock.now())
    if record.result is not None:
        packed = pack(engine, record.result.at_hand, f"the event {event.name}")
        record = replace(record, result=packed.recorded)
    return engine.runs.put(run_id, record, WAIT_ENDED)


def _close(engine: Engine, run_id: str, record: OpRecord) -> None:
    if record.result is not None:
        joined = pack(engine, record.result.at_hand, f"the join of {record.key}")
        engine.runs.put(run_id, replace(record, result=joined.recorded), JOIN_CLOSED)


def _ended(engine: Engine, message: Message, outcome: Returned | Raised) -> RunEnded:
    at = engine.clock.now()
    if isinstance(outcome, Raised):
        return RunEnded(status=RunStatus.FAILED, by=message.token, at=at, error=outcome.error)
    try:
        result = pack(engine, outcome.output, "the output of the workflow")
    except PayloadTooLargeError as error:
        return RunEnded(status=RunStatus.FAILED, by=message.token, at=at, error=describe(error))
    return RunEnded(status=RunStatus.COMPLETED, by=message.token, at=at, result=result.recorded)
