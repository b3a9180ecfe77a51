"""What workflow code does after each recorded operation, in a form that passes can be compared in.

A pass that runs in another process, at another time or for the second time must do the same.
"""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from everstep.core import codec
from everstep.core.decisions import Broken, Raised, Returned, Suspended
from everstep.core.joins import write_join
from everstep.core.keys import scope_of
from everstep.core.model import History
from everstep.core.operations import StepCall
from everstep.core.records import dataclass
from everstep.core.replay import Replay
from everstep.core.telling import brief, brief_text, told_call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.core.decisions import Decision
    from everstep.core.definition import Definition
    from everstep.core.operations import Operation

MOST_PREFIXES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the code does when it has been told the results of so many operations.

    Attributes:
        told: How many.
        asked: Keys in the order in which the code asked for them, what it asks for now included.
        does: ``step``, ``sleep`` or ``wait`` for the one thing that it asks for now, ``stands`` if
            there are branches; or ``returns``, ``fails``, ``breaks``.
        identity: What must be the same in every pass: an input hash, a result's, an error.
        shown: The same for people: arguments by name, or one text without a name.
    """

    told: int
    asked: tuple[str, ...]
    does: str
    identity: str
    shown: Mapping[str, str]

    def same_as(self, other: Moment) -> bool:
        """Say whether the code does the same in the other pass."""
        mine = (self.asked, self.does, self.identity)
        return mine == (other.asked, other.does, other.identity)

    def to_json(self) -> dict[str, Any]:
        """Return the moment as JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Moment:
        """Return the moment that ``to_json`` gave."""
        return cls(**{**data, "asked": tuple(data["asked"])})


def prefixes(count: int) -> list[int]:
    """Return after how many of so many operations to look; not all, if there are many."""
    if count <= MOST_PREFIXES:
        return list(range(count + 1))
    return sorted({round(at * count / MOST_PREFIXES) for at in range(MOST_PREFIXES + 1)})


def moment(definition: Definition, history: History, told: int) -> Moment:
    """Return what the code does when it is told the first so many records of a history."""
    records = dict(islice(history.records.items(), told))
    with Replay(definition, History(head=history.head, records=records)) as replay:
        does, identity, shown = _seen(replay.decision)
        return Moment(
            told=told, asked=tuple(replay.asked), does=does, identity=identity, shown=shown
        )


def asked_for(operation: Operation[Any]) -> dict[str, str]:
    """Return what an operation is asked for, for people."""
    if not isinstance(operation.call, StepCall):
        return {"": told_call(operation.input_hash)}
    return {name: brief(value) for name, value in operation.call.arguments.items()}


def _seen(decision: Decision) -> tuple[str, str, dict[str, str]]:
    match decision:
        case Returned(output=output):
            value = codec.decode(output)
            return "returns", codec.digest(value), {"": brief_text(output)}
        case Raised(error=error):
            return "fails", (told := f"{error.type}: {error.message}"), {"": told}
        case Broken(error=error):
            return "breaks", (told := f"{error.type}: {error.message}"), {"": told}
        case Suspended(frontier=(pending,), closable=()) if not scope_of(pending.key):
            operation = pending.operation
            return operation.kind.value, operation.input_hash, asked_for(operation)
        case _:
            return "stands", *_branches(decision)


def _branches(decision: Suspended) -> tuple[str, dict[str, str]]:
    """Return everything that branches ask for, and the groups that are complete."""
    waits = [(each.key, each.operation) for each in decision.frontier]
    closed = [(group.key, write_join(group.join)) for group in decision.closable]
    hashes = [(key, operation.input_hash) for key, operation in waits]
    parts = [_told(key, operation) for key, operation in waits]
    parts += [f"the end of {key}" for key, _ in closed]
    return codec.digest([*hashes, *closed]), {"": ", ".join(parts)}


def _told(key: str, operation: Operation[Any]) -> str:
    shown = asked_for(operation)
    given = ", ".join(f"{name}={value}" if name else value for name, value in shown.items())
    return f"the {operation.kind} {key}{f' ({given})' if given else ''}"
