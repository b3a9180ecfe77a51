"""What must hold whatever happens, by name.

``on_write`` checks are made at every write, ``at_rest`` checks when nothing is under way any
more, ``without_faults`` checks only where nothing went wrong. A check raises ``ViolationError``
with its own name; nothing here knows how the schedule came about.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from everstep.app.payloads import load, unpack
from everstep.core.model import History, OpKind, OpStatus, RunStatus
from everstep.core.replay import Raised, Replay, Returned

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.app.engine import Engine
    from everstep.core.model import Head, OpRecord


class ViolationError(AssertionError):
    """Say which invariant does not hold, and where."""

    def __init__(self, invariant: str, detail: str) -> None:
        """Name the invariant."""
        self.invariant = invariant
        super().__init__(f"{invariant.replace('_', ' ')}: {detail}")


@dataclass(slots=True, kw_only=True)
class Facts:
    """What a schedule has done, beside what the store says.

    Attributes:
        accepted: Runs for which a trigger answered 2xx, by idempotency key where one was given.
        attempts: How often each attempt was begun: run, operation, number.
        effects: How often the code of each attempt was carried out.
        disturbances: Faults, duplicates, expired time-outs: whatever may repeat work.
        resumptions: How often a run was resumed or taken over.
        recovered: How often the sweeper took a run over because it showed no progress.
        skew: How far two clocks may be apart, in milliseconds.
    """

    accepted: list[tuple[str, str | None]] = field(default_factory=list)
    attempts: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    effects: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    disturbances: int = 0
    resumptions: int = 0
    recovered: int = 0
    skew: int = 0


# --- At every write


def check_write(before: History | None, after: History, now: int, skew: int) -> None:
    """Check one write: what was there before, and what is there now."""
    running_is_watched(after.head)
    if before is None:
        return
    head_stays_what_it_is(before.head, after.head)
    for key, record in before.records.items():
        result_never_changes(record, after.records.get(key))
        attempts_only_grow(record, after.records.get(key))
    for record in after.records.values():
        if record != before.records.get(record.key):
            nothing_is_recorded_after_the_end(before.head, record, before.records.get(record.key))
            no_attempt_is_left_out(record, before.records.get(record.key))
            sleep_never_ends_early(record, now, skew)


def running_is_watched(head: Head) -> None:
    """A running run always stands in the due index."""
    if head.status is RunStatus.RUNNING and head.due_at is None:
        raise ViolationError("running_is_watched", head.run_id)


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


def nothing_is_recorded_after_the_end(
    head: Head, record: OpRecord, before: OpRecord | None
) -> None:
    """Once a run has its outcome no operation gets a new record."""
    moved = before is not None and replace(before, due_at=record.due_at) == record
    if head.status.terminal and not moved:
        raise ViolationError("nothing_is_recorded_after_the_end", f"{record.key} of {head.run_id}")


def sleep_never_ends_early(record: OpRecord, now: int, skew: int) -> None:
    """A sleep is recorded as ended only when it has ended, by any clock that takes part."""
    if record.kind is not OpKind.SLEEP or record.status is not OpStatus.DONE:
        return
    wake_at = record.wake_at or 0
    if (record.ended_at or 0) < wake_at or now + skew < wake_at:
        raise ViolationError("sleep_never_ends_early", f"{record} at {now}")


# --- At rest


def check_at_rest(engine: Engine, facts: Facts, run_ids: Iterable[str]) -> None:
    """Check every run once nothing is under way any more."""
    every_accepted_run_is_known(facts, run_ids)
    one_run_per_idempotency_key(engine, facts, run_ids)
    no_needless_repetition(facts)
    for run_id in run_ids:
        history = load(engine, run_id)
        if history is None:
            raise ViolationError("every_accepted_run_is_known", run_id)
        nothing_is_silently_stuck(history)
        completed_steps_were_executed(facts, history)
        history_replays_to_its_outcome(engine, history)
        attempts_within_policy(engine, facts, history)


def every_accepted_run_is_known(facts: Facts, run_ids: Iterable[str]) -> None:
    """A run for which a trigger answered 2xx is recorded."""
    missing = {run_id for run_id, _ in facts.accepted} - set(run_ids)
    if missing:
        raise ViolationError("every_accepted_run_is_known", ", ".join(sorted(missing)))


def one_run_per_idempotency_key(engine: Engine, facts: Facts, run_ids: Iterable[str]) -> None:
    """An idempotency key starts one run, and every trigger that used it was told that one."""
    heads = [head for head in map(engine.runs.head, run_ids) if head is not None]
    keys = Counter(
        (head.workflow, head.idempotency_key) for head in heads if head.idempotency_key is not None
    )
    twice = [str(key) for key, count in keys.items() if count > 1]
    if twice:
        raise ViolationError("one_run_per_idempotency_key", ", ".join(twice))
    told: dict[str, str] = {}
    for run_id, key in facts.accepted:
        if key is not None and told.setdefault(key, run_id) != run_id:
            raise ViolationError("one_run_per_idempotency_key", f"{key}: {told[key]}, {run_id}")


def no_needless_repetition(facts: Facts) -> None:
    """What goes wrong once starts no second chain through the run.

    It may repeat an attempt and, when two deliveries of one message commit at the same moment,
    the attempt after it: an executor that lost cannot tell its twin from an answer that got lost.
    """
    repeats = sum(count - 1 for count in facts.attempts.values())
    allowed = 2 * (facts.disturbances + facts.resumptions + facts.recovered)
    if repeats > allowed:
        detail = f"{repeats} repeated attempts after {allowed} causes: {_repeated(facts)}"
        raise ViolationError("no_needless_repetition", detail)


def nothing_is_silently_stuck(history: History) -> None:
    """Every run has ended, or stands still with a reason."""
    head = history.head
    stalled = head.status is RunStatus.STALLED and head.stall is not None
    if not head.status.terminal and not stalled:
        raise ViolationError("nothing_is_silently_stuck", f"{head}, {sorted(history.records)}")


def completed_steps_were_executed(facts: Facts, history: History) -> None:
    """A recorded result comes from an execution of just that attempt."""
    run_id = history.head.run_id
    for record in history.records.values():
        done = record.kind is OpKind.STEP and record.status is OpStatus.DONE
        if done and not facts.effects[run_id, record.key, record.attempt]:
            raise ViolationError("completed_steps_were_executed", f"{record.key} of {run_id}")


def history_replays_to_its_outcome(engine: Engine, history: History) -> None:
    """Replaying a finished run's history gives the outcome that is stored."""
    head = history.head
    if not head.status.terminal:
        return
    definition = engine.registry.to_continue(head.workflow, head.version)
    with Replay(definition, history) as replay:
        decision = replay.decision
    match decision:
        case Returned(output=output) if head.status is RunStatus.COMPLETED and head.result:
            same = unpack(engine, head.result).text == output
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


def attempts_within_policy(engine: Engine, facts: Facts, history: History) -> None:
    """No attempt has a number above what its step's retry policy allows."""
    allowed = most_attempts(engine, history)
    counted = [
        (key, attempt) for run_id, key, attempt in facts.attempts if run_id == history.head.run_id
    ]
    recorded = [(record.key, record.attempt) for record in history.records.values()]
    for key, attempt in counted + recorded:
        if attempt > allowed.get(key, attempt):
            raise ViolationError("attempts_within_policy", f"{key}: attempt {attempt}")


def most_attempts(engine: Engine, history: History) -> Mapping[str, int]:
    """Return the highest attempt number of every step that the workflow asks for."""
    found: dict[str, int] = {}
    head = history.head
    definition = engine.registry.to_continue(head.workflow, head.version)
    finals = {key: record for key, record in history.records.items() if record.status.final}
    replay = Replay(definition, History(head=head))
    with replay:
        while frontier := getattr(replay.decision, "frontier", ()):
            pending = frontier[0]
            retry = getattr(pending.operation.call, "retry", None)
            if retry is not None:
                found[pending.key] = retry.max_attempts
            if pending.key not in finals:
                break
            replay.resume(finals[pending.key])
    return found


# --- Where nothing went wrong


def check_without_faults(facts: Facts) -> None:
    """Check what only holds as long as nothing goes wrong."""
    every_step_ran_exactly_once(facts)
    nobody_was_rescued(facts)


def every_step_ran_exactly_once(facts: Facts) -> None:
    """Without faults no attempt is made twice."""
    repeated = _repeated(facts)
    if repeated:
        raise ViolationError("every_step_ran_exactly_once", repeated)


def nobody_was_rescued(facts: Facts) -> None:
    """The protocol itself gets every run to its end; the watchdog has nothing to do."""
    if facts.recovered:
        raise ViolationError("nobody_was_rescued", f"{facts.recovered} runs were taken over")


def _repeated(facts: Facts) -> str:
    twice = [f"{key}: {count} times" for key, count in facts.attempts.items() if count > 1]
    return ", ".join(twice)
