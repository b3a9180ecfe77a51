"""The two entries of a run's audit that stand in its head: how it came to be, how it ended.

They are made from the head whenever somebody asks, and not stored a second time. What the head
does store of them is the hash of the last entry: that of the birth from the first write on, that
of the end from the last one on. So whoever alters what they are made of breaks the chain.

How the end follows from what was there before is decided by whoever ends the run; the write
counts only on top of the entry that it follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.audit import ENGINE, Action, AuditEntry, acceptance, seal, sha256
from everstep.core.changes import apply
from everstep.core.circumstances import Seal, Trail
from everstep.core.model import ANY_INPUT, RunStatus
from everstep.core.places import digest_of
from everstep.core.records import replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from everstep.core.changes import RunEnded
    from everstep.core.circumstances import How
    from everstep.core.model import ErrorInfo, Head, OpRecord

HINT: Final = 16
"""So many digits of the entry before it a run's end keeps, to tell which of the two was altered."""

_ENDED: Final = {
    RunStatus.COMPLETED: Action.COMPLETED,
    RunStatus.FAILED: Action.FAILED,
    RunStatus.CANCELLED: Action.CANCELLED,
    RunStatus.TIMED_OUT: Action.TIMED_OUT,
    RunStatus.CONTINUED: Action.CONTINUED,
}


def born(head: Head, how: How, who: str | None = None, why: str | None = None) -> Head:
    """Return a new run's head with its birth: the last thing to say of it before it is written."""
    trail = Trail(link="", how=how, who=who, why=why)
    said = replace(head, trail=trail)
    return replace(head, trail=replace(trail, link=seal(birth(said))))


def birth(head: Head) -> AuditEntry:
    """Return how a run came to be: entry 0."""
    trail = head.trail
    if trail is None or trail.how is None:
        return acceptance(head)
    details = {
        "run_id": head.run_id,
        "workflow": head.workflow,
        "version": head.version,
        "how": trail.how,
        "from": None if head.origin is None else head.origin.run_id,
        "input": digest_of(head.input),
        "terms": _terms(head),
    }
    return AuditEntry(
        number=0,
        at=head.created_at,
        action=Action.CREATED,
        previous="",
        who=trail.who,
        why=trail.why,
        details={name: value for name, value in details.items() if value is not None},
    )


def end(head: Head, link: str) -> AuditEntry | None:
    """Return how a run ended; None if it has not, or an earlier release has ended it.

    Args:
        head: The run.
        link: The hash of the entry before.
    """
    trail = head.trail
    if trail is None or trail.sealed is None or head.ended_at is None or not head.status.terminal:
        return None
    told = head.ending if head.status in (RunStatus.CANCELLED, RunStatus.TIMED_OUT) else None
    details = {
        "message": head.by,
        "started_at": None if trail.started_at is None else str(trail.started_at),
        "result": None if head.result is None else digest_of(head.result),
        "error": None if head.error is None else _error(head.error),
        "successor": head.successor,
    }
    return AuditEntry(
        number=trail.sealed,
        at=head.ended_at,
        action=_ENDED[head.status],
        previous=link,
        who=ENGINE if told is None or told.who is None else told.who,
        why=None if told is None else told.why,
        details={name: value for name, value in details.items() if value is not None},
    )


def sealed(
    head: Head,
    change: RunEnded,
    link: str,
    started_at: int | None,
    after: AuditEntry | None = None,
) -> RunEnded:
    """Return the end of a run as an entry of its audit.

    Args:
        head: The run as it is.
        change: How it ends.
        link: The hash of its last entry.
        started_at: When its code began; None if it did not.
        after: The entry that is written together with the end, and before it.
    """
    number = head.generation if after is None else after.number
    before = link if after is None else seal(after)
    told = Seal(number=number + 1, link="", after=before[:HINT], started_at=started_at)
    entry = end(apply(head, replace(change, seal=told)), before)
    return replace(change, seal=replace(told, link=seal(entry) if entry else ""))


def began_at(records: Iterable[OpRecord]) -> int | None:
    """Return when a run's code began, by what it recorded itself; None if that is nothing yet."""
    own = (each.started_at for each in records if each.input_hash != ANY_INPUT)
    return min((at for at in own if at is not None), default=None)


def trail_of(head: Head, entries: Sequence[AuditEntry]) -> list[AuditEntry]:
    """Return every entry of a run in order, its birth and its end among them.

    Args:
        head: The run.
        entries: What is stored as items of their own, in order.
    """
    whole = [birth(head), *entries]
    number = head.trail.sealed if head.trail else None
    if number is not None:
        before = [each for each in whole if each.number < number]
        ended = end(head, seal(before[-1]))
        after = [each for each in whole if each.number >= number]
        whole = [*before, *filter(None, [ended]), *after]
    return whole


def _terms(head: Head) -> str:
    parent, origin, joined = head.parent, head.origin, head.correlation
    return sha256(
        [
            None if joined is None else [joined.trace and joined.trace.traceparent, joined.id],
            head.starts_at,
            head.deadline,
            head.retention,
            head.idempotency_key,
            head.reference_id,
            dict(head.tags),
            None if parent is None else [parent.run_id, parent.op],
            None
            if origin is None
            else [origin.run_id, origin.op, origin.root, origin.root_created_at, origin.effects],
        ]
    )


def _error(error: ErrorInfo) -> str:
    return sha256([error.type, error.message, error.operation, error.trace])
