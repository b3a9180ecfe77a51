"""What must hold of every run, by name, whatever happens.

``check_write`` compares what was there before a write with what is there after it. The others
look at one history. Nothing here knows how it came about: the same checks follow every write of
a simulation and go over a live table. A check raises ``ViolationError`` with its own name.

Details go to terminals and logs. So they say keys, statuses, attempts, times, sizes and digests,
and never a payload, the message of an error, or an idempotency key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.core.decisions import Broken, Raised, Returned, Suspended
from everstep.core.discretion import became, disagreement, few, of_decision, of_head, of_record
from everstep.core.endings import is_kept, kept_until, stays_ended
from everstep.core.joins import read_join
from everstep.core.keys import branch_of, lies_within, scope_of
from everstep.core.masking import agrees
from everstep.core.model import HEAD, History, OpKind, OpStatus, RunStatus
from everstep.core.operations import StepCall
from everstep.core.records import replace
from everstep.core.replay import Replay
from everstep.core.waits import next_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.core.decisions import Decision
    from everstep.core.definition import Definition
    from everstep.core.model import DueEntry, Head, OpRecord
    from everstep.core.retry import Retry
    from everstep.core.unreadable import Unreadable


class ViolationError(AssertionError):
    """Say which invariant does not hold, and where."""

    def __init__(self, invariant: str, detail: str) -> None:
        """Name the invariant."""
        self.invariant = invariant
        self.detail = detail
        super().__init__(f"{invariant.replace('_', ' ')}: {detail}")


# --- At every write


def check_write(before: History | None, after: History | None, now: int, skew: int) -> None:
    """Check one write: what was there before, and what is there now."""
    if after is None:
        if before is not None:
            no_run_goes_early(before.head, now + skew)
        return
    running_is_watched(after.head)
    no_run_begins_early(after, now, skew)
    if before is None:
        return
    head_stays_what_it_is(before.head, after.head)
    who_ends_a_run_stays(before.head, after.head)
    over = not is_kept(before.head, now + skew)
    for key in before.records.keys() | after.records.keys():
        old, new = before.records.get(key), after.records.get(key)
        if old is not None and old is not new and not (over and new is None):
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
    """A terminal head never changes, but for its audit; no head ever changes what the run is."""
    if before.status.terminal and not stays_ended(before, after):
        raise ViolationError("terminal_never_changes", f"{of_head(before)} became {of_head(after)}")
    if after.status.terminal and not before.status.terminal and after.due_at != kept_until(after):
        raise ViolationError("no_run_goes_early", of_head(after))
    for name in _IDENTITY:
        if getattr(before, name) != getattr(after, name):
            raise ViolationError("identity_never_changes", f"{name} of {before.run_id}")


_IDENTITY: Final = (
    *("run_id", "workflow", "version", "input", "created_at", "starts_at", "idempotency_key"),
    *("secret", "parent", "deadline", "origin", "reference_id", "tags", "retention"),
)


def no_run_begins_early(after: History, now: int, skew: int) -> None:
    """Nothing is recorded of a run before it is to begin, unless it is to end before that."""
    begins_at, status = after.head.begins_at, after.head.status
    begun = after.records or status in (RunStatus.COMPLETED, RunStatus.FAILED)
    ahead = after.head.starts_at is not None and now + skew < begins_at
    if begun and ahead and after.head.ending is None:
        raise ViolationError("no_run_begins_early", f"{of_head(after.head)} at {now}")


def who_ends_a_run_stays(before: Head, after: Head) -> None:
    """A run is told once to end; who asked for it, and why, does not change."""
    if before.ending is not None and before.ending != after.ending:
        raise ViolationError("who_ends_a_run_stays", before.run_id)


def no_run_goes_early(head: Head, now: int) -> None:
    """A run is removed only when it was kept for as long as was asked for."""
    if is_kept(head, now):
        raise ViolationError("no_run_goes_early", f"{of_head(head)} at {now}")


def result_never_changes(before: OpRecord, after: OpRecord | None) -> None:
    """A result stays for ever, whoever writes; only its place in the due index may go."""
    if after is None:
        raise ViolationError("result_never_changes", f"{before.key} was deleted")
    if before.status.final and replace(after, due_at=before.due_at) != before:
        raise ViolationError("result_never_changes", became(before, after))


def attempts_only_grow(before: OpRecord, after: OpRecord | None) -> None:
    """A record never goes back to an earlier attempt."""
    if after is None or after == before or before.status.final or after.kind is not OpKind.STEP:
        return
    if replace(after, due_at=before.due_at) == before:
        return
    if before.status is OpStatus.STARTED and after.status is not OpStatus.STARTED:
        # An attempt that was begun is settled under its own number.
        grows = after.attempt == before.attempt
    else:
        # That the run is to end is no attempt.
        told = after.status is OpStatus.CANCELLED and after.attempt == before.attempt
        grows = after.attempt > before.attempt or told
    if not grows:
        raise ViolationError("attempts_only_grow", became(before, after))


def no_attempt_is_left_out(record: OpRecord, before: OpRecord | None) -> None:
    """The attempts of a step are recorded one after the other, from the first."""
    if record.kind is not OpKind.STEP:
        return
    last = before.attempt if before else 0
    if record.attempt - last not in (0, 1):
        detail = f"{of_record(record)} after attempt {last}"
        raise ViolationError("no_attempt_is_left_out", detail)


def nothing_is_recorded_after_the_end(before: History, record: OpRecord) -> None:
    """Once a run has its outcome no operation that counts for it gets a new record."""
    old = before.records.get(record.key)
    moved = old is not None and replace(old, due_at=record.due_at) == record
    # What was under way when it was ended by force, or beside the branch that let another run go
    # on, still says what came of it.
    beside = before.head.successor is not None and bool(scope_of(record.key))
    counts = before.head.status.terminal and not before.head.was_forced and not beside
    if counts and not moved and not _abandoned(before, record.key):
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
        raise ViolationError("sleep_never_ends_early", f"{of_record(record)} at {now}")


# --- Of one history


_FROM_OUTSIDE: Final = frozenset({OpKind.WAIT, OpKind.CALLBACK, OpKind.CHILD})


def nothing_is_silently_stuck(history: History) -> None:
    """Every run has ended, stands still with a reason, or waits for somebody else."""
    head = history.head
    waits = any(
        record.kind in _FROM_OUTSIDE and record.status is OpStatus.WAITING
        for record in history.records.values()
    )
    stalled = head.status is RunStatus.STALLED and head.stall is not None
    if not head.status.terminal and not stalled and not waits:
        detail = f"{of_head(head)}; records: {few(sorted(history.records))}"
        raise ViolationError("nothing_is_silently_stuck", detail)


def who_waits_waits_for_others(definition: Definition, history: History) -> None:
    """A run that is at rest has nothing to do itself: no group to close, no event to take.

    Args:
        definition: The version that the run is pinned to.
        history: A run for which nothing is under way any more.
    """
    if history.head.status is not RunStatus.RUNNING:
        return
    with Replay(definition, history) as replay:
        undone = _to_be_done(replay.decision, history)
    if undone:
        detail = f"{of_head(history.head)}: {few(undone)}"
        raise ViolationError("who_waits_waits_for_others", detail)


def _to_be_done(decision: Decision, history: History) -> list[str]:
    """Return the operations that wait for nobody else."""
    if not isinstance(decision, Suspended):
        return ["the run itself"]
    return [group.key for group in decision.closable] + [
        pending.key
        for pending in decision.frontier
        if pending.operation.kind not in _FROM_OUTSIDE
        or next_event(pending, history.events, history.records) is not None
    ]


def the_end_is_recorded(head: Head) -> None:
    """A terminal head says when the run ended, and with which result, error or successor."""
    if not head.status.terminal:
        return
    outcome = {RunStatus.COMPLETED: head.result, RunStatus.CONTINUED: head.successor}
    if head.ended_at is None or outcome.get(head.status, head.error) is None:
        raise ViolationError("the_end_is_recorded", of_head(head))


def a_stall_has_its_reason(head: Head) -> None:
    """A stalled run says why, and only a stalled run does."""
    if (head.status is RunStatus.STALLED) != (head.stall is not None):
        reason = head.stall.reason.type if head.stall else "none"
        detail = f"{head.run_id} is {head.status}, its reason to stand still: {reason}"
        raise ViolationError("a_stall_has_its_reason", detail)


def records_are_whole(record: OpRecord) -> None:
    """A record holds what its status says: an end, a result, an error, a time to go on at."""
    # A step that returns nothing records that it does.
    has_result = record.result is not None or record.kind is not OpKind.STEP
    expected = {
        OpStatus.DONE: record.ended_at is not None and has_result,
        OpStatus.FAILED: record.ended_at is not None and record.error is not None,
        OpStatus.RETRY: record.wake_at is not None and record.error is not None,
        OpStatus.CANCELLED: record.ended_at is not None and record.error is not None,
        OpStatus.WAITING: record.wake_at is not None or record.kind in _FROM_OUTSIDE,
        OpStatus.STARTED: record.wake_at is not None,
    }
    if not expected[record.status]:
        raise ViolationError("records_are_whole", of_record(record))


def sleep_has_lasted(record: OpRecord) -> None:
    """A sleep that has ended ended when it was to end, or later."""
    ended = record.kind is OpKind.SLEEP and record.status is OpStatus.DONE
    if ended and (record.ended_at or 0) < (record.wake_at or 0):
        raise ViolationError("sleep_has_lasted", of_record(record))


def records_are_readable(item: Unreadable) -> None:
    """What is recorded can be read; of an item that was found unreadable this says so."""
    detail = f"{item.key or 'the run itself'}: {item.reason}"
    raise ViolationError("records_are_readable", detail)


def history_replays(definition: Definition, history: History) -> Decision:
    """Today's code agrees with what is recorded; return where it stands."""
    with Replay(definition, history) as replay:
        decision = replay.decision
    if isinstance(decision, Broken):
        raise ViolationError("history_replays", disagreement(decision))
    return decision


def code_comes_to_rest(seconds: float) -> None:
    """Replaying ends; of a replay that was cut off this says after how long it was."""
    detail = f"a replay of today's code was cut off after {seconds:g} s"
    raise ViolationError("code_comes_to_rest", detail)


def the_replay_went_through(error: BaseException) -> None:
    """A replay ends with a decision; of one that raised something this says so."""
    detail = f"today's code cannot be replayed: it raises {type(error).__name__}"
    raise ViolationError("history_replays", detail)


def history_replays_to_its_outcome(definition: Definition, history: History) -> None:
    """Replaying a finished run's history gives the outcome that is stored.

    Args:
        definition: The version that the run is pinned to.
        history: Every payload at hand, that of the result included.
    """
    head = history.head
    if not head.status.terminal or head.was_forced:
        return
    with Replay(definition, history) as replay:
        decision = replay.decision
    match decision:
        case Returned(output=output) if head.status is RunStatus.COMPLETED and head.result:
            same = head.result.text == output
        case Returned():
            # The output was refused when it was to be recorded.
            same = head.error is not None and head.error.type == "PayloadTooLargeError"
        case Suspended(frontier=frontier):
            continued = any(each.operation.kind is OpKind.CONTINUE for each in frontier)
            same = continued and head.status is RunStatus.CONTINUED
        case Raised(error=error):
            told = head.error
            same = told is not None and told.type == error.type
            same = same and told is not None and agrees(told.message, error.message)
        case _:
            same = False
    if not same:
        detail = f"{of_head(head)}; today's code {of_decision(decision)}"
        raise ViolationError("history_replays_to_its_outcome", detail)


def attempts_within_policy(
    definition: Definition,
    history: History,
    begun: Iterable[tuple[str, int]] = (),
    default: Retry | None = None,
) -> None:
    """No attempt has a number above what its step's retry policy allows.

    Args:
        definition: The version that the run is pinned to.
        history: The run.
        begun: Attempts that are known to have begun, recorded or not: key and number.
        default: The policy of steps that have none of their own; None if it may have been another
            one by the time of an attempt, so that they are held to nothing.
    """
    calls = asked_steps(definition, history)
    policies = {key: call.terms.retry or default for key, call in calls.items()}
    allowed = {key: policy.max_attempts for key, policy in policies.items() if policy is not None}
    recorded = [(record.key, record.attempt) for record in history.records.values()]
    for key, attempt in [*begun, *recorded]:
        if attempt > allowed.get(key, attempt):
            detail = f"{key}: attempt {attempt}, today's code allows {allowed[key]}"
            raise ViolationError("attempts_within_policy", detail)


def asked_steps(definition: Definition, history: History) -> Mapping[str, StepCall]:
    """Return every step that the workflow asks for, by key."""
    found: dict[str, StepCall] = {}
    finals = {key: record for key, record in history.records.items() if record.status.final}
    joins = {key: record for key, record in finals.items() if record.kind is OpKind.JOIN}
    with Replay(definition, History(head=history.head, records=joins)) as replay:
        while isinstance(replay.decision, Suspended):
            for pending in replay.decision.frontier:
                if isinstance(pending.operation.call, StepCall):
                    found[pending.key] = pending.operation.call
            known = [item for item in replay.decision.frontier if item.key in finals]
            if not known:
                break
            replay.resume(finals[known[0].key])
    return found


# --- Of one history and the due index


def an_ended_run_is_not_due(history: History, due: Iterable[DueEntry]) -> None:
    """Once a run has its outcome, the sweeper has nothing to do with it but to remove it."""
    head = history.head
    for entry in due:
        removal = entry.due_at in (kept_until(head), head.ended_at)
        if head.status.terminal and entry.key == HEAD and not removal:
            raise ViolationError("an_ended_run_is_not_due", f"{head.status}, at {entry.due_at}")


def what_is_armed_is_indexed(history: History, due: Iterable[DueEntry]) -> None:
    """What is to be looked at stands in the due index, where the sweeper finds it."""
    found = {entry.key for entry in due}
    armed = {record.key for record in history.records.values() if record.due_at is not None}
    if history.head.due_at is not None:
        armed.add(HEAD)
    missing = sorted(armed - found)
    if missing:
        names = few([key or "the run itself" for key in missing])
        raise ViolationError("what_is_armed_is_indexed", f"not in the due index: {names}")


def every_entry_has_its_run(entries: Iterable[DueEntry]) -> None:
    """What stands in the due index belongs to a run; of entries that do not this says so."""
    names = few([entry.key or "the run itself" for entry in entries])
    raise ViolationError("every_entry_has_its_run", f"there is no such run, but it is due: {names}")
