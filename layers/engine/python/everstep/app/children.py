"""Child runs: start them, see what they came to, let their parents know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.options import deadline_of, retention_of, timeout_of
from everstep.app.outbox import send
from everstep.app.payloads import move, pack, pack_secrets, unpack
from everstep.app.start import create
from everstep.core.children import child_id, child_secret
from everstep.core.circumstances import How, Parent
from everstep.core.errors import (
    InvalidInputError,
    PayloadTooLargeError,
    RunNotStarted,
    SerializationError,
)
from everstep.core.failures import describe
from everstep.core.meter import Meter, metered
from everstep.core.model import (
    ErrorInfo,
    Head,
    Message,
    MessageKind,
    OpRecord,
    OpStatus,
    RunStatus,
)
from everstep.core.observations import RunAccepted
from everstep.core.operations import ChildCall, StartCall
from everstep.core.records import replace
from everstep.core.trace_context import handed_on
from everstep.core.trail import born
from everstep.core.waits import waiting

if TYPE_CHECKING:
    from collections.abc import Collection

    from everstep.app.engine import Engine
    from everstep.core.decisions import Pending
    from everstep.core.model import Payload


def begin_child(
    engine: Engine, parent: Head, pending: Pending, token: str, secrets: Collection[str] = ()
) -> OpRecord:
    """Start the child run of an operation, and return the operation's record.

    The child's id follows from the parent's and the operation's key, so that whoever does this
    again starts nothing twice.

    Args:
        engine: The ports.
        parent: The run that starts it.
        pending: The operation.
        token: Of the message that is processed.
        secrets: What is to be masked in the child, too.

    Raises:
        UnknownWorkflowError: The child's workflow is not deployed.
        UnavailableError: Nothing is known; doing it again is harmless.
    """
    call = pending.operation.call
    start = _start_call(pending)
    now = engine.clock.now()
    base = replace(waiting(pending, token, ()), wake_at=None)
    try:
        child = _start(engine, parent, pending, start, secrets)
    except (InvalidInputError, PayloadTooLargeError, RunNotStarted) as error:
        return replace(
            base,
            status=OpStatus.FAILED,
            ended_at=max(now, pending.ready_at),
            error=describe(error, pending.key),
        )
    if isinstance(call, ChildCall):
        return replace(base, child=child)
    return replace(base, status=OpStatus.DONE, child=child, ended_at=max(now, pending.ready_at))


def _start(
    engine: Engine, parent: Head, pending: Pending, start: StartCall, secrets: Collection[str]
) -> str:
    workflow = engine.registry.to_start(start.workflow)
    try:
        workflow.input.decode(start.input)
    except SerializationError as error:
        raise InvalidInputError(f"the input of {workflow.name}: {error}") from error
    now = engine.clock.now()
    run_id = child_id(parent.run_id, pending.key, pending.ready_at)
    head = Head(
        run_id=run_id,
        workflow=workflow.name,
        version=workflow.version,
        status=RunStatus.RUNNING,
        input=pack(engine, run_id, start.input, f"the input of {workflow.name}").recorded,
        created_at=now,
        # The same for everybody who does this for the operation: that is how they recognise it.
        by=f"{parent.run_id}/{pending.key}",
        due_at=now + engine.limits.grace,
        secret=child_secret(parent.secret, pending.key),
        parent=Parent(run_id=parent.run_id, op=pending.key),
        reference_id=start.reference_id,
        deadline=deadline_of(now, timeout_of(engine, workflow)),
        retention=retention_of(engine, workflow),
        hidden=pack_secrets(engine, run_id, secrets),
        correlation=handed_on(parent),
    )
    # What that takes is the child's.
    with metered(Meter()):
        holder = create(engine, born(head, How.CHILD, f"run {parent.run_id}"), None)
        if holder is not None and holder.run_id != head.run_id:
            raise RunNotStarted(f"run {holder.run_id} has the reference id {start.reference_id!r}")
        first = Message(run_id=head.run_id, kind=MessageKind.START, token=engine.ids.token())
        send(engine, [first])
    return head.run_id


def child_begun(engine: Engine, run_id: str, pending: Pending) -> None:
    """Tell of a child run, once its parent's record says that it was started."""
    engine.observe(RunAccepted(run_id=run_id, workflow=_start_call(pending).workflow))


def _start_call(pending: Pending) -> StartCall:
    call = pending.operation.call
    start = call.start if isinstance(call, ChildCall) else call
    if not isinstance(start, StartCall):
        raise TypeError(f"{pending.key} starts no run")
    return start


def see_child(engine: Engine, run_id: str, pending: Pending, token: str) -> OpRecord | None:
    """Return the record of a wait for a child run that has ended; None if it has not.

    Args:
        engine: The ports.
        run_id: The run that waits.
        pending: The wait.
        token: Of the message that is processed.
    """
    waits = pending.record
    if waits is None or waits.child is None:
        return None
    head = _last(engine, waits.child)
    if head is not None and not head.status.terminal:
        return None
    ended = replace(waits, by=token, ended_at=max(engine.clock.now(), pending.ready_at))
    if head is not None and head.hidden is not None:
        # What the child keeps to itself its parent does not tell, either.
        ended = replace(ended, hidden=unpack(engine, head.run_id, head.hidden))
    if head is None:
        error = ErrorInfo(type="RunNotFoundError", message="it is not kept any more")
        return replace(ended, status=OpStatus.FAILED, outcome=RunStatus.FAILED, error=error)
    if head.status is RunStatus.COMPLETED:
        return replace(ended, status=OpStatus.DONE, result=_result(engine, head, run_id))
    error = head.error or ErrorInfo(type="Unknown", message="")
    return replace(
        ended,
        status=OpStatus.FAILED,
        outcome=head.status,
        error=replace(error, operation=pending.key, trace=None),
    )


def has_ended(engine: Engine, pending: Pending) -> bool:
    """Say whether the child run has ended that is waited for."""
    if pending.record is None or pending.record.child is None:
        return False
    head = _last(engine, pending.record.child)
    return head is None or head.status.terminal


def _last(engine: Engine, run_id: str) -> Head | None:
    """Return a run, or the last one that goes on in its place."""
    head = engine.runs.head(run_id)
    while head is not None and head.successor is not None:
        head = engine.runs.head(head.successor)
    return head


def _result(engine: Engine, child: Head, run_id: str) -> Payload | None:
    return None if child.result is None else move(engine, child.result, child.run_id, run_id)


def tell_parent(engine: Engine, head: Head) -> list[Message]:
    """Return the message that lets a run's parent know that the run has ended, if it has one."""
    if head.parent is None:
        return []
    token = engine.ids.token()
    return [
        Message(run_id=head.parent.run_id, kind=MessageKind.CHILD, token=token, op=head.parent.op)
    ]
