"""What must hold of what was sent to a run, and asked of it, by name; see ``invariants``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.audit_check import check_audit
from everstep.core.invariants import ViolationError
from everstep.core.keys import name_of
from everstep.core.model import OpKind
from everstep.core.waits import moved_key, untaken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.core.audit import AuditEntry
    from everstep.core.model import Head, History


def an_event_goes_to_one_wait(history: History) -> None:
    """No two waits have taken the same event."""
    takers: dict[tuple[str, int], str] = {}
    for key, record in sorted(history.records.items()):
        if record.kind is OpKind.WAIT and record.event is not None:
            first = takers.setdefault((name_of(key), record.event), key)
            if first != key:
                detail = f"{first} and {key} have both taken number {record.event}"
                raise ViolationError("an_event_goes_to_one_wait", detail)


def a_continued_run_goes_on(history: History, successor: History | None) -> None:
    """The run that goes on in place of another is there, and has what that was sent for nothing."""
    if successor is None:
        raise ViolationError("a_continued_run_goes_on", f"{history.head.run_id} has no successor")
    there = {event.key for event in successor.events}
    for event in untaken(history.events, history.records):
        moved = moved_key(history.head.run_id, event)
        if moved not in there and not successor.head.status.terminal:
            raise ViolationError("a_continued_run_goes_on", f"{moved} was not handed on")


def the_audit_is_whole(head: Head, entries: Sequence[AuditEntry]) -> None:
    """Nothing was altered, removed or put in between in a run's audit, and it is all there.

    Args:
        head: The run, read before its entries.
        entries: Every entry that is stored for it.
    """
    found = check_audit(head, entries).breaks
    if found:
        detail = f"{head.run_id}: {'; '.join(each.detail for each in found[:3])}"
        raise ViolationError("the_audit_is_whole", detail)
