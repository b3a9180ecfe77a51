"""Accept a run: record it, then send its first message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep.app.capacity import over_capacity
from everstep.app.metering import accepted, recording
from everstep.app.observing import run_accepted
from everstep.app.options import (
    LONGEST_WHO,
    StartOptions,
    Terms,
    check_said,
    checked,
    deadline_of,
    retention_of,
    timeout_of,
)
from everstep.app.outbox import send
from everstep.app.payloads import pack
from everstep.core.circumstances import Claim, How, Reference
from everstep.core.codec import decode, digest
from everstep.core.durations import is_far
from everstep.core.errors import (
    IdempotencyConflictError,
    InvalidInputError,
    ReferenceConflictError,
    SerializationError,
    UnavailableError,
)
from everstep.core.model import Head, Message, MessageKind, RunStatus
from everstep.core.records import dataclass, replace
from everstep.core.trace_context import Correlation
from everstep.core.trail import born

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.authoring.workflows import Workflow
    from everstep.core.audit import Note

# Somebody else has taken the name each time it was free; nobody is that unlucky.
_ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A run that was accepted, now or by an earlier call with the same key or reference id.

    Attributes:
        run_id: The run.
        created: Whether this call made it.
        sent: Whether its first message is on the way; if not, the sweeper sends it, when
            it is time.
    """

    run_id: str
    created: bool
    sent: bool = True


def start(
    engine: Engine,
    name: str,
    value: object,
    options: StartOptions = StartOptions(),  # noqa: B008 - immutable
    *,
    from_json: bool = True,
    who: str | None = None,
) -> Accepted:
    """Accept a run of a workflow; once this returns the run is not lost.

    Args:
        engine: The ports.
        name: Name of the workflow.
        value: Its input.
        options: What else is asked of the run.
        from_json: Whether the input is JSON data from outside, as opposed to a Python value.
        who: Who asks, for the audit.

    Raises:
        UnknownWorkflowError: No such workflow or version.
        InvalidInputError: The input does not fit the workflow's annotation.
        InvalidOptionError: An option makes no sense.
        InvalidRequestError: Who asks is not printable, or too long.
        PayloadTooLargeError: The input is over the limit.
        IdempotencyConflictError: The key was used before with another input.
        ReferenceConflictError: A run that has not ended has the reference id.
        TooManyRunsError: As many runs as may be have not ended.
        UnavailableError: Nothing is known; the same call with the same key is harmless.
    """
    workflow = engine.registry.to_start(name, options.version)
    terms = checked(options)
    check_said("who asks", who, LONGEST_WHO)
    text = recorded_input(workflow, checked_input(workflow, value, from_json=from_json))
    claim = _claim(name, options, text, terms)
    full = over_capacity(engine, name)
    if full is None:
        head = _head(engine, workflow, text, options.idempotency_key, terms)
        head = born(head, How.TRIGGER, who)
        holder = create(engine, head, claim and replace(claim, run_id=head.run_id))
        if holder is None:
            run_accepted(engine, head)
            return Accepted(run_id=head.run_id, created=True, sent=_send_first(engine, head))
    else:
        holder = _accepted_before(engine, name, claim, terms)
        if holder is None:
            raise full
    if isinstance(holder, Reference) and options.on_conflict == "error":
        raise ReferenceConflictError(holder.reference_id, holder.run_id)
    return Accepted(run_id=holder.run_id, created=False)


def _head(
    engine: Engine, workflow: Workflow[Any, Any], text: str, key: str | None, terms: Terms
) -> Head:
    run_id = engine.ids.run_id()
    value = pack(engine, run_id, text, f"the input of {workflow.name}")
    now = engine.clock.now()
    starts_at = terms.starts_at(now)
    begins_at = now if starts_at is None else starts_at
    return Head(
        run_id=run_id,
        workflow=workflow.name,
        version=workflow.version,
        status=RunStatus.RUNNING,
        input=value.recorded,
        created_at=now,
        starts_at=starts_at,
        by=engine.ids.token(),
        # A far beginning is in the due index only, as a long sleep is; a near one has its message
        # at once, and the index for the case that it gets lost.
        due_at=begins_at if is_far(begins_at, now) else begins_at + engine.limits.grace,
        idempotency_key=key,
        secret=engine.ids.secret(),
        deadline=deadline_of(begins_at, timeout_of(engine, workflow, terms.timeout)),
        reference_id=terms.reference_id,
        tags=terms.tags,
        retention=retention_of(engine, workflow, terms.retention),
        budget=terms.budget,
        correlation=correlation_of(engine, terms),
    )


def correlation_of(engine: Engine, terms: Terms) -> Correlation | None:
    """Return what joins a run with the rest of the world: what its caller says, or how it came."""
    trace = terms.trace or engine.called_in()
    if trace is None and terms.correlation_id is None:
        return None
    return Correlation(trace=trace, id=terms.correlation_id)


def create(engine: Engine, head: Head, claim: Claim | None) -> Claim | Reference | None:
    """Write the run; return who is in its way.

    Raises:
        IdempotencyConflictError: The key was used before with another input.
    """
    reference = _reference(head)
    for _ in range(_ATTEMPTS):
        holder = _created(engine, head, claim, reference)
        if isinstance(holder, Claim) and claim is not None:
            return _checked_holder(holder, claim)
        if not isinstance(holder, Reference) or reference is None:
            return None
        held = engine.runs.head(holder.run_id)
        if held is not None and not held.status.terminal:
            return holder
        reference = replace(reference, instead_of=holder.run_id)
    raise UnavailableError(f"reference id {head.reference_id!r} is taken again and again")


def _created(
    engine: Engine, head: Head, claim: Claim | None, reference: Reference | None
) -> Claim | Reference | Note | None:
    """Write the run, with what was taken to accept it; return who is in its way."""
    sends = 0 if is_far(head.begins_at, head.created_at) else 1
    with recording() as counts:
        made = accepted(engine, head, sends=sends)
        holder = engine.runs.create(made, claim, reference=reference)
        if holder is None:
            counts.recorded()
        else:
            counts.refused()
    return holder


def _accepted_before(
    engine: Engine, workflow: str, claim: Claim | None, terms: Terms
) -> Claim | Reference | None:
    """Return who would be in the way of a new run, without writing one.

    Raises:
        IdempotencyConflictError: The key was used before with another input.
    """
    holder = None if claim is None else engine.runs.claim(workflow, claim.key)
    if holder is not None and claim is not None:
        return _checked_holder(holder, claim)
    if terms.reference_id is None:
        return None
    named = engine.runs.reference(workflow, terms.reference_id)
    held = None if named is None else engine.runs.head(named.run_id)
    return None if held is None or held.status.terminal else named


def _checked_holder(holder: Claim, claim: Claim) -> Claim:
    if holder.input_hash != claim.input_hash:
        raise IdempotencyConflictError(claim.key, holder.run_id)
    return holder


def _reference(head: Head) -> Reference | None:
    if head.reference_id is None:
        return None
    return Reference(workflow=head.workflow, reference_id=head.reference_id, run_id=head.run_id)


def checked_input(workflow: Workflow[Any, Any], value: object, *, from_json: bool) -> object:
    """Return foreign data as the input of a workflow.

    Raises:
        InvalidInputError: With one entry per field that is wrong.
    """
    if workflow.takes_input:
        return workflow.input.validate(value, from_json=from_json)
    if value not in (None, {}):
        raise InvalidInputError(f"workflow {workflow.name} takes no input; send an empty body")
    return None


def recorded_input(workflow: Workflow[Any, Any], checked: object) -> str:
    """Return the recorded text of a workflow's input.

    Raises:
        InvalidInputError: It cannot be recorded.
    """
    try:
        return workflow.input.encode(checked)
    except SerializationError as error:
        raise InvalidInputError(str(error)) from error


def _claim(workflow: str, options: StartOptions, recorded: str, terms: Terms) -> Claim | None:
    """Return the claim of a run that has no id yet."""
    if options.idempotency_key is None:
        return None
    # Of what the recorded text says: the order of its keys makes no other input. Terms are left
    # out where there are none: keys that were used before there were any keep their hash.
    request = [options.version, decode(recorded), *filter(None, [terms.said])]
    return Claim(
        workflow=workflow,
        key=options.idempotency_key,
        run_id="",
        input_hash=digest(request),
    )


def _send_first(engine: Engine, head: Head) -> bool:
    if is_far(head.begins_at, head.created_at):
        return False
    message = Message(
        run_id=head.run_id,
        kind=MessageKind.START,
        token=engine.ids.token(),
        due=head.starts_at or 0,
    )
    try:
        send(engine, [message])
    except UnavailableError:
        # The run is recorded and stands in the due index: the sweeper sends what this could not.
        return False
    return True
