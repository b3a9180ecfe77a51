"""What a final record says to the code that awaits its operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep.core.decisions import Broken
from everstep.core.errors import (
    CallbackFailed,
    CallbackTimeout,
    ChildRunFailed,
    EventNotSent,
    EventTimeout,
    EverstepError,
    InvalidInputError,
    RunCancelled,
    RunNotStarted,
    SerializationError,
)
from everstep.core.failures import describe, step_failed
from everstep.core.model import ErrorInfo, OpKind, OpStatus
from everstep.core.operations import CallbackCall, ChildCall, StartCall, StepCall, WaitCall
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from everstep.core.model import OpRecord
    from everstep.core.operations import Operation


@dataclass(slots=True)
class Answer:
    """What a coroutine is resumed with: a value, an error, or nothing because history is broken.

    One is made for every operation of a replay: that nothing can be assigned to would double that.
    """

    value: object = None
    error: BaseException | None = None
    broken: Broken | None = None


EMPTY: Final = Answer()
"""What code begins with, and goes on with where an operation has no result."""


def answer(operation: Operation[Any], record: OpRecord) -> Answer:
    """Return what a final record says."""
    if record.status is not _DONE:
        return Answer(error=_raised(record))
    call = operation.call
    if isinstance(call, StartCall):
        return Answer(value=call.answer(record.child or "", record.key))
    if not isinstance(call, _WITH_RESULT) or record.result is None:
        return EMPTY
    try:
        return Answer(call.result.decode(record.result.at_hand))
    except SerializationError as error:
        return Answer(
            broken=Broken(error=describe(error, record.key), keys=frozenset({record.key}))
        )


def _raised(record: OpRecord) -> BaseException:
    if record.status is OpStatus.CANCELLED:
        return RunCancelled(_recorded(record).message)
    return _failure(record)


def _failure(record: OpRecord) -> Exception:
    """Return what a failed operation raises in the workflow, the same in every pass."""
    error = _recorded(record)
    if record.kind is OpKind.STEP:
        return step_failed(record)
    if record.kind is OpKind.CHILD and record.outcome is not None:
        return ChildRunFailed(
            run_id=record.child or "",
            # Plain text, which workflow code may record.
            status=record.outcome.value,
            error_type=error.type,
            message=error.message,
        )
    if record.kind is OpKind.CALLBACK and record.outcome is not None:
        # Whatever it is called by who holds the token: it is no error of ours.
        return CallbackFailed(operation=record.key, error_type=error.type, message=error.message)
    if error.type in _BY_NAME:
        return _BY_NAME[error.type](error.message)
    return EverstepError(f"{error.type}: {error.message}")


def _recorded(record: OpRecord) -> ErrorInfo:
    return record.error or ErrorInfo(type="Unknown", message="")


_DONE: Final = OpStatus.DONE
_WITH_RESULT: Final = (StepCall, WaitCall, CallbackCall, ChildCall)
_BY_NAME: Final[dict[str, type[EverstepError]]] = {
    kind.__name__: kind
    for kind in (EventTimeout, CallbackTimeout, InvalidInputError, EventNotSent, RunNotStarted)
}
