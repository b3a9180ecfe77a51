"""Suspended passes, kept from one message of a run to the next.

Replaying a run from its first line costs a query of everything that is recorded, and the time
that its code takes: both grow with its history. A process that has just brought a run to where
it stands can wait there for the next message, and then needs only what may have changed: the
head, and the one operation that the code waits for.

Nothing rests on it. What is kept is what a replay would come to, every write is guarded as ever,
and whoever finds nothing kept, or something that does not fit any more, replays. So does whoever
finds something that the code did not ask for: what to make of it takes the whole history.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import field
from threading import Lock
from typing import TYPE_CHECKING, Final

from everstep.app.payloads import at_hand
from everstep.core.decisions import Suspended
from everstep.core.errors import WorkflowMissingError
from everstep.core.model import History, OpKind, RunStatus
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.app.engine import Engine
    from everstep.core.decisions import Pending
    from everstep.core.model import Head, Message, OpRecord
    from everstep.core.replay import Replay

# Whoever waits for these asks for nothing but their own records.
_ALONE: Final = frozenset({OpKind.STEP, OpKind.SLEEP})
# So far may others have brought a run before it is replayed instead, however long it is.
_BEHIND: Final = 16
# What a record takes in memory beside its result: measured, with room to spare.
_RECORD: Final = 1536
_MEGABYTE: Final = 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Passes:
    """The passes that a process keeps; whoever takes one has it alone.

    Those that were used longest ago have to go when there is no room for all.

    Attributes:
        most: How many runs.
        room: Bytes of memory, roughly: the smallest function has 128 MB for everything.
        from_records: Histories with fewer records are read as cheaply by one query.
    """

    most: int = 64
    room: int = 32 * _MEGABYTE
    from_records: int = 32
    _passes: OrderedDict[str, Replay] = field(default_factory=OrderedDict)
    _taken: int = 0
    _lock: Lock = field(default_factory=Lock)

    def take(self, run_id: str) -> Replay | None:
        """Return what is kept of a run, for the caller alone; None if nothing is."""
        with self._lock:
            return self._taken_out(run_id)

    def put(self, run_id: str, replay: Replay) -> None:
        """Keep a pass, or let it go if it is not worth it."""
        gone = [replay]
        if len(replay.records) >= self.from_records and _awaited(replay) is not None:
            with self._lock:
                gone = list(self._make_room(run_id, replay))
        for each in gone:
            each.close()

    def looks(self, replay: Replay) -> int:
        """Return how many small reads take about as much as reading and replaying everything."""
        if not self.from_records:
            return _BEHIND
        return min(_BEHIND, len(replay.records) // self.from_records)

    def _make_room(self, run_id: str, replay: Replay) -> Iterator[Replay]:
        """Keep a pass; yield those that have to go for it, also itself if it is too large."""
        if (before := self._taken_out(run_id)) is not None:
            yield before
        self._passes[run_id] = replay
        self._taken += _weight(replay)
        while len(self._passes) > self.most or self._taken > self.room:
            _, oldest = self._passes.popitem(last=False)
            self._taken -= _weight(oldest)
            yield oldest

    def _taken_out(self, run_id: str) -> Replay | None:
        replay = self._passes.pop(run_id, None)
        self._taken -= 0 if replay is None else _weight(replay)
        return replay


def caught_up(engine: Engine, message: Message, replay: Replay, looks: int) -> History | None:
    """Bring a kept pass to where its run stands now.

    Args:
        engine: The ports.
        message: What the pass is needed for.
        replay: The pass.
        looks: How many small reads are worth it.

    Returns:
        The run's history; None if the run has to be replayed instead.
    """
    for _ in range(looks):
        pending = _awaited(replay)
        if pending is None:
            return None
        head, record = engine.runs.peek(message.run_id, pending.key)
        if head is None or head.status is not RunStatus.RUNNING or not _fits(engine, replay, head):
            return None
        if record != pending.record:
            if record is None or not _answers(record, pending):
                # The table was rewound, or other code has recorded something else.
                return None
            replay.resume(at_hand(engine, message.run_id, record), fresh=False)
        if record is None or not record.status.final:
            return _history(head, replay) if _knows(replay, message.op) else None
    return None


def _answers(record: OpRecord, pending: Pending) -> bool:
    """Say whether a record is of what the code asks for."""
    asked = pending.operation
    return (record.kind, record.input_hash) == (asked.kind, asked.input_hash)


def _knows(replay: Replay, key: str) -> bool:
    """Say whether a pass has come to an operation, or has it behind it."""
    return key in replay.records or replay.pending(key) is not None


def _weight(replay: Replay) -> int:
    # A result is there as text, and as what the code has made of it.
    return len(replay.records) * _RECORD + 2 * replay.ledger.size


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
