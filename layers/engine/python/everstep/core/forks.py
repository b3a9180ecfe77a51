"""What a run that goes on from another one keeps of it: pure decisions.

A run that has ended never changes. Who wants it to go on makes a new run, which begins with what
the old one has recorded up to a point; its code is replayed on that, as if it had been its own.

* A *fork* goes on from an operation that was asked for. It keeps what was asked for before, and
  had ended by the instant at which that operation was asked for.
* A *retry* goes on from the operation by which the run failed, or at which its code was told to
  end. It keeps everything but that operation and what followed it; what other branches have done
  meanwhile stays done.

A group that the point lies in stays open. What is kept counts whatever the new run asks for
under the same key: its input, its id and its tokens may be others than those of the old run.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from everstep.core.decisions import Broken
from everstep.core.errors import IllegalStateError, InvalidRequestError
from everstep.core.keys import lies_within, name_of, scope_of
from everstep.core.masking import NOTHING
from everstep.core.model import ANY_INPUT, OpKind, OpRecord, OpStatus, RunStatus
from everstep.core.records import dataclass, replace
from everstep.core.replay import Replay
from everstep.core.run_logs import NO_LOGS
from everstep.core.spending import Spent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from everstep.core.decisions import Decision
    from everstep.core.definition import Definition
    from everstep.core.masking import Masking
    from everstep.core.model import Event, Head, History

Records = dict[str, OpRecord]

_COPIED: Final = Spent(requests=1).text
_PREFIX: Final = 10
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHANCE: Final = 16
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Where a new run goes on.

    Attributes:
        op: The first operation that is executed again; empty if nothing recorded is.
        records: What is kept.
        answered_before: Later answers to callbacks are not kept; None keeps all.
    """

    op: str
    records: Records
    answered_before: int | None = None


def cut_before(definition: Definition, history: History, key: str) -> Cut:
    """Return what a fork from this operation keeps.

    Raises:
        InvalidRequestError: The run's code does not ask for that operation.
        IllegalStateError: The code disagrees with the history before it comes there.
    """
    with Replay(definition, history) as replay:
        asked_at, decision = replay.course.asked_at, replay.decision
    if key not in asked_at:
        check_agrees(history, decision)
        shown = ", ".join(list(asked_at)[-_SHOWN:]) or "none"
        raise InvalidRequestError(
            f"run {history.head.run_id} has asked for no operation {key[:60]!r}; the last that it "
            f"asked for: {shown}"
        )
    before = list(asked_at)[: list(asked_at).index(key)]
    instant = asked_at[key]
    found = (history.records[each] for each in before if each in history.records)
    records = {
        record.key: record
        for record in found
        if record.status.final
        and (record.ended_at or 0) <= instant
        and not lies_within(key, record.key)
    }
    return Cut(op=key, records=records, answered_before=instant)


def cut_at_failure(definition: Definition, history: History) -> Cut:
    """Return what a retry of a run that has failed, or was ended, keeps.

    Raises:
        IllegalStateError: The code disagrees with the history, or the run failed at a callback.
    """
    with Replay(definition, history) as replay:
        asked, decision = tuple(replay.course.asked_at), replay.decision
        failed_by = replay.course.failed_by
    check_agrees(history, decision)
    told = {
        each.key
        for each in history.records.values()
        if each.status is OpStatus.CANCELLED and each.key in asked
    }
    again = told | _named(history, failed_by)
    while more := _failed_beside(definition, history, asked, again):
        again |= more
    at_callback = [key for key in again - told if history.records[key].kind is OpKind.CALLBACK]
    if at_callback:
        raise IllegalStateError(
            f"run {history.head.run_id} failed at {min(at_callback)}, whose token belongs to it "
            "alone: fork it from the step that hands out the token"
        )
    records = _without(asked, history.records, again)
    if history.head.status is not RunStatus.FAILED:
        # Child runs that were waited for were ended with it.
        records = {key: each for key, each in records.items() if each.status.final}
    return Cut(op=next((key for key in asked if key in again), ""), records=records)


def kept_record(record: OpRecord, token: str) -> OpRecord:
    """Return a record as it stands in the new run."""
    return replace(
        record,
        by=token,
        input_hash=ANY_INPUT,
        due_at=None,
        event=None,
        logs=NO_LOGS,
        # What the old run took is its own; this one takes the write.
        cost=_COPIED,
    )


def kept_events(history: History, cut: Cut) -> list[Event]:
    """Return the events that no kept wait has taken, as they stand in the new run."""
    taken = {
        (name_of(record.key), record.event)
        for record in cut.records.values()
        if record.kind is OpKind.WAIT
    }
    numbers: dict[str, int] = {}
    kept = []
    for event in history.events:
        if _OF_A_CALLBACK in event.name:
            if event.name not in cut.records and _in_time(event, cut):
                kept.append(replace(event, taken_by=None, cost=_COPIED))
        elif (event.name, event.number) not in taken:
            numbers[event.name] = numbers.get(event.name, 0) + 1
            number = numbers[event.name]
            kept.append(replace(event, number=number, taken_by=None, cost=_COPIED))
    return kept


def derived_run_id(head: Head, *what: str) -> str:
    """Return the id of the run that a call makes from a run, the same whenever it is repeated.

    It begins as the id of the run that it comes from, beside which it is listed.
    """
    said = "\0".join((head.run_id, *what))
    number = int.from_bytes(hashlib.sha256(said.encode()).digest())
    letters = [_ALPHABET[number >> 5 * place & 31] for place in range(_CHANCE)]
    return head.run_id[:_PREFIX] + "".join(letters)


# Names of events hold no such mark; what is sent to a callback is named by its operation's key.
_OF_A_CALLBACK: Final = "#"


def _in_time(event: Event, cut: Cut) -> bool:
    return cut.answered_before is None or event.at < cut.answered_before


def check_agrees(history: History, decision: Decision, masking: Masking = NOTHING) -> None:
    """Make sure that a run's code can go on from a history.

    Args:
        history: The history.
        decision: Where today's code stands after it.
        masking: What is masked in what is told.

    Raises:
        IllegalStateError: It disagrees with what is recorded.
    """
    if isinstance(decision, Broken):
        raise IllegalStateError(
            f"no run can go on from run {history.head.run_id} like this: "
            f"{masking.text(decision.error.message)}"
        )


def _named(history: History, key: str | None) -> set[str]:
    record = None if key is None else history.records.get(key)
    failed = record is not None and record.status is OpStatus.FAILED
    return {record.key} if record is not None and failed else set()


def _failed_beside(
    definition: Definition, history: History, asked: Sequence[str], again: Collection[str]
) -> set[str]:
    """Return by what else branches have failed of the groups that are open again."""
    if not again:
        return set()
    records = _without(asked, history.records, again)
    with Replay(definition, replace(history, records=records)) as replay:
        failed_in = replay.course.failed_in
    beside = {
        key
        for group, keys in failed_in.items()
        for key in keys
        if any(lies_within(each, group) for each in again)
    }
    return beside - set(again)


def _without(
    asked: Iterable[str], records: Mapping[str, OpRecord], again: Collection[str]
) -> Records:
    """Return what is kept if these operations, and what followed them, are not."""
    reopened = {group for group in records for key in again if lies_within(key, group)}
    reached: set[str] = set()
    gone = set(again)
    for key in asked:
        if key in again:
            reached.add(key)
        elif any(_follows(key, each) for each in reached) or _is_within(key, gone - reopened):
            gone.add(key)
    gone |= reopened
    known = set(asked)
    return {
        key: record
        for key, record in records.items()
        if key not in gone
        and (record.status.final or _is_linked(record))
        and (key in known or _is_within(key, reopened))
        and not _is_within(key, gone - reopened)
    }


def _follows(key: str, again: str) -> bool:
    """Say whether what was asked for after an operation waited for it, too."""
    scope = scope_of(key)
    return lies_within(again, scope)


def _is_within(key: str, groups: Collection[str]) -> bool:
    return any(lies_within(key, group) for group in groups)


def _is_linked(record: OpRecord) -> bool:
    """Say whether a child run is waited for, which goes on whatever becomes of its parent."""
    return record.kind is OpKind.CHILD and record.child is not None
