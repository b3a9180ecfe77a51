"""What a final record says to the code that awaits its operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from everstep.core.decisions import Broken
from everstep.core.errors import SerializationError
from everstep.core.failures import describe, step_failed
from everstep.core.model import OpStatus
from everstep.core.operations import StepCall

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
        return Answer(error=step_failed(record))
    call = operation.call
    if not isinstance(call, StepCall) or record.result is None:
        return Answer()
    try:
        return Answer(value=call.result.decode(record.result.at_hand))
    except SerializationError as error:
        return Answer(
            broken=Broken(error=describe(error, record.key), keys=frozenset({record.key}))
        )
