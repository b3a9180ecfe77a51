"""Logs as one JSON object per line, without payloads.

A log line of the engine says which run, message and outcome, never with what data: text of
exceptions may quote what a user sent, so of foreign exceptions only the class and the places are
kept.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from everstep.authoring.loggers import said_beside
from everstep.core import messages
from everstep.core.durations import to_iso
from everstep.core.errors import (
    EverstepError,
    InvalidInputError,
    MalformedMessageError,
    SerializationError,
)
from everstep.core.failures import innermost
from everstep.core.hiding import at_work
from everstep.core.masking import BY_NAME
from everstep.core.trace_context import correlation_id_of, trace_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from everstep.core.masking import Masking
    from everstep.core.model import Head

_FRAMES: Final = 8
_ENGINE: Final = "everstep"
_CHATTY: Final = ("aws_lambda_powertools", "boto3", "botocore", "s3transfer", "urllib3")
"""Libraries that tell of every request at a level at which others tell what matters."""
_QUOTING: Final = (InvalidInputError, MalformedMessageError, SerializationError)
"""Errors of ours whose text may quote a value."""
_REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("everstep_request_id", default=None)
_NO_RUN: Final[Mapping[str, str]] = MappingProxyType({})
_RUN: Final[ContextVar[Mapping[str, str]]] = ContextVar("everstep_run", default=_NO_RUN)


class JsonFormatter(logging.Formatter):
    """Write a record as JSON: its fields, and whatever was given as ``extra``, secrets masked."""

    def __init__(self, masking: Masking = BY_NAME) -> None:
        """Mask this, and the secrets of the run that the process works on."""
        super().__init__()
        self._masking = masking

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        fields: dict[str, Any] = {
            "timestamp": to_iso(int(record.created * 1000)),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := _REQUEST_ID.get():
            fields["request_id"] = request_id
        fields |= _RUN.get()
        fields |= said_beside(record)
        if record.exc_info and record.exc_info[1] is not None:
            fields |= _told(record.name, record.exc_info[1])
        # As what will be written: an object may be of any class.
        written = json.loads(json.dumps(fields, default=str))
        told = self._masking.with_values(at_work()).data(written)
        # Logs are paid for by the byte.
        return json.dumps(told, separators=(",", ":"))


def configure(level: str, stream: TextIO | None = None, *, masking: Masking = BY_NAME) -> None:
    """Send what the engine and its users log to a stream (standard output)."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter(masking))
    # In place of Lambda's own handler, which writes plain text.
    for name in (None, _ENGINE):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level)
    logging.getLogger(_ENGINE).propagate = False
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _told(logger: str, error: BaseException) -> dict[str, Any]:
    """Return what is told of an exception: what users log themselves, they want to see."""
    if logger.partition(".")[0] == _ENGINE:
        return described(error)
    return {"exception": "".join(traceback.format_exception(error))}


def invocation(request_id: str) -> None:
    """Mark every line from now on with the id of an invocation, which is about no run yet."""
    _REQUEST_ID.set(request_id)
    _RUN.set(_NO_RUN)


def about(head: Head | None) -> None:
    """Mark every line from now on with a run and what joins it with others; None for no run."""
    _RUN.set(_NO_RUN if head is None else _joined(head))


def _joined(head: Head) -> Mapping[str, str]:
    trace = trace_of(head)
    mark = correlation_id_of(head, trace)
    joined = {"run_id": head.run_id, "workflow": head.workflow, "trace_id": trace.trace_id}
    # Its trace is the mark of a run that was given none: to say so again is paid for by the byte.
    return joined if mark == trace.trace_id else joined | {"correlation_id": mark}


def described(error: BaseException) -> dict[str, Any]:
    """Return the fields that say what went wrong and where, for ``extra``."""
    fields: dict[str, Any] = {"error": type(error).__name__}
    if isinstance(error, EverstepError) and not isinstance(error, _QUOTING):
        fields["reason"] = str(error)
    if error.__cause__ is not None:
        fields["cause"] = type(error.__cause__).__name__
    frames = innermost(error.__traceback__)[-_FRAMES:]
    fields["trace"] = [f"{module}:{line} in {function}" for module, function, line in frames]
    return fields


def message_fields(body: str) -> dict[str, Any]:
    """Return the fields that say which message of the step queue this is; none if malformed."""
    try:
        message = messages.decode(body)
    except MalformedMessageError:
        return {}
    return {
        "run_id": message.run_id,
        "kind": str(message.kind),
        "op": message.op,
        "attempt": message.attempt,
    }
