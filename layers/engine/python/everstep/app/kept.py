"""Suspended passes, kept from one message of a run to the next.

Replaying a run from its first line costs a query of everything that is recorded, and the time
that its code takes: both grow with its history. A process that has just brought a run to where
it stands can wait there for the next message, and then needs only what may have changed: the
head, and the one operation that the message was sent for. What it has read of both within the last
second, for the next message in hand, it does not even read again.

Nothing rests on it. What is kept is what a replay would come to, every write is guarded as ever,
and whoever finds nothing kept, or something that does not fit any more, replays. So does whoever
finds something that the code did not ask for: what to make of it takes the whole history.

Where branches run side by side, others have gone on in some of them: that is not known here, and
need not be for a branch that waits. Whether a group is complete is not decided here.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import field
from threading import Lock
from typing import TYPE_CHECKING, Final

from everstep.app.outcomes import Done
from everstep.app.payloads import at_hand
from everstep.app.witnesses import answers
from everstep.core.durations import FRESH, GLANCED
from everstep.core.errors import WorkflowMissingError
from everstep.core.keys import keys_after, scope_of, scopes_of
from everstep.core.model import History, MessageKind, OpKind, OpStatus, RunStatus
from everstep.core.records import dataclass
from everstep.core.repeats import ABOUT_ONE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from everstep.app.engine import Engine
    from everstep.core.decisions import Pending
    from everstep.core.model import Head, Message, OpRecord
    from everstep.core.replay import Replay
    from everstep.core.witnesses import Seen

# Whoever waits for these asks for nothing but their own records.
_ALONE: Final = frozenset({OpKind.STEP, OpKind.SLEEP})
_LONG_AGO: Final = 0
# So far may others have brought a run before it is replayed instead, however long it is.
_BEHIND: Final = 16
# A look reads the head and a record.
_UNITS: Final = 2
# What a record takes in memory beside its result: measured, with room to spare.
_RECORD: Final = 1536
_MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A suspended pass, and the head that it was last compared with.

    Attributes:
        replay: The pass.
        head: The run, as it was read.
        read_at: When somebody set out to read it; nothing but reading it makes this later.
        seen: Branches that were seen since to be as the pass has them.
    """

    replay: Replay
    head: Head
    read_at: int
    seen: tuple[Seen, ...] = ()

    @property
    def weight(self) -> int:
        """Return how many bytes of memory it takes, roughly."""
        # A result is there as text, and as what the code has made of it.
        return size_of(self.replay) * _RECORD + 2 * self.replay.ledger.size


@dataclass(slots=True, kw_only=True)
class Passes:
    """The passes that a process keeps; whoever takes one has it alone.

    Those that were used longest ago have to go when there is no room for all.

    Attributes:
        most: How many runs.
        room: Bytes of memory, roughly: the smallest function has 128 MB for everything.
        from_records: Histories with fewer records are read as cheaply by one query.
        fresh: For so many milliseconds what was read of a head need not be read again. A pause or
            a cancellation takes effect so much later.
    """

    most: int = 256
    room: int = 32 * _MEGABYTE
    from_records: int = 32
    fresh: int = FRESH
    _passes: OrderedDict[str, tuple[Kept, int]] = field(default_factory=OrderedDict)
    _taken: int = 0
    _lock: Lock = field(default_factory=Lock)

    def take(self, run_id: str) -> Kept | None:
        """Return what is kept of a run, for the caller alone; None if nothing is."""
        with self._lock:
            return self._taken_out(run_id)

    def put(self, run_id: str, kept: Kept) -> None:
        """Keep a pass, or let it go if it is not worth it."""
        gone = [kept]
        if (self.fresh or self.is_long(kept.replay)) and _is_of_use(kept.replay):
            with self._lock:
                gone = list(self._make_room(run_id, kept))
        for each in gone:
            each.replay.close()

    def clear(self) -> None:
        """Let everything go."""
        with self._lock:
            gone = [kept for kept, _ in self._passes.values()]
            self._passes.clear()
            self._taken = 0
        for each in gone:
            each.replay.close()

    def is_long(self, replay: Replay) -> bool:
        """Say whether reading and replaying everything takes more than a small read."""
        return size_of(replay) >= self.from_records

    def is_fresh(self, kept: Kept, now: int) -> bool:
        """Say whether the head need not be read again."""
        return 0 <= now - kept.read_at < self.fresh

    def looks(self, kept: Kept) -> int:
        """Return how many small reads take about as much as reading and replaying everything."""
        size = size_of(kept.replay)
        return min(_BEHIND, size // self.from_records) if self.from_records else _BEHIND

    def _make_room(self, run_id: str, kept: Kept) -> Iterator[Kept]:
        """Keep a pass; yield those that have to go for it, also itself if it is too large."""
        if (before := self._taken_out(run_id)) is not None:
            yield before
        weight = kept.weight
        self._passes[run_id] = kept, weight
        self._taken += weight
        while len(self._passes) > self.most or self._taken > self.room:
            _, (oldest, weight) = self._passes.popitem(last=False)
            self._taken -= weight
            yield oldest

    def _taken_out(self, run_id: str) -> Kept | None:
        kept, weight = self._passes.pop(run_id, (None, 0))
        self._taken -= weight
        return kept


def size_of(replay: Replay) -> int:
    """Return how many operations a pass has come to."""
    return len(replay.records) + len(replay.frontier)


def taken_up(engine: Engine, message: Message, receives: int) -> tuple[Replay, History] | None:
    """Bring what is kept of a run to where the run stands now, as far as a message is about it.

    Args:
        engine: The ports.
        message: What the pass is needed for.
        receives: How often the message was delivered, this time included.

    Returns:
        The pass, for the caller alone, and the run; None if the run has to be replayed instead.
    """
    kept = engine.kept.take(message.run_id) if engine.kept is not None else None
    if kept is None or engine.kept is None:
        return None
    history = None
    try:
        if message.kind in ABOUT_ONE and not message.take:
            history = _caught_up(engine, engine.kept, message, kept, receives)
    finally:
        if history is None:
            kept.replay.close()
    return None if history is None else (kept.replay, history)


def put_back(
    engine: Engine,
    message: Message,
    replay: Replay,
    history: History,
    done: Done,
    seen: Iterable[Seen],
) -> None:
    """Keep a pass for the run's next message, if that is worth it, or let it go.

    Args:
        engine: The ports.
        message: What it was used for.
        replay: The pass.
        history: The run, as it was read for it.
        done: What came of the message.
        seen: Branches that were just seen to be as the pass has them.
    """
    if engine.kept is None:
        replay.close()
        return
    # Who finds the work done is not alone with the run, and has to look.
    alone = done is Done.ADVANCED or message.kind is MessageKind.START
    read_at = history.read_at if alone else _LONG_AGO
    kept = Kept(replay=replay, head=history.head, read_at=read_at, seen=tuple(seen))
    engine.kept.put(message.run_id, kept)


def _caught_up(
    engine: Engine, passes: Passes, message: Message, kept: Kept, receives: int
) -> History | None:
    replay, now = kept.replay, engine.clock.now()
    if receives == 1 and passes.is_fresh(kept, now) and _is_next(engine, message, kept):
        return _history(kept.head, replay, kept.read_at)
    looks = passes.looks(kept)
    return _seen(engine, message, replay, looks) if looks else None


def _is_next(engine: Engine, message: Message, kept: Kept) -> bool:
    """Say whether a message asks for just what a pass waits for: the next attempt of a step.

    Its record is read for that, unless it was just now: a duplicate of the message may have been
    carried out elsewhere. If success elsewhere can make a branch superfluous, more has to be read.
    """
    replay, pending = kept.replay, kept.replay.pending(message.op)
    if message.kind is not MessageKind.STEP or pending is None:
        return False
    if replay.frontier.is_spare(message.op):
        return False
    record = pending.record
    waits = record is None or record.status is OpStatus.RETRY
    if not waits or message.attempt != (record.attempt if record else 0) + 1:
        return False
    if kept.seen:
        now = engine.clock.now()
        if any(0 <= now - each.at < GLANCED and each.shows(message.op) for each in kept.seen):
            return True
    return engine.runs.record(message.run_id, message.op) == record


def _seen(engine: Engine, message: Message, replay: Replay, looks: int) -> History | None:
    for _ in range(looks):
        pending = _awaited(replay, message.op)
        later = None if pending is None else _later(replay, pending, message, looks)
        if pending is None or later is None:
            return None
        read_at, joins, asked = engine.clock.now(), _joins(replay, pending), (pending.key, *later)
        head, found = engine.runs.peek(message.run_id, (*asked, *joins))
        if head is None or not _fits(engine, replay, head) or found.keys() & joins:
            return None
        stands = _gone_on(engine, message, replay, {key: found.get(key) for key in asked})
        if stands is not False:
            known = stands and _knows(replay, message.op)
            return _history(head, replay, read_at) if known else None
    return None


def _later(
    replay: Replay, pending: Pending, message: Message, looks: int
) -> tuple[str, ...] | None:
    """Return what others have probably done since, to be read with what a pass waits for.

    None if that is so much that everything is read as cheaply. Most code in which it is known is a
    loop: what a message is for then says how far others have come.
    """
    return () if replay.open_groups else keys_after(pending.key, message.op, _UNITS * (looks - 1))


def _gone_on(
    engine: Engine, message: Message, replay: Replay, found: Mapping[str, OpRecord | None]
) -> bool | None:
    """Bring a pass to where the run stands by what was read; say whether that was all of it.

    None if the code has not asked for what was found.
    """
    pending = _awaited(replay, message.op)
    while pending is not None and pending.key in found:
        record = found[pending.key]
        if record != pending.record:
            if record is None or not answers(record, pending):
                # The table was rewound, or other code has recorded something else.
                return None
            if replay.open_groups and record.status.final and pending.key == message.op:
                # Who repeats the end of a branch may owe what follows its group.
                return None
            replay.resume(at_hand(engine, message.run_id, record), fresh=False)
        if record is None or not record.status.final:
            return True
        pending = _awaited(replay, message.op)
    return False


def _awaited(replay: Replay, key: str) -> Pending | None:
    """Return what a pass waits for in the scope of an operation, if it is worth a look."""
    if replay.open_groups:
        pending = replay.frontier.within(scope_of(key)) if replay.waits else None
    else:
        pending = _alone(replay)
    return pending if pending is not None and pending.operation.kind in _ALONE else None


def _alone(replay: Replay) -> Pending | None:
    """Return the one operation that a pass waits for, if that is all it waits for."""
    waits = replay.waits and not replay.open_groups and len(replay.frontier) == 1
    return replay.frontier.all()[0] if waits else None


def _is_of_use(replay: Replay) -> bool:
    """Say whether a pass may be asked for again."""
    pending = _alone(replay)
    if pending is not None:
        return pending.operation.kind in _ALONE
    return replay.waits and replay.open_groups > 0


def _joins(replay: Replay, pending: Pending) -> frozenset[str]:
    """Return the groups that an operation lies in: if one is closed its branches may not matter."""
    if not replay.open_groups:
        return frozenset()
    return frozenset(scope_of(scope) for scope in scopes_of(pending.key) if scope)


def _knows(replay: Replay, key: str) -> bool:
    """Say whether a pass waits for an operation, or has it behind it."""
    return replay.pending(key) is not None or (not replay.open_groups and key in replay.records)


def _history(head: Head, replay: Replay, read_at: int) -> History:
    return History(head=head, records=replay.ledger.records, read_at=read_at)


def _fits(engine: Engine, replay: Replay, head: Head) -> bool:
    """Say whether a run goes on, and a pass went over the code that it is on."""
    if head.status is not RunStatus.RUNNING or (replay.open_groups and head.ending is not None):
        return False
    try:
        return engine.registry.to_continue(head.workflow, head.version) is replay.definition
    except WorkflowMissingError:
        return False
