"""Carry out what a message owes: record what begins, end the run, send messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from everstep.app.audit import link_of
from everstep.app.cancel import cancel_child
from everstep.app.children import begin_child, child_begun, see_child, tell_parent
from everstep.app.continuation import continue_as_new
from everstep.app.events import keep_event
from everstep.app.metering import recording, total
from everstep.app.observing import run_over
from everstep.app.outbox import message_for, send
from everstep.app.payloads import pack, pack_secrets, unpack
from everstep.app.recording import keep_logs, record_op
from everstep.core.changes import RunEnded
from everstep.core.decisions import Raised, Returned
from everstep.core.effects import (
    Arm,
    Close,
    End,
    EndChildren,
    Interrupt,
    Look,
    Perform,
    Rearm,
    Send,
    Take,
)
from everstep.core.endings import interrupted
from everstep.core.errors import EventNotSent, PayloadTooLargeError, RequestError
from everstep.core.failures import describe
from everstep.core.meter import meter
from everstep.core.model import History, OpKind, OpRecord, OpStatus, Payload, RunStatus
from everstep.core.operations import CancelCall, ContinueCall, SendCall
from everstep.core.records import replace
from everstep.core.run_logs import Logs
from everstep.core.trail import began_at, sealed
from everstep.core.transitions import (
    ARMED,
    JOIN_CLOSED,
    PERFORMED,
    REARMED,
    RUN_ENDED,
    WAIT_ENDED,
    told_to_end,
)
from everstep.core.waits import fulfilled, needs_claim, waiting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from everstep.app.engine import Engine
    from everstep.core.decisions import Pending
    from everstep.core.effects import Effect
    from everstep.core.model import Event, Head, Message
    from everstep.core.replay import Replay
    from everstep.core.transitions import Guard


def fulfil(
    engine: Engine, message: Message, effects: Iterable[Effect], head: Head, replay: Replay
) -> set[str]:
    """Carry out every effect; each may be repeated, by this message or another.

    A write that a guard refuses was made before, which is as good.

    Args:
        engine: The ports.
        message: The message that owes them.
        effects: What is to be done.
        head: The run.
        replay: The pass that leads to it.

    Returns:
        The operations of which something is recorded now that others may have recorded, too:
        what follows has to be decided from a fresh history.

    Raises:
        RequestError: An operation asks for what cannot be.
        PayloadTooLargeError: The run is to be continued with an input that is over the limit.
        UnavailableError: A service did not answer; the rest is still owed.
    """
    return _Fulfilment(engine, message, head, replay).carry_out(effects)


class _Fulfilment:
    def __init__(self, engine: Engine, message: Message, head: Head, replay: Replay) -> None:
        self.engine = engine
        self.message = message
        self.head = head
        self.replay = replay
        self.hidden = replay.session.hidden
        self.run_id = message.run_id
        self.token = message.token
        self.sends: list[Message] = []

    @property
    def _history(self) -> History:
        return History(head=self.head, records=dict(self.replay.records))

    def carry_out(self, effects: Iterable[Effect]) -> set[str]:
        decided = {key for effect in effects if (key := self._one(effect)) is not None}
        send(self.engine, self.sends)
        return decided

    def _one(self, effect: Effect) -> str | None:
        """Carry out an effect; return the operation of which something is recorded."""
        match effect:
            case Send():
                self.sends.append(message_for(self.engine, self.run_id, effect))
            case Rearm(key=key, due_at=due_at):
                self.engine.runs.move(self.run_id, key, due_at, REARMED)
            case EndChildren(run_ids=run_ids):
                for run_id in run_ids:
                    cancel_child(self.engine, self.head, run_id)
            case End(outcome=outcome):
                self._end(outcome)
            case _:
                return self._record(effect)
        return None

    def _record(self, effect: Arm | Close | Take | Perform | Look | Interrupt) -> str | None:
        match effect:
            case Arm(record=record):
                return self._arm(record)
            case Close(record=record):
                return self._close(record)
            case Take(pending=pending, event=event):
                return self._take(pending, event)
            case Perform(pending=pending):
                return self._perform(pending)
            case Look(pending=pending):
                return self._look(pending)
            case Interrupt(pending=pending):
                return self._interrupt(pending)
            case _:
                assert_never(effect)

    def _arm(self, record: OpRecord) -> str | None:
        self._put(record, ARMED)
        # A sleep has nothing to look for once it is recorded.
        return None if record.kind is OpKind.SLEEP else record.key

    def _close(self, record: OpRecord) -> str:
        if record.result is not None:
            record = replace(record, result=self._pack(record.result, f"the join of {record.key}"))
        self._put(record, JOIN_CLOSED)
        return record.key

    def _take(self, pending: Pending, event: Event) -> str:
        """Let a wait take an event.

        Where several waits may be after one event, it is claimed before: whoever has claimed it
        takes it, also if its process dies in between.
        """
        engine, key = self.engine, pending.key
        claim = needs_claim(pending)
        if claim and not engine.runs.claim_event(self.run_id, event.name, event.number, key):
            return key
        text = unpack(engine, self.run_id, event.payload).at_hand
        record = fulfilled(pending, event, text, self.token, engine.clock.now())
        if event.cost:
            # What it took to send it is on the account of the wait, whoever has recorded that.
            meter().bring(key, "", event.cost)
        self._put(self._packed(record), WAIT_ENDED)
        return key

    def _packed(self, record: OpRecord) -> OpRecord:
        """Return a record as it is written; defaults of a type may make an event too large."""
        if record.result is None:
            return record
        try:
            packed = self._pack(record.result, f"what {record.key} waited for")
        except PayloadTooLargeError as error:
            failed = replace(record, status=OpStatus.FAILED, result=None)
            return replace(failed, error=describe(error, record.key))
        return replace(record, result=packed)

    def _pack(self, payload: Payload, what: str) -> Payload:
        return pack(self.engine, self.run_id, payload.at_hand, what)

    def _put(self, record: OpRecord, guard: Guard) -> OpRecord | None:
        return record_op(self.engine, self.run_id, record, guard, self.replay)

    def _perform(self, pending: Pending) -> str:
        call = pending.operation.call
        if isinstance(call, ContinueCall):
            # It leaves no record: the run itself shows what came of it.
            known = self.hidden.known
            continue_as_new(self.engine, self._history, pending, self.token, known)
            return pending.key
        if isinstance(call, SendCall | CancelCall):
            record = self._performed(pending, call)
        else:
            secrets = self.hidden.known
            record = begin_child(self.engine, self.head, pending, self.token, secrets)
        kept = self._put(record, PERFORMED)
        if kept is not None and kept.child is not None:
            child_begun(self.engine, kept.child, pending)
        return pending.key

    def _performed(self, pending: Pending, call: SendCall | CancelCall) -> OpRecord:
        at = max(self.engine.clock.now(), pending.ready_at)
        base = replace(waiting(pending, self.token, ()), ended_at=at)
        try:
            if isinstance(call, CancelCall):
                cancel_child(self.engine, self.head, call.run_id)
            else:
                key = f"{self.run_id}/{pending.key}"
                keep_event(self.engine, call.run_id, call.event, call.payload, key)
        except (RequestError, PayloadTooLargeError) as error:
            described = replace(describe(error, pending.key), type=EventNotSent.__name__)
            return replace(base, status=OpStatus.FAILED, error=described)
        return replace(base, status=OpStatus.DONE)

    def _look(self, pending: Pending) -> str | None:
        record = see_child(self.engine, self.run_id, pending, self.token)
        if record is None:
            return None
        self._put(record, WAIT_ENDED)
        return pending.key

    def _interrupt(self, pending: Pending) -> str | None:
        ending = self.head.ending
        if ending is None:
            return None
        record = interrupted(pending, ending, self.token, self.engine.clock.now())
        if record.child is not None:
            cancel_child(self.engine, self.head, record.child)
        self._put(record, told_to_end(record.attempt))
        return pending.key

    def _end(self, outcome: Returned | Raised) -> None:
        ended = self._ended(outcome)
        began = began_at(self.replay.records.values())
        head: Head | None = self.head
        while head is not None and RUN_ENDED.allows(head):
            link = link_of(self.engine, head)
            change = sealed(head, ended, link, ended.at if began is None else began)
            if self._recorded_end(change):
                run_over(self.engine, self.head, ended.status, ended.at)
                break
            # Somebody has ended it before; or its audit has grown, and the end follows that.
            head = self.engine.runs.head(self.run_id)
        # Also if somebody else has ended it: it may have died before this.
        self.sends += tell_parent(self.engine, self.head)

    def _recorded_end(self, ended: RunEnded) -> bool:
        """End the run, with what was taken for all of it; say whether this did."""
        sends = 0 if self.head.parent is None else 1
        with recording() as counts:
            taken = total(self.engine, self.head, self.replay.records.values(), sends=sends)
            change = replace(ended, total=taken)
            if not self.engine.runs.change(self.run_id, change, RUN_ENDED):
                counts.refused()
                return False
            counts.recorded()
        return True

    def _ended(self, outcome: Returned | Raised) -> RunEnded:
        ended = self._outcome(outcome)
        logs = keep_logs(
            self.engine, self.run_id, Logs(lines=outcome.lines), ended.at, self.hidden.masking
        )
        return replace(ended, logs=logs)

    def _outcome(self, outcome: Returned | Raised) -> RunEnded:
        at, by, ending = self.engine.clock.now(), self.token, self.head.ending
        if isinstance(outcome, Returned):
            self.hidden.seen(Payload(text=outcome.output))
        hidden = pack_secrets(self.engine, self.run_id, self.hidden.known)
        if isinstance(outcome, Raised):
            told = outcome.interrupted and ending is not None
            status = ending.status if told and ending else RunStatus.FAILED
            return RunEnded(status=status, by=by, at=at, error=outcome.error, hidden=hidden)
        try:
            result = pack(self.engine, self.run_id, outcome.output, "the output of the workflow")
        except PayloadTooLargeError as error:
            failed = RunStatus.FAILED
            return RunEnded(status=failed, by=by, at=at, error=describe(error), hidden=hidden)
        done = RunStatus.COMPLETED
        return RunEnded(status=done, by=by, at=at, result=result.recorded, hidden=hidden)
