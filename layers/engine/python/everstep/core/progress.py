"""Where a run is, told from its history: the statuses that are derived, and the steps to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.decisions import Suspended
from everstep.core.model import OpKind, RunStatus
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from everstep.core.decisions import Decision, Pending
    from everstep.core.model import Head, History, OpRecord


_WAITS: Final = frozenset({OpKind.WAIT, OpKind.CALLBACK, OpKind.CHILD})
_ASLEEP: Final = frozenset({RunStatus.SLEEPING, RunStatus.WAITING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """A run's status and operations, in the order in which the code asked for them.

    Attributes:
        status: Looked at closely: PENDING, SLEEPING and RUNNING are told apart.
        wake_at: When the next timer ends, for a run that sleeps.
        records: What is recorded.
        scheduled: What was asked for and has left no record yet: it is queued or running now.
    """

    status: RunStatus
    wake_at: int | None
    records: tuple[OpRecord, ...]
    scheduled: tuple[Pending, ...]


def progress(history: History, decision: Decision | None, asked: list[str]) -> Progress:
    """Return where a run is.

    Args:
        history: Head and records.
        decision: Where its workflow stands; None if that could not be found out.
        asked: Keys in the order in which the code asked for them.
    """
    frontier = decision.frontier if isinstance(decision, Suspended) else ()
    status = _status(history, frontier)
    waking = [item.wake_at for item in frontier if item.wake_at is not None]
    return Progress(
        status=status,
        wake_at=min(waking, default=None) if status in _ASLEEP else None,
        records=_in_order(history, asked),
        scheduled=()
        if status.terminal
        else tuple(item for item in frontier if item.record is None),
    )


def not_begun(head: Head) -> Progress:
    """Return where a run is that is to begin later."""
    status = RunStatus.PENDING if head.status is RunStatus.RUNNING else head.status
    return Progress(status=status, wake_at=None, records=(), scheduled=())


def _status(history: History, frontier: tuple[Pending, ...]) -> RunStatus:
    recorded = history.head.status
    if recorded is not RunStatus.RUNNING:
        return recorded
    kinds = {item.operation.kind for item in frontier}
    if kinds and kinds <= _WAITS | {OpKind.SLEEP}:
        return RunStatus.WAITING if kinds & _WAITS else RunStatus.SLEEPING
    return RunStatus.RUNNING if history.records or not frontier else RunStatus.PENDING


def _in_order(history: History, asked: list[str]) -> tuple[OpRecord, ...]:
    place = {key: at for at, key in enumerate(asked)}
    last = len(place)
    return tuple(
        sorted(
            history.records.values(),
            key=lambda item: (place.get(item.key, last), item.started_at or 0),
        )
    )
