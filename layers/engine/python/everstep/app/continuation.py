"""Let another run go on in place of one, with a fresh history.

One write ends the run and makes its successor, both or neither. What is still to be done after
that (the successor's first message, and the events that nobody has taken) is owed by the message
that wrote it: whoever gets it again finds the run ended by its token, and does the rest again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.audit import link_of
from everstep.app.cancel import end_orphans
from everstep.app.children import tell_parent
from everstep.app.events import hand_on_events
from everstep.app.metering import recording, total
from everstep.app.observing import run_over
from everstep.app.options import deadline_of
from everstep.app.outbox import send
from everstep.app.payloads import pack, pack_secrets
from everstep.core.changes import RunEnded
from everstep.core.children import child_id, child_secret
from everstep.core.circumstances import How, Reference
from everstep.core.errors import InvalidInputError, SerializationError
from everstep.core.meter import meter
from everstep.core.model import Head, Message, MessageKind, RunStatus
from everstep.core.observations import RunAccepted
from everstep.core.operations import ContinueCall
from everstep.core.records import replace
from everstep.core.spending import together
from everstep.core.trace_context import handed_on
from everstep.core.trail import began_at, born, sealed
from everstep.core.transitions import RUN_CONTINUED

if TYPE_CHECKING:
    from collections.abc import Collection

    from everstep.app.engine import Engine
    from everstep.core.decisions import Pending
    from everstep.core.model import History


def continue_as_new(
    engine: Engine, history: History, pending: Pending, token: str, secrets: Collection[str] = ()
) -> None:
    """End a run and make its successor, unless the run has ended or is to end.

    What came of it shows in the head; somebody else may have done it before.

    Args:
        engine: The ports.
        history: The run.
        pending: The operation by which its code asks for it.
        token: Of the message that is processed.
        secrets: What is to be masked in both.

    Raises:
        UnknownWorkflowError: The run's workflow is not deployed.
        InvalidInputError: Its newest version cannot begin with what it is to go on with.
        PayloadTooLargeError: That is over the limit.
        UnavailableError: Nothing is known; doing it again is harmless.
    """
    head = history.head
    successor = _successor(engine, head, pending, secrets)
    ended = RunEnded(
        status=RunStatus.CONTINUED,
        by=token,
        at=successor.created_at,
        successor=successor.run_id,
        hidden=pack_secrets(engine, head.run_id, secrets),
    )
    began = began_at(history.records.values())
    ended = sealed(head, ended, link_of(engine, head), ended.at if began is None else began)
    reference = _taken_over(engine, head, successor)
    if _handed_over(engine, history, ended, successor, reference):
        run_over(engine, head, ended.status, ended.at)
        accepted = RunAccepted(run_id=successor.run_id, workflow=successor.workflow)
        engine.observe(accepted)


def close_down(engine: Engine, message: Message, history: History) -> None:
    """Do what is left to do of a run that has ended, as far as it is this message's to do.

    Let the parent know, or the successor begin. What was sent to a run that was continued, and
    came too late for that, is handed on by the message that says so.

    Raises:
        UnavailableError: Nothing is known; doing it again is harmless.
    """
    end_orphans(engine, history, message.token)
    head = history.head
    mine = head.by == message.token or message.take
    if head.successor is None:
        if mine:
            send(engine, tell_parent(engine, head))
        return
    if mine:
        token = engine.ids.token()
        # The account of this run is closed.
        engine.unbilled.put(head.successor, meter().left(engine.clock.ticks()))
        send(engine, [Message(run_id=head.successor, kind=MessageKind.START, token=token)])
    if mine or message.kind is MessageKind.EVENT:
        hand_on_events(engine, history)


def _handed_over(
    engine: Engine,
    history: History,
    ended: RunEnded,
    successor: Head,
    reference: Reference | None,
) -> bool:
    """Write both runs, with what was taken for the one that ends; say whether this did."""
    head = history.head
    with recording() as counts:
        # The successor's first message follows.
        taken = total(engine, head, history.records.values(), sends=1)
        change = replace(ended, total=taken)
        begun = replace(successor, past=together((head.past, taken)).text)
        if not engine.runs.hand_over(head.run_id, change, RUN_CONTINUED, begun, reference):
            counts.refused()
            return False
        counts.recorded()
    return True


def _successor(engine: Engine, head: Head, pending: Pending, secrets: Collection[str]) -> Head:
    call = pending.operation.call
    if not isinstance(call, ContinueCall):
        raise TypeError(f"{pending.key} continues no run")
    workflow = engine.registry.to_start(head.workflow)
    what = f"the input of {workflow.name} version {workflow.version}"
    try:
        workflow.input.decode(call.input)
    except SerializationError as error:
        raise InvalidInputError(f"{what}, to continue the run with: {error}") from error
    now = max(engine.clock.now(), pending.ready_at)
    timeout = None if head.deadline is None else head.deadline - head.begins_at
    # The same for everybody who does this: there is one successor.
    run_id = child_id(head.run_id, pending.key, pending.ready_at)
    successor = Head(
        run_id=run_id,
        workflow=workflow.name,
        version=workflow.version,
        status=RunStatus.RUNNING,
        input=pack(engine, run_id, call.input, what).recorded,
        created_at=now,
        by=f"{head.run_id}/{pending.key}",
        due_at=now + engine.limits.grace,
        secret=child_secret(head.secret, pending.key),
        parent=head.parent,
        deadline=deadline_of(now, timeout),
        reference_id=head.reference_id,
        tags=head.tags,
        retention=head.retention,
        budget=head.budget,
        hidden=pack_secrets(engine, run_id, secrets),
        correlation=handed_on(head),
    )
    return born(successor, How.CONTINUED, f"run {head.run_id}")


def _taken_over(engine: Engine, head: Head, successor: Head) -> Reference | None:
    """Return the caller's own name for the run as its successor takes it over, if it has it."""
    if head.reference_id is None:
        return None
    held = engine.runs.reference(head.workflow, head.reference_id)
    if held is None or held.run_id != head.run_id:
        return None
    return Reference(
        workflow=head.workflow,
        reference_id=head.reference_id,
        run_id=successor.run_id,
        instead_of=head.run_id,
    )
