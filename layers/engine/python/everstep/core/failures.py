"""Exceptions as recorded facts, and recorded facts as exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.errors import StepFailed, StepInterrupted
from everstep.core.masking import NOTHING
from everstep.core.model import ErrorInfo
from everstep.core.records import replace

if TYPE_CHECKING:
    from types import TracebackType

    from everstep.core.masking import Masking
    from everstep.core.model import OpRecord

LONGEST_MESSAGE: Final = 2000
LONGEST_TYPE: Final = 200
_FRAMES: Final = 6


def describe(
    error: BaseException, operation: str | None = None, masking: Masking = NOTHING
) -> ErrorInfo:
    """Return what is recorded of an exception: type, message and the innermost frames.

    Secrets are taken out before the message is cut: a part of one would not be recognised.
    """
    if operation is None and isinstance(error, StepFailed):
        operation = error.operation
    return ErrorInfo(
        type=masking.text(type(error).__name__),
        message=cut_message(masking.text(_text(error))),
        operation=operation,
        trace=_trace(error.__traceback__),
    )


def masked(error: ErrorInfo, masking: Masking) -> ErrorInfo:
    """Return what is recorded of an exception without what is to be masked."""
    return replace(error, type=masking.text(error.type), message=masking.text(error.message))


def cut_message(message: str) -> str:
    """Return a message that is too long for a record without its end."""
    if len(message) <= LONGEST_MESSAGE:
        return message
    return f"{message[:LONGEST_MESSAGE]}… ({len(message)} characters)"


def _text(error: BaseException) -> str:
    """Return an exception's message, whatever its class does to get it, as valid Unicode."""
    try:
        text = str(error)
    except Exception as trouble:  # noqa: BLE001 - user code may raise anything
        text = f"(its message could not be made: {type(trouble).__name__})"
    return text.encode(errors="backslashreplace").decode()


def step_failed(record: OpRecord) -> StepFailed:
    """Return the exception that a FAILED step raises in the workflow, the same in every pass."""
    error = record.error or ErrorInfo(type="Unknown", message="")
    kind = StepInterrupted if error.type == StepInterrupted.__name__ else StepFailed
    return kind(
        operation=record.key, error_type=error.type, message=error.message, attempts=record.attempt
    )


def innermost(traceback: TracebackType | None) -> list[tuple[str, str, int]]:
    """Return the frames of a traceback as (module, function, line), outermost first."""
    frames = []
    while traceback is not None:
        frame = traceback.tb_frame
        module = str(frame.f_globals.get("__name__", "?"))
        frames.append((module, frame.f_code.co_qualname, traceback.tb_lineno))
        traceback = traceback.tb_next
    return frames


def _trace(traceback: TracebackType | None) -> str | None:
    users = [frame for frame in innermost(traceback) if not frame[0].startswith("everstep.")]
    lines = [f"{module}:{line} in {function}" for module, function, line in users[-_FRAMES:]]
    return "\n".join(lines) or None
