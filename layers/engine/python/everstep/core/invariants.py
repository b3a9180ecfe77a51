"""What must hold of every run, by name, whatever happens.

``check_write`` compares what was there before a write with what is there after it. The others
look at one history. Nothing here knows how it came about: the same checks follow every write of
a simulation and go over a live table. A check raises ``ViolationError`` with its own name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from everstep.core.decisions import Broken, Raised, Returned, Suspended
from everstep.core.joins import read_join
from everstep.core.keys import branch_of, lies_within
from everstep.core.model import History, OpKind, OpStatus, RunStatus
from everstep.core.operations import StepCall
from everstep.core.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.core.decisions import Decision
    from everstep.core.model import Head, OpRecord
    from everstep.core.replay import Definition


class ViolationError(AssertionError):
    """Say which invariant does not hold, and where."""

    def __init__(self, invariant: str, detail: str) -> None:
        """Name the invariant."""
        self.invariant = invariant
        self.detail = detail
        super().__init__(f"{invariant.replace('_', ' ')}: {detail}")


# --- At every write


def check_write(before: History | None, after: History, now: int, skew: int) -> None:
    """Check one write: what was there before, and what is there now."""
    running_is_watched(after.head)
    if before is None:
        return
    head_stays_what_it_is(before.head, after.head)
    for key in before.records.keys() | after.records.keys():
        old, new = before.records.get(key), after.records.get(key)
        if old is not None and old is not new:
            result_never_changes(old, new)
            attempts_only_grow(old, new)
        if new is not None and new is not old and new != old:
            nothing_is_recorded_after_the_end(before, new)
            no_attempt_is_left_out(new, old)
            sleep_never_ends_early(new, now, skew)


def running_is_watched(head: Head) -> None:
    """A running run always stands in the due index."""
    if head.status is RunStatus.RUNNING and head.due_at is None:
        detail = f"{head.run_id} is RUNNING, but the sweeper does not look at it"
        raise ViolationError("running_is_watched", detail)


def head_stays_what_it_is(before: Head, after: Head) -> None:
    """A terminal head never changes; no head ever changes what the run is."""
    if before.status.terminal and before != after:
        raise ViolationError("terminal_never_changes", f"{before} became {after}")
    fixed = ("run_id", "workflow", "version", "input", "created_at", "idempotency_key")
    for name in fixed:
        if getattr(before, name) != getattr(after, name):
            raise ViolationError("identity_never_changes", f"{name} of {before.run_id}")


def result_never_changes(before: OpRecord, after: OpRecord | None) -> None:
    """A result stays for ever, whoever writes; only its place in the due index may go."""
    if after is None:
        raise ViolationError("result_never_changes", f"{before.key} was deleted")
    if before.status.final and replace(after, due_at=before.due_at) != before:
        raise ViolationError("result_never_changes", f"{before} became {after}")


def attempts_only_grow(before: OpRecord, after: OpRecord | None) -> None:
    """A record never goes back to an earlier attempt."""
    if after is None or after == before or before.status.final or after.kind is not OpKind.STEP:
        return
    if replace(after, due_at=before.due_at) == before:
        return
    if after.attempt <= before.attempt:
        raise ViolationError("attempts_only_grow", f"{before} became {after}")


def no_attempt_is_left_out(record: OpRecord, before: OpRecord | None) -> None:
    """The attempts of a step are recorded one after the other, from the first."""
    if record.kind is not OpKind.STEP:
        return
    last = before.attempt if before else 0
    if record.attempt - last not in (0, 1):
        raise ViolationError("no_attempt_is_left_out", f"{record} after attempt {last}")


def nothing_is_recorded_after_the_end(before: History, record: OpRecord) -> None:
    """Once a run has its outcome no operation that counts for it gets a new record."""
    old = before.records.get(record.key)
    moved = old is not None and replace(old, due_at=record.due_at) == record
    if before.head.status.terminal and not moved and not _abandoned(before, record.key):
        detail = f"{record.key} of {before.head.run_id}"
        raise ViolationError("nothing_is_recorded_after_the_end", detail)


def _abandoned(history: History, key: str) -> bool:
    """Say whether an operation lies in a branch that its group did not wait for."""
    return any(
        not read_join(record.result.at_hand).counts(branch_of(key, record.key))
        for record in history.records.values()
        if record.kind is OpKind.JOIN and record.result and lies_within(key, record.key)
    )


def sleep_never_ends_early(record: OpRecord, now: int, skew: int) -> None:
    """A sleep is recorded as ended only when it has ended, by any clock that takes part."""
    if record.kind is not OpKind.SLEEP or record.status is not OpStatus.DONE:
        return
    wake_at = record.wake_at or 0
    if (record.ended_at or 0) < wake_at or now + skew < wake_at:
        raise ViolationError("sleep_never_ends_early", f"{record} at {now}")


# --- Of one history


def nothing_is_silently_stuck(history: History) -> None:
    """Every run has ended, stands still with a reason, or waits for an event."""
    head = history.head
    waits = any(
        record.kind is OpKind.WAIT and record.status is OpStatus.WAITING
        for record in history.records.values()
    )
    stalled = head.status is RunStatus.STALLED and head.stall is not None
    if not head.status.terminal and not stalled and not waits:
        raise ViolationError("nothing_is_silently_stuck", f"{head}, {sorted(history.records)}")


def the_end_is_recorded(head: Head) -> None:
    """A terminal head says when the run ended, and with which result or error."""
    if not head.status.terminal:
        return
    outcome = head.result if head.status is RunStatus.COMPLETED else head.error
    if head.ended_at is None or outcome is None:
        raise ViolationError("the_end_is_recorded", f"{head.status}: {head}")


def a_stall_has_its_reason(head: Head) -> None:
    """A stalled run says why, and only a stalled run does."""
    if (head.status is RunStatus.STALLED) != (head.stall is not None):
        raise ViolationError("a_stall_has_its_reason", f"{head.status}: {head.stall}")


def records_are_whole(record: OpRecord) -> None:
    """A record holds what its status says: an end, a result, an error, a time to go on at."""
    expected = {
        OpStatus.DONE: record.ended_at is not None,
        OpStatus.FAILED: record.ended_at is not None and record.error is not None,
        OpStatus.RETRY: record.wake_at is not None and record.error is not None,
        OpStatus.WAITING: record.wake_at is not None,
    }
    if not expected[record.status]:
        raise ViolationError("records_are_whole", f"{record}")


def sleep_has_lasted(record: OpRecord) -> None:
    """A sleep that has ended ended when it was to end, or later."""
    ended = record.kind is OpKind.SLEEP and record.status is OpStatus.DONE
    if ended and (record.ended_at or 0) < (record.wake_at or 0):
        raise ViolationError("sleep_has_lasted", f"{record}")


def history_replays(definition: Definition, history: History) -> Decision:
    """Today's code agrees with what is recorded; return where it stands."""
    with Replay(definition, history) as replay:
        decision = replay.decision
    if isinstance(decision, Broken):
        raise ViolationError("history_replays", f"{decision.error.type}: {decision.error.message}")
    return decision


def history_replays_to_its_outcome(definition: Definition, history: History) -> None:
    """Replaying a finished run's history gives the outcome that is stored.

    Args:
        definition: The version that the run is pinned to.
        history: Every payload at hand, that of the result included.
    """
    head = history.head
    if not head.status.terminal:
        return
    with Replay(definition, history) as replay:
        decision = replay.decision
    match decision:
        case Returned(output=output) if head.status is RunStatus.COMPLETED and head.result:
            same = head.result.text == output
        case Returned():
            # The output was refused when it was to be recorded.
            same = head.error is not None and head.error.type == "PayloadTooLargeError"
        case Raised(error=error):
            told = head.error
            same = told is not None and (told.type, told.message) == (error.type, error.message)
        case _:
            same = False
    if not same:
        detail = f"{head.run_id} is {head.status}, replay says {decision}"
        raise ViolationError("history_replays_to_its_outcome", detail)


def attempts_within_policy(
    definition: Definition, history: History, begun: Iterable[tuple[str, int]] = ()
) -> None:
    """No attempt has a number above what its step's retry policy allows.

    Args:
        definition: The version that the run is pinned to.
        history: The run.
        begun: Attempts that are known to have begun, recorded or not: key and number.
    """
    allowed = most_attempts(definition, history)
    recorded = [(record.key, record.attempt) for record in history.records.values()]
    for key, attempt in [*begun, *recorded]:
        if attempt > allowed.get(key, attempt):
            raise ViolationError("attempts_within_policy", f"{key}: attempt {attempt}")


def most_attempts(definition: Definition, history: History) -> Mapping[str, int]:
    """Return the highest attempt number of every step that the workflow asks for."""
    found: dict[str, int] = {}
    finals = {key: record for key, record in history.records.items() if record.status.final}
    joins = {key: record for key, record in finals.items() if record.kind is OpKind.JOIN}
    with Replay(definition, History(head=history.head, records=joins)) as replay:
        while isinstance(replay.decision, Suspended):
            for pending in replay.decision.frontier:
                if isinstance(pending.operation.call, StepCall):
                    found[pending.key] = pending.operation.call.retry.max_attempts
            known = [item for item in replay.decision.frontier if item.key in finals]
            if not known:
                break
            replay.resume(finals[known[0].key])
    return found
