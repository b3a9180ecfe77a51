"""What a final record says to the code that awaits its operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from everstep.core.decisions import Broken
from everstep.core.errors import EventTimeout, InvalidInputError, SerializationError
from everstep.core.failures import describe, step_failed
from everstep.core.model import OpKind, OpStatus
from everstep.core.operations import StepCall, WaitCall

if TYPE_CHECKING:
    from everstep.core.model import OpRecord
    from everstep.core.operations import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a coroutine is resumed with: a value, an error, or nothing because history is broken."""

    value: object = None
    error: BaseException | None = None
    broken: Broken | None = None


def answer(operation: Operation[Any], record: OpRecord) -> Answer:
    """Return what a final record says."""
    if record.status is OpStatus.FAILED:
        return Answer(error=_failure(record))
    call = operation.call
    if not isinstance(call, StepCall | WaitCall) or record.result is None:
        return Answer()
    try:
        return Answer(value=call.result.decode(record.result.at_hand))
    except SerializationError as error:
        return Answer(
            broken=Broken(error=describe(error, record.key), keys=frozenset({record.key}))
        )


def _failure(record: OpRecord) -> Exception:
    """Return what a failed operation raises in the workflow, the same in every pass."""
    if record.kind is not OpKind.WAIT or record.error is None:
        return step_failed(record)
    if record.error.type == EventTimeout.__name__:
        return EventTimeout(record.error.message)
    return InvalidInputError(record.error.message)
