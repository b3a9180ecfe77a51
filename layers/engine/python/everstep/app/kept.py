"""Suspended passes, kept from one message of a run to the next.

Replaying a run from its first line costs a query of everything that is recorded, and the time
that its code takes: both grow with its history. A process that has just brought a run to where
it stands can wait there for the next message, and then needs only what may have changed: the
head, and the one operation that the code waits for.

Nothing rests on it. What is kept is what a replay would come to, every write is guarded as ever,
and whoever finds nothing kept, or something that does not fit any more, replays.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Final

from everstep.app.payloads import unpack
from everstep.core.decisions import Suspended
from everstep.core.errors import WorkflowMissingError
from everstep.core.model import History, OpKind, RunStatus

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.decisions import Pending
    from everstep.core.model import Head
    from everstep.core.replay import Replay

# Whoever waits for these asks for nothing but their own records.
_ALONE: Final = frozenset({OpKind.STEP, OpKind.SLEEP})
# So far may others have brought a run before it is replayed instead.
_BEHIND: Final = 16


@dataclass(slots=True, kw_only=True)
class Passes:
    """The passes that a process keeps; whoever takes one has it alone.

    Attributes:
        most: How many runs; the one that was used longest ago has to go.
        from_records: Histories with fewer records are read as cheaply by one query.
    """

    most: int = 64
    from_records: int = 32
    _passes: OrderedDict[str, Replay] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def take(self, run_id: str) -> Replay | None:
        """Return what is kept of a run, for the caller alone; None if nothing is."""
        with self._lock:
            return self._passes.pop(run_id, None)

    def put(self, run_id: str, replay: Replay) -> None:
        """Keep a pass, or let it go if it is not worth it."""
        gone = [replay]
        if len(replay.records) >= self.from_records and _awaited(replay) is not None:
            with self._lock:
                gone = [old] if (old := self._passes.pop(run_id, None)) is not None else []
                self._passes[run_id] = replay
                if len(self._passes) > self.most:
                    gone.append(self._passes.popitem(last=False)[1])
        for each in gone:
            each.close()


def caught_up(engine: Engine, run_id: str, replay: Replay) -> History | None:
    """Bring a kept pass to where its run stands now.

    Returns:
        The run's history; None if the run has to be replayed instead.
    """
    for _ in range(_BEHIND):
        pending = _awaited(replay)
        if pending is None:
            return None
        head, record = engine.runs.peek(run_id, pending.key)
        if head is None or head.status is not RunStatus.RUNNING or not _fits(engine, replay, head):
            return None
        if record is None:
            # What was recorded is gone: the table was rewound.
            return None if pending.record is not None else _history(head, replay)
        if record != pending.record:
            result = record.result and unpack(engine, record.result)
            replay.resume(replace(record, result=result), fresh=False)
        if not record.status.final:
            return _history(head, replay)
    return None


def _history(head: Head, replay: Replay) -> History:
    return History(head=head, records=dict(replay.records))


def _fits(engine: Engine, replay: Replay, head: Head) -> bool:
    """Say whether a pass went over the code that the run is on."""
    try:
        return engine.registry.to_continue(head.workflow, head.version) is replay.definition
    except WorkflowMissingError:
        return False


def _awaited(replay: Replay) -> Pending | None:
    """Return the one operation that a pass waits for, if that is all it waits for."""
    decision = replay.decision
    if not isinstance(decision, Suspended) or replay.in_groups or len(decision.frontier) != 1:
        return None
    (pending,) = decision.frontier
    return pending if pending.operation.kind in _ALONE else None
