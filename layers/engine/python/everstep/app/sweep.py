"""Look after what is due: long timers, first messages that got lost, runs without progress.

The sweeper never decides; it sends messages that an executor may find pointless, and moves
entries of the due index so that it comes back if nothing happens. It always sends first and
moves after: dying in between sends twice, the other order would lose the timer. An entry that it
cannot look at does not keep it from the others: one broken run must not hold up every timer.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final

from everstep.app.children import has_ended
from everstep.app.look import look
from everstep.app.outbox import message_for, send
from everstep.app.payloads import load
from everstep.app.retention import Removal, remove
from everstep.core.changes import RunWatched
from everstep.core.decisions import Suspended
from everstep.core.durations import LONGEST_DELAY
from everstep.core.effects import Send
from everstep.core.errors import UnavailableError
from everstep.core.model import HEAD, MessageKind, OpKind, OpStatus, RunStatus
from everstep.core.observations import Repair, RunRepaired
from everstep.core.records import dataclass
from everstep.core.transitions import timer_moved, watch_moved
from everstep.core.watch import Watch, watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.engine import Engine
    from everstep.core.decisions import Decision
    from everstep.core.model import DueEntry, History

_PAGE: Final = 100


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


def sweep(engine: Engine, out_of_time: Callable[[], bool] = lambda: False) -> Swept:
    """Look at everything that is due; a sweep at the same time elsewhere is harmless.

    Runs whose retention is over are removed at the end: what goes on comes first.

    Args:
        engine: The ports.
        out_of_time: Asked between entries; says when to leave the rest to the next sweep.

    Raises:
        IncompleteSweepError: Some entries could not be looked at; what was done stays done.
        UnavailableError: The index did not answer; what was done stays done.
    """
    swept = Swept()
    for shard in range(engine.timers.shards):
        _sweep_shard(engine, shard, swept, out_of_time)
    for entry in swept.expired:
        if out_of_time():
            swept.finished = False
            break
        _look_at(entry, swept, lambda entry: _remove(engine, entry, swept, out_of_time))
    if swept.failures:
        run_id, error = swept.failures[0]
        raise IncompleteSweepError(
            f"{len(swept.failures)} of {swept.entries} entries could not be looked at, the first "
            f"of run {run_id}: {type(error).__name__}"
        ) from error
    return swept


def _sweep_shard(engine: Engine, shard: int, swept: Swept, out_of_time: Callable[[], bool]) -> None:
    # A timer's message is sent while the queue can still hold it back until it is due.
    until = engine.clock.now() + LONGEST_DELAY
    looked_at: set[tuple[str, str, int]] = set()
    limit = _PAGE
    while True:
        page = engine.timers.due(shard, until, limit)
        fresh = [
            entry for entry in page if (entry.run_id, entry.key, entry.due_at) not in looked_at
        ]
        for entry in fresh:
            if out_of_time():
                swept.finished = False
                return
            looked_at.add((entry.run_id, entry.key, entry.due_at))
            _look_at(entry, swept, lambda entry: _go_on(engine, entry, swept))
        if len(page) < limit:
            return
        if len(fresh) < len(page):
            # Some stay where they are: their time has not come, or the index lags. Behind them may
            # stand a timer whose message is to be sent now.
            limit *= 2


def _look_at(entry: DueEntry, swept: Swept, act: Callable[[DueEntry], None]) -> None:
    try:
        act(entry)
    except Exception as error:  # noqa: BLE001 - reported at the end of the sweep
        swept.failures.append((entry.run_id, error))


def _go_on(engine: Engine, entry: DueEntry, swept: Swept) -> None:
    swept.entries += 1
    if entry.key != HEAD:
        _timer(engine, entry, swept)
    elif entry.due_at > max(engine.clock.now(), entry.wake_at):
        return
    elif entry.ended:
        swept.expired.append(entry)
    else:
        # What is to begin soon has its message sent in time, as a timer has.
        _run(engine, entry, swept)


def _remove(engine: Engine, entry: DueEntry, swept: Swept, out_of_time: Callable[[], bool]) -> None:
    gone = remove(engine, entry.run_id, out_of_time)
    swept.removed += gone is Removal.GONE
    swept.finished = swept.finished and gone is not Removal.UNFINISHED


def _timer(engine: Engine, entry: DueEntry, swept: Swept) -> None:
    """Send a timer's message, then come back after a grace in case it gets lost.

    What is sent at that second look is in the queue, which retries it and in the end reports it
    as a dead letter. Sending more of it soon would only multiply a step that kills its process,
    so the third look comes as late as that of any run.
    """
    now = engine.clock.now()
    moved_before = entry.due_at > entry.wake_at
    if moved_before and entry.due_at > now:
        return
    if moved_before:
        head = engine.runs.head(entry.run_id)
        if head is None or head.status.terminal:
            engine.runs.move(entry.run_id, entry.key, None, timer_moved(entry.due_at))
            return
        if head.status is not RunStatus.RUNNING:
            # Whoever resumes the run takes the timer over; until then a rare look is enough.
            engine.runs.move(
                entry.run_id, entry.key, now + engine.limits.watchdog, timer_moved(entry.due_at)
            )
            return
    effect = _effect(entry)
    send(engine, [message_for(engine, entry.run_id, effect)])
    next_look = (
        now + engine.limits.watchdog
        if moved_before
        else max(now, entry.wake_at) + engine.limits.grace
    )
    moved = engine.runs.move(entry.run_id, entry.key, next_look, timer_moved(entry.due_at))
    if moved and moved_before:
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
