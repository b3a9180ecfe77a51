"""Changes of a head, and moves within the due index, as update expressions.

An update touches only what the change says; what else the item holds (the input, which may be
large, above all) is neither read nor sent. Each function mirrors ``core.changes.apply``.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final, assert_never

from everstep.adapters.dynamodb import keys, values
from everstep.core.audit import seal
from everstep.core.changes import (
    HeadChange,
    RunEnded,
    RunNoted,
    RunPaused,
    RunResumed,
    RunStalled,
    RunTold,
    RunWatched,
    seal_of,
)
from everstep.core.model import RunStatus
from everstep.core.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.adapters.dynamodb.values import Item, Value
    from everstep.core.audit import AuditEntry
    from everstep.core.circumstances import Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Attributes to set, to remove, and numbers to add to."""

    set: Mapping[str, Value] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    add: Mapping[str, Value] = field(default_factory=dict)

    @property
    def expression(self) -> str:
        """Return the update expression; attribute ``x`` is ``#x``, its value ``:x``."""
        parts = {
            "SET": ", ".join(f"#{name} = :{name}" for name in self.set),
            "REMOVE": ", ".join(f"#{name}" for name in self.remove),
            "ADD": ", ".join(f"#{name} :{name}" for name in self.add),
        }
        return " ".join(f"{word} {part}" for word, part in parts.items() if part)

    @property
    def names(self) -> dict[str, str]:
        """Return the placeholders of the names."""
        return {f"#{name}": name for name in (*self.set, *self.remove, *self.add)}

    @property
    def values(self) -> Item:
        """Return the placeholders of the values."""
        return {f":{name}": value for name, value in {**self.set, **self.add}.items()}


OUT_OF_DUE_INDEX: Final = Update(remove=("due_pk", "due_at"))


def claimed(key: str) -> Update:
    """Return the change that gives an event to a wait."""
    return Update(set={"taken_by": {"S": key}})


def due(run_id: str, due_at: int | None) -> Update:
    """Return the move of an item to a place in the due index, or out of it."""
    if due_at is None:
        return OUT_OF_DUE_INDEX
    return Update(set=_due(run_id, due_at))


def head(
    run_id: str,
    workflow: str,
    change: HeadChange,
    audit: AuditEntry | None = None,
    retention: int | None = None,
) -> Update:
    """Return what a change does to the head of a run of this workflow, kept so long."""
    update = _head(run_id, workflow, change, retention)
    told = seal_of(change)
    if told is not None:
        return replace(update, set={**update.set, **_sealed(told)})
    if audit is None:
        return update
    counted: Item = {"gen": {"N": str(audit.number)}, "link": {"S": seal(audit)}}
    return replace(update, set={**update.set, **counted})


def _sealed(seal: Seal) -> Item:
    item: Item = {
        "gen": {"N": str(seal.number)},
        "link": {"S": seal.link},
        "sealed": {"N": str(seal.number)},
        "after": {"S": seal.after},
    }
    values.add_number(item, "began", seal.started_at)
    return item


def _head(run_id: str, workflow: str, change: HeadChange, retention: int | None) -> Update:
    match change:
        case RunEnded():
            return _ended(run_id, workflow, change, retention)
        case RunStalled(by=by, stall=stall):
            return Update(
                set={
                    **_status(workflow, RunStatus.STALLED, by),
                    "stall": values.from_stall(stall),
                },
                remove=OUT_OF_DUE_INDEX.remove,
            )
        case RunPaused(by=by):
            return Update(
                set=_status(workflow, RunStatus.PAUSED, by), remove=OUT_OF_DUE_INDEX.remove
            )
        case RunResumed(by=by, at=at, due_at=due_at, budget=budget):
            allowed: Item = {} if budget is None else {"budget": {"N": str(budget)}}
            return Update(
                set={
                    **_status(workflow, RunStatus.RUNNING, by),
                    **_due(run_id, due_at),
                    "resumed": {"N": str(at)},
                    **allowed,
                },
                remove=("stall",),
            )
        case RunTold(by=by, ending=ending, due_at=due_at):
            return Update(
                set={
                    **_status(workflow, RunStatus.RUNNING, by),
                    **_due(run_id, due_at),
                    "ending": values.from_ending(ending),
                },
                remove=("stall",),
            )
        case RunWatched(due_at=due_at, removal=removal):
            return Update(set=_removal(run_id, due_at)) if removal else due(run_id, due_at)
        case RunNoted():
            return Update()
        case _:
            assert_never(change)


def _ended(run_id: str, workflow: str, change: RunEnded, retention: int | None) -> Update:
    outcome: Item = {}
    removal = None if retention is None else _removal(run_id, change.at + retention)
    if change.result is not None:
        outcome["result"] = values.from_payload(change.result)
    if change.error is not None:
        outcome["error"] = values.from_error(change.error)
    if change.successor is not None:
        outcome["next_run"] = {"S": change.successor}
    values.add_payload(outcome, "hidden", change.hidden)
    if change.logs.chunks:
        outcome["logs"] = values.from_logs(change.logs)
    if change.total:
        outcome["total"] = {"S": change.total}
    absent = tuple(name for name in ("result", "error", "next_run", "logs") if name not in outcome)
    return Update(
        set={
            **_status(workflow, change.status, change.by),
            "ended_at": {"N": str(change.at)},
            **outcome,
            **(removal or {}),
        },
        remove=absent if removal else (*OUT_OF_DUE_INDEX.remove, *absent),
    )


def _status(workflow: str, status: RunStatus, by: str) -> Item:
    """A new status is also another partition of the list index."""
    return {
        "status": {"S": status},
        "by": {"S": by},
        "list_pk": {"S": keys.listed(workflow, status)},
    }


def _due(run_id: str, due_at: int) -> Item:
    return {"due_pk": {"S": keys.due_of(run_id)}, "due_at": {"N": str(due_at)}}


def _removal(run_id: str, due_at: int) -> Item:
    return {"due_pk": {"S": keys.removal_of(run_id)}, "due_at": {"N": str(due_at)}}
