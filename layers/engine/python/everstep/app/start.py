"""Accept a run: record it, then send its first message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from everstep.app.outbox import send
from everstep.app.payloads import pack
from everstep.core.codec import decode, digest
from everstep.core.errors import (
    IdempotencyConflictError,
    InvalidInputError,
    InvalidRequestError,
    SerializationError,
    UnavailableError,
)
from everstep.core.model import Claim, Head, Message, MessageKind, RunStatus

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.authoring.workflows import Workflow

LONGEST_IDEMPOTENCY_KEY = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A run that was accepted, now or by an earlier call with the same idempotency key.

    Attributes:
        run_id: The run.
        created: Whether this call made it.
        sent: Whether its first message is on the way; if not, the sweeper sends it.
    """

    run_id: str
    created: bool
    sent: bool = True


def start(
    engine: Engine,
    name: str,
    value: object,
    *,
    version: str | None = None,
    idempotency_key: str | None = None,
    from_json: bool = True,
) -> Accepted:
    """Accept a run of a workflow; once this returns the run is not lost.

    Args:
        engine: The ports.
        name: Name of the workflow.
        value: Its input.
        version: The version to start on; the highest one if not given.
        idempotency_key: The same key starts one run only.
        from_json: Whether the input is JSON data from outside, as opposed to a Python value.

    Raises:
        UnknownWorkflowError: No such workflow or version.
        InvalidInputError: The input does not fit the workflow's annotation.
        PayloadTooLargeError: The input is over the limit.
        IdempotencyConflictError: The key was used before with another input.
        UnavailableError: Nothing is known; the same call with the same key is harmless.
    """
    workflow = engine.registry.to_start(name, version)
    check_key(idempotency_key)
    checked = checked_input(workflow, value, from_json=from_json)
    text = recorded_input(workflow, checked)
    payload = pack(engine, text, f"the input of {name}")
    now = engine.clock.now()
    head = Head(
        run_id=engine.ids.run_id(),
        workflow=workflow.name,
        version=workflow.version,
        status=RunStatus.RUNNING,
        input=payload.recorded,
        created_at=now,
        by=engine.ids.token(),
        due_at=now + engine.limits.grace,
        idempotency_key=idempotency_key,
        secret=engine.ids.token() + engine.ids.token(),
    )
    claim = _claim(head, version, text)
    holder = engine.runs.create(head, claim)
    if holder is not None and claim is not None:
        if holder.input_hash != claim.input_hash:
            raise IdempotencyConflictError(claim.key, holder.run_id)
        return Accepted(run_id=holder.run_id, created=False)
    return Accepted(run_id=head.run_id, created=True, sent=_send_first(engine, head.run_id))


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


def _claim(head: Head, version: str | None, recorded: str) -> Claim | None:
    if head.idempotency_key is None:
        return None
    # Of what the recorded text says: the order of its keys makes no other input.
    input_hash = digest([version, decode(recorded)])
    return Claim(
        workflow=head.workflow, key=head.idempotency_key, run_id=head.run_id, input_hash=input_hash
    )


def _send_first(engine: Engine, run_id: str) -> bool:
    message = Message(run_id=run_id, kind=MessageKind.START, token=engine.ids.token())
    try:
        send(engine, [message])
    except UnavailableError:
        # The run is recorded and stands in the due index: the sweeper sends what this could not.
        return False
    return True


def check_key(key: str | None) -> None:
    """Refuse an idempotency key that makes no sense.

    Raises:
        InvalidRequestError: It is empty, too long, or not printable.
    """
    if key is not None and not (0 < len(key) <= LONGEST_IDEMPOTENCY_KEY and key.isprintable()):
        raise InvalidRequestError(
            f"an idempotency key has 1 to {LONGEST_IDEMPOTENCY_KEY} printable characters, "
            f"not {key[:40]!r}"
        )
