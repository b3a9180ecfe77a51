"""Look after messages that could not be processed: nothing is lost, and nobody has to guess.

A message becomes a dead letter after it was received several times without being finished,
mostly because the function crashed, ran out of memory or out of time. If the run still owed
something to that message it is marked STALLED, with the reason and the message; a message whose
work somebody else has done is simply dropped.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from everstep.app.continuation import close_down
from everstep.app.payloads import load
from everstep.app.receive import put_aside
from everstep.app.stall import stall
from everstep.core import messages
from everstep.core.decide import duties
from everstep.core.decisions import Broken
from everstep.core.errors import MalformedMessageError, WorkflowMissingError
from everstep.core.model import HEAD, ErrorInfo, MessageKind, OpStatus, RunStatus
from everstep.core.observations import LetterBuried, RunAtHand
from everstep.core.repeats import ABOUT_ONE, is_anothers, is_repeat
from everstep.core.replay import Replay

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.model import History, Message, OpRecord


class Buried(StrEnum):
    """What came of a dead letter, for the log."""

    STALLED = "run stalled"
    KEPT = "kept"
    NOTHING_OWED = "nothing owed"


def dead_letter(engine: Engine, message_id: str, body: str, receives: int = 1) -> Buried:
    """Mark the run that a dead letter belongs to, or keep the message if there is none.

    Args:
        engine: The ports.
        message_id: The queue's id of the message.
        body: The message as it was sent.
        receives: How often this dead letter was delivered; from the second time on neither its
            workflow's code is run nor are payloads fetched, since that may be what fails.

    Raises:
        UnavailableError: A service did not answer; deliver the message again.
    """
    try:
        message = messages.decode(body)
    except MalformedMessageError as error:
        put_aside(engine, message_id, body, str(error))
        engine.observe(LetterBuried(run_id=None, outcome=Buried.KEPT))
        return Buried.KEPT
    buried = _bury(engine, message, message_id, body, receives)
    engine.observe(LetterBuried(run_id=message.run_id, outcome=buried))
    return buried


def _bury(engine: Engine, message: Message, message_id: str, body: str, receives: int) -> Buried:
    head = engine.runs.head(message.run_id)
    if head is None:
        put_aside(engine, message_id, body, f"there is no run {message.run_id}")
        return Buried.KEPT
    engine.observe(RunAtHand(head=head))
    if head.status.terminal:
        return _closed_down(engine, message)
    if head.status is not RunStatus.RUNNING:
        return Buried.NOTHING_OWED
    if not _may_owe(engine, message, receives):
        return Buried.NOTHING_OWED
    reason = _reason(engine, message)
    done = stall(engine, message.run_id, reason, by=message.token, message=body)
    return Buried.STALLED if done else Buried.NOTHING_OWED


def _closed_down(engine: Engine, message: Message) -> Buried:
    """Do what is left to do of a run that has ended; the message itself could not."""
    history = engine.runs.load(message.run_id)
    if history is not None:
        close_down(engine, message, history)
    return Buried.NOTHING_OWED


def _may_owe(engine: Engine, message: Message, receives: int) -> bool:
    """Say whether anything might be missing if the message were dropped."""
    if receives == 1:
        history = load(engine, message.run_id)
        return history is None or _still_owes(engine, message, history)
    recorded = engine.runs.load(message.run_id)
    record = recorded.records.get(message.op) if recorded else None
    return not (is_anothers(message, record) or _is_ended_by_another(message, record))


def _is_ended_by_another(message: Message, record: OpRecord | None) -> bool:
    """Say whether another message has done what this one was sent for, and goes on from it.

    News of an event, a child or a group is about what others have recorded, and does not end it.
    """
    if message.take or message.kind not in ABOUT_ONE or record is None:
        return False
    return record.status.final and record.by != message.token


def _still_owes(engine: Engine, message: Message, history: History) -> bool:
    """Say whether anything would be missing if the message were dropped."""
    try:
        definition = engine.registry.to_continue(history.head.workflow, history.head.version)
    except WorkflowMissingError:
        return True
    with Replay(definition, history, masking=engine.masking) as replay:
        if isinstance(replay.decision, Broken):
            return True
        record = history.records.get(message.op)
        # Without a record it is to be done, or stands in for what changed code asks instead.
        named = message.op != HEAD and message.kind is not MessageKind.CHECK
        if (
            named
            and (record is None or replay.pending(message.op))
            and not replay.abandoned(message.op)
            and not is_repeat(message, record)
            and not is_anothers(message, record)
        ):
            return True
        now = engine.clock.now()
        return bool(duties(message, replay.decision, replay.records, now, history.events))


def _reason(engine: Engine, message: Message) -> ErrorInfo:
    recorded = engine.runs.load(message.run_id)
    record = recorded.records.get(message.op) if recorded else None
    if record is not None and record.status is OpStatus.STARTED:
        return _unknown(record)
    what = message.op if message.op != HEAD else f"the {message.kind} of the run"
    attempt = f" (attempt {message.attempt})" if message.kind is MessageKind.STEP else ""
    return ErrorInfo(
        type="DeadLetter",
        message=(
            f"the message for {what}{attempt} was delivered several times and never finished: the "
            "function crashed, or ran out of memory or time; see its logs, mend the cause and "
            "resume the run"
        ),
        operation=message.op or None,
    )


def _unknown(record: OpRecord) -> ErrorInfo:
    return ErrorInfo(
        type="DeadLetter",
        message=(
            f"attempt {record.attempt} of {record.key} began and left no result, and nobody could "
            "find out what became of it: the step's probe failed several times, or the function "
            "crashed; see its logs, mend the cause and resume the run"
        ),
        operation=record.key,
    )
