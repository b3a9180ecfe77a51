"""Look after what is due: long timers, first messages that got lost, runs without progress.

The sweeper never decides; it sends messages that an executor may find pointless, and moves
entries of the due index so that it comes back if nothing happens. It always sends first and
moves after: dying in between sends twice, the other order would lose the timer. An entry that it
cannot look at does not keep it from the others: one broken run must not hold up every timer. Nor
do many of a kind hold up the others: shards take turns, and what is only to be removed comes last.
"""

from __future__ import annotations

from dataclasses import field
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final

from everstep.app.children import has_ended
from everstep.app.due import PAGE, Reader, in_turns
from everstep.app.look import look
from everstep.app.outbox import message_for, send
from everstep.app.payloads import load
from everstep.app.retention import Removal, remove
from everstep.core.changes import RunWatched
from everstep.core.decisions import Suspended
from everstep.core.durations import LONGEST_DELAY, MINUTE
from everstep.core.effects import Send
from everstep.core.errors import UnavailableError
from everstep.core.model import HEAD, MessageKind, OpKind, OpStatus, RunStatus
from everstep.core.observations import Repair, RunRepaired
from everstep.core.records import dataclass
from everstep.core.transitions import timer_moved, watch_moved
from everstep.core.unreadable import UnreadableError
from everstep.core.watch import Watch, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from everstep.app.engine import Engine
    from everstep.core.decisions import Decision
    from everstep.core.model import DueEntry, History
    from everstep.core.unreadable import Unreadable

# Messages that share a request to the queue.
_TOGETHER: Final = 10
# So long may sweeps have failed or come late before a timer's message is sent only when it is due.
_MISSED: Final = 3 * MINUTE


class IncompleteSweepError(UnavailableError):
    """Say that entries could not be looked at; all others were, and the next sweep tries again."""


@dataclass(slots=True, kw_only=True)
class Swept:
    """What one sweep did, for the log and the metrics.

    Attributes:
        timers: Timer messages sent.
        starts: First messages sent again.
        recovered: Runs taken over because they showed no progress.
        entries: Entries looked at.
        finished: Whether everything due was looked at; if not, the next sweep goes on.
        removed: Runs removed because their retention is over.
        expired: Entries of runs that are to be removed.
        failures: Runs with an entry that could not be looked at, and why.
    """

    timers: int = 0
    starts: int = 0
    recovered: int = 0
    entries: int = 0
    finished: bool = True
    removed: int = 0
    expired: list[DueEntry] = field(default_factory=list)
    failures: list[tuple[str, Exception]] = field(default_factory=list)


def sweep(
    engine: Engine, out_of_time: Callable[[], bool] = lambda: False, *, behind: bool = True
) -> Swept:
    """Look at everything that is due; a sweep at the same time elsewhere is harmless.

    Runs whose retention is over are removed at the end: what goes on comes first.

    Args:
        engine: The ports.
        out_of_time: Asked between entries; says when to leave the rest to the next sweep.
        behind: Whether earlier sweeps may have left something that comes within the next minutes.
            Who knows that they have not, saves looking at everything else that is there.

    Raises:
        IncompleteSweepError: Some entries could not be looked at; what was done stays done.
        UnavailableError: The index did not answer; what was done stays done.
    """
    swept = Swept()
    _wake_up(engine, swept, out_of_time, behind=behind)
    _clear_up(engine, swept, out_of_time)
    if swept.failures:
        run_id, error = swept.failures[0]
        raise IncompleteSweepError(
            f"{len(swept.failures)} of {swept.entries} entries could not be looked at, the first "
            f"of run {run_id}: {type(error).__name__}"
        ) from error
    return swept


def _wake_up(
    engine: Engine, swept: Swept, out_of_time: Callable[[], bool], *, behind: bool
) -> None:
    """Look at what is due, then at the timers that the queue can now hold back until they are."""
    now, shards = engine.clock.now(), range(engine.timers.waking)
    reach = now + LONGEST_DELAY
    overdue = [Reader(shard=shard, since=0, until=now) for shard in shards]
    # What stands before has been looked at by the sweeps before, or is found once it is due.
    since = now + 1 if behind else reach - _MISSED
    in_reach = [Reader(shard=shard, since=since, until=reach) for shard in shards]
    for readers in (overdue, in_reach):
        for batch in in_turns(engine.timers, readers, partial(_unreadable, swept), _TOGETHER):
            if out_of_time():
                swept.finished = False
                return
            _turn_to(engine, swept, batch)


def _clear_up(engine: Engine, swept: Swept, out_of_time: Callable[[], bool]) -> None:
    """Remove the runs whose retention is over."""
    now, timers = engine.clock.now(), engine.timers
    shards = range(timers.waking, timers.shards)
    readers = [Reader(shard=shard, since=0, until=now) for shard in shards]
    found = in_turns(timers, readers, partial(_unreadable, swept), 1)
    for entry in chain(swept.expired, chain.from_iterable(found)):
        if out_of_time():
            swept.finished = False
            return
        swept.entries += 1
        _look_at(entry, swept, lambda entry: _remove(engine, entry, swept, out_of_time))


def _turn_to(engine: Engine, swept: Swept, batch: Sequence[DueEntry]) -> None:
    """Look at some entries; timers that are turned to for the first time share a request."""
    swept.entries += len(batch)
    timers = [entry for entry in batch if _is_first_look(entry)]
    _send_timers(engine, timers, swept)
    for entry in batch:
        if not _is_first_look(entry):
            _look_at(entry, swept, lambda entry: _go_on(engine, entry, swept))


def _is_first_look(entry: DueEntry) -> bool:
    return entry.key != HEAD and entry.due_at <= entry.wake_at


def _send_timers(engine: Engine, entries: Sequence[DueEntry], swept: Swept) -> None:
    """Send timers' messages, then come back to each after a grace in case it gets lost."""
    messages = [message_for(engine, entry.run_id, _effect(entry)) for entry in entries]
    try:
        send(engine, messages)
    except Exception as error:  # noqa: BLE001 - reported at the end of the sweep
        swept.failures.extend((entry.run_id, error) for entry in entries)
        return
    swept.timers += len(entries)
    for entry in entries:
        _look_at(entry, swept, partial(_come_back, engine))


def _come_back(engine: Engine, entry: DueEntry) -> None:
    _move(engine, entry, max(engine.clock.now(), entry.wake_at) + engine.limits.grace)


def _move(engine: Engine, entry: DueEntry, due_at: int | None) -> bool:
    return engine.runs.move(entry.run_id, entry.key, due_at, timer_moved(entry.due_at))


def _unreadable(swept: Swept, item: Unreadable) -> None:
    swept.entries += 1
    swept.failures.append((item.run_id, UnreadableError([item])))


def _look_at(entry: DueEntry, swept: Swept, act: Callable[[DueEntry], None]) -> None:
    try:
        act(entry)
    except Exception as error:  # noqa: BLE001 - reported at the end of the sweep
        swept.failures.append((entry.run_id, error))


def _go_on(engine: Engine, entry: DueEntry, swept: Swept) -> None:
    if entry.due_at > max(engine.clock.now(), entry.wake_at):
        return
    if entry.key != HEAD:
        _timer_again(engine, entry, swept)
    elif not entry.ended:
        # What is to begin soon has its message sent in time, as a timer has.
        _run(engine, entry, swept)
    elif len(swept.expired) < PAGE:
        # Of an earlier release: by now such runs have shards of their own.
        swept.expired.append(entry)


def _remove(engine: Engine, entry: DueEntry, swept: Swept, out_of_time: Callable[[], bool]) -> None:
    gone = remove(engine, entry.run_id, out_of_time)
    swept.removed += gone is Removal.GONE
    swept.finished = swept.finished and gone is not Removal.UNFINISHED


def _timer_again(engine: Engine, entry: DueEntry, swept: Swept) -> None:
    """Send the message of a timer that it was sent for before, unless nobody waits any more.

    What is sent at this second look is in the queue, which retries it and in the end reports it
    as a dead letter. Sending more of it soon would only multiply a step that kills its process,
    so the third look comes as late as that of any run.
    """
    head = engine.runs.head(entry.run_id)
    if head is None or head.status.terminal:
        _move(engine, entry, None)
        return
    next_look = engine.clock.now() + engine.limits.watchdog
    if head.status is not RunStatus.RUNNING:
        # Whoever resumes the run takes the timer over; until then a rare look is enough.
        _move(engine, entry, next_look)
        return
    send(engine, [message_for(engine, entry.run_id, _effect(entry))])
    if _move(engine, entry, next_look):
        engine.observe(RunRepaired(run_id=entry.run_id, repair=Repair.TIMER))
    swept.timers += 1


def _effect(entry: DueEntry) -> Send:
    if entry.status is OpStatus.RETRY:
        return Send(
            kind=MessageKind.STEP, op=entry.key, attempt=entry.attempt + 1, due=entry.wake_at
        )
    return Send(kind=MessageKind.TIMER, op=entry.key, due=entry.wake_at)


def _run(engine: Engine, entry: DueEntry, swept: Swept) -> None:
    """Send what a run without progress needs, then come back later."""
    history = load(engine, entry.run_id)
    if history is None or history.head.status is not RunStatus.RUNNING:
        return
    now = engine.clock.now()
    verdict = _watch(engine, history, now)
    if verdict.send is not None:
        send(engine, [message_for(engine, entry.run_id, verdict.send)])
        swept.starts += verdict.send.kind is MessageKind.START
        swept.recovered += verdict.send.kind is MessageKind.RECOVER
    watched = RunWatched(due_at=verdict.next_look)
    moved = engine.runs.change(entry.run_id, watched, watch_moved(entry.due_at))
    if moved and verdict.repair is not None:
        engine.observe(RunRepaired(run_id=entry.run_id, repair=verdict.repair))


def _watch(engine: Engine, history: History, now: int) -> Watch:
    decision = look(engine, history, lambda replay: replay.decision)
    return watch(
        history,
        decision,
        now,
        watchdog=engine.limits.watchdog,
        grace=engine.limits.grace,
        children_ended=_children_ended(engine, decision),
    )


def _children_ended(engine: Engine, decision: Decision | None) -> bool:
    """Say whether a child run has ended that is waited for, as if nobody had heard of it."""
    waits = decision.frontier if isinstance(decision, Suspended) else ()
    return any(
        has_ended(engine, pending) for pending in waits if pending.operation.kind is OpKind.CHILD
    )
