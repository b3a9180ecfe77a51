"""What may be told of runs to terminals and logs: nothing of what is theirs alone.

Keys, statuses, attempts, times, sizes and digests; never a payload, the message of an error, or
an idempotency key.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from everstep.core.decisions import Broken, Raised, Returned
from everstep.core.errors import NonDeterminismError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from everstep.core.decisions import Decision
    from everstep.core.model import ErrorInfo, Head, OpRecord, Payload

_NAMED: Final = 5
# How the driver begins to say that code ends too early.
_RAISES: Final = "today's code raises "


def of_record(record: OpRecord) -> str:
    """Return what may be told of a record."""
    instants = {
        "started": record.started_at,
        "ended": record.ended_at,
        "wakes": record.wake_at,
        "due": record.due_at,
    }
    return (
        f"{record.key} ({record.kind} {record.status}, attempt {record.attempt}"
        f"{_instants(instants)}{_outcome(record.result, record.error)})"
    )


def of_head(head: Head) -> str:
    """Return what may be told of a run's head."""
    instants = {"began": head.created_at, "ended": head.ended_at, "due": head.due_at}
    return (
        f"{head.run_id} ({head.status}, generation {head.generation}"
        f"{_instants(instants)}{_outcome(head.result, head.error)})"
    )


def of_decision(decision: Decision) -> str:
    """Return what may be told of where today's code stands, as what it does."""
    match decision:
        case Returned(output=output):
            return f"returns {digest(output)}"
        case Raised(error=error):
            return f"raises {error.type}"
        case Broken():
            return f"disagrees: {disagreement(decision)}"
        case _:
            return f"waits for {few([pending.key for pending in decision.frontier])}"


def digest(text: str) -> str:
    """Return the size of a text, and enough of its hash to see whether two are the same."""
    content = text.encode(errors="backslashreplace")
    return f"{len(content)} bytes #{hashlib.sha256(content).hexdigest()[:8]}"


def became(before: OpRecord, after: OpRecord) -> str:
    """Return how a record has changed."""
    return f"{of_record(before)} became {of_record(after)}"


def disagreement(broken: Broken) -> str:
    """Return a disagreement without what user code says in its errors."""
    kind, message = broken.error.type, broken.error.message
    keys = few(sorted(broken.keys))
    if kind != NonDeterminismError.__name__:
        return f"{kind} (recorded: {keys})" if keys else kind
    if message.startswith(_RAISES):
        # What follows the name of the class is the user's.
        return f"{kind}: {_RAISES}{message.removeprefix(_RAISES).split()[0]} without {keys}"
    return f"{kind}: {message}"


def _instants(instants: Mapping[str, int | None]) -> str:
    return "".join(f", {name} {at}" for name, at in instants.items() if at is not None)


def _outcome(result: Payload | None, error: ErrorInfo | None) -> str:
    told = "" if result is None else f", result {_payload(result)}"
    return told if error is None else f"{told}, error {error.type}"


def _payload(payload: Payload) -> str:
    return f"{payload.size} bytes elsewhere" if payload.text is None else digest(payload.text)


def few(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
