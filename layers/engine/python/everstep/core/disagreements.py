"""What to say when today's code and the recorded history disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep.core.errors import NonDeterminismError
from everstep.core.failures import describe
from everstep.core.operations import StepCall
from everstep.core.shapes import changed_arguments

if TYPE_CHECKING:
    from collections.abc import Collection

    from everstep.core.model import ErrorInfo, OpRecord
    from everstep.core.operations import Operation

_INSERTED: Final = (
    "keep the old order for runs in flight (ctx.patched), or deploy the change as a new version"
)
_CHANGED: Final = (
    "the arguments of a recorded operation must not change: compute them from the input and from "
    "recorded results (ctx.now, ctx.random, ctx.uuid), or deploy the change as a new version"
)
_REMOVED: Final = "keep it for runs in flight (ctx.patched), or deploy the change as a new version"
_SHOWN: Final = 3


def inserted(key: str, unclaimed: Collection[str]) -> ErrorInfo:
    """Say that the code asks for something new where other operations stand recorded."""
    before = _listed(unclaimed)
    return _error(
        f"today's code asks for the new {key} where {before} stands recorded: the one was "
        f"inserted, or the other removed; {_INSERTED}",
        min(unclaimed),
    )


def other_kind(operation: Operation[Any], record: OpRecord) -> ErrorInfo:
    """Say that an operation is of another kind than the one recorded under its key."""
    return _error(
        f"{record.key} is recorded as a {record.kind}, today's code asks for a {operation.kind}; "
        "give the new operation another name",
        record.key,
    )


def other_input(operation: Operation[Any], record: OpRecord) -> ErrorInfo:
    """Say that an operation is asked for with something else than what is recorded."""
    recorded, asked = record.input_hash, operation.input_hash
    if isinstance(operation.call, StepCall):
        what = changed_arguments(recorded, asked)
    else:
        what = _WHAT[operation.kind]
    return _error(
        f"{record.key} was recorded with another input than today's code asks for: {what} differs "
        f"({recorded} recorded, {asked} asked); {_CHANGED}",
        record.key,
    )


def missing(unclaimed: Collection[str], error: BaseException | None = None) -> ErrorInfo:
    """Say that the code ends (or raises) before it has asked for what is recorded."""
    raises = error and f"raises {type(error).__name__} ({describe(error).message})"
    ends = raises or "ends"
    return _error(
        f"today's code {ends} without asking for {_listed(unclaimed)}, recorded already; "
        f"{_REMOVED}",
        min(unclaimed),
    )


def missing_branches(keys: Collection[str]) -> ErrorInfo:
    """Say that a join counts branches whose end does not follow from what is recorded."""
    return _error(
        f"{_listed(keys)} was closed with branches that today's code does not bring to their end; "
        f"{_CHANGED}",
        min(keys),
    )


_WHAT: Final = {
    "sleep": "the time",
    "wait": "the time-out",
    "join": "the number of branches",
    "callback": "the time-out or the heartbeat",
    "start": "the workflow or its input",
    "child": "the workflow or its input",
    "send": "the run, the event or its payload",
    "cancel": "the run",
}


def _error(text: str, operation: str) -> ErrorInfo:
    return describe(NonDeterminismError(text), operation)


def _listed(keys: Collection[str]) -> str:
    shown = sorted(keys)[:_SHOWN]
    more = f" and {len(keys) - len(shown)} more" if len(keys) > len(shown) else ""
    return ", ".join(shown) + more
