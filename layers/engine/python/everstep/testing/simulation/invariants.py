"""What must hold of a whole schedule, by name: of what was recorded and of what was done.

``core.invariants`` checks single runs. Here stands what needs to know the schedule: who was told
what, what was executed how often, and what went wrong.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from everstep.app.payloads import load, unpack
from everstep.core.event_invariants import (
    a_continued_run_goes_on,
    an_event_goes_to_one_wait,
    the_audit_is_whole,
)
from everstep.core.invariants import (
    ViolationError,
    asked_steps,
    attempts_within_policy,
    history_replays_to_its_outcome,
    nothing_is_silently_stuck,
    who_waits_waits_for_others,
)
from everstep.core.keys import name_of
from everstep.core.model import ANY_INPUT, OpKind, OpStatus
from everstep.core.observations import RunAccepted, RunOver, StepAttempted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.app.engine import Engine
    from everstep.core.model import History, OpRecord
    from everstep.core.observations import Observation
    from everstep.core.operations import StepCall


@dataclass(slots=True, kw_only=True)
class Facts:
    """What a schedule has done, beside what the store says.

    Attributes:
        accepted: Runs for which a trigger answered 2xx, by idempotency key where one was given.
        attempts: How often each attempt was begun: run, operation, number.
        effects: How often the code of each attempt was carried out.
        probed: How often the probe of each attempt said that it was done.
        disturbances: Faults, duplicates, expired time-outs: whatever may repeat work.
        resumptions: How often a run was resumed or taken over.
        recovered: How often the sweeper took a run over because it showed no progress.
        removed: Runs whose retention is over.
        skew: How far two clocks may be apart, in milliseconds.
        observations: What the engine has told of its work.
        reuses_ids: Whether two triggers may have drawn one run id, which real ones never do.
        restored: Whether the table went back in time, and what was told with it.
    """

    accepted: list[tuple[str, str | None]] = field(default_factory=list)
    attempts: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    effects: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    probed: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    disturbances: int = 0
    resumptions: int = 0
    recovered: int = 0
    removed: set[str] = field(default_factory=set)
    skew: int = 0
    observations: list[Observation] = field(default_factory=list)
    reuses_ids: bool = False
    restored: bool = False

    def executions(self, run_id: str) -> Counter[str]:
        """Return how often each step of a run was begun, by its name."""
        counted: Counter[str] = Counter()
        for (run, key, _), times in self.attempts.items():
            if run == run_id:
                counted[name_of(key)] += times
        return counted


# --- At rest


def check_at_rest(engine: Engine, facts: Facts, run_ids: Iterable[str]) -> None:
    """Check every run once nothing is under way any more."""
    every_accepted_run_is_known(facts, run_ids)
    one_run_per_idempotency_key(engine, facts, run_ids)
    no_needless_repetition(facts)
    what_is_told_happened_once(facts)
    for run_id in run_ids:
        history = load(engine, run_id)
        if history is None:
            raise ViolationError("every_accepted_run_is_known", run_id)
        nothing_is_silently_stuck(history)
        an_event_goes_to_one_wait(history)
        completed_steps_were_executed(facts, history)
        if history.head.successor is not None:
            a_continued_run_goes_on(history, engine.runs.load(history.head.successor))
        kept_results_are_those_of_the_origin(engine, history)
        the_audit_is_whole(history.head, engine.runs.audit(run_id))
        _agrees_with_its_code(engine, facts, history)


def _agrees_with_its_code(engine: Engine, facts: Facts, history: History) -> None:
    head = history.head
    definition = engine.registry.to_continue(head.workflow, head.version)
    result = unpack(engine, head.run_id, head.result) if head.result else None
    begun = [(key, attempt) for run_id, key, attempt in facts.attempts if run_id == head.run_id]
    whole = replace(history, head=replace(head, result=result))
    history_replays_to_its_outcome(definition, whole)
    attempts_within_policy(definition, history, begun, engine.limits.retry)
    who_waits_waits_for_others(definition, history)
    at_most_once_is_at_most_once(facts, head.run_id, asked_steps(definition, history))


def at_most_once_is_at_most_once(facts: Facts, run_id: str, calls: Mapping[str, StepCall]) -> None:
    """An attempt of a step that is ``at_most_once`` begins once and has one effect, at most."""
    for (run, key, attempt), times in facts.attempts.items():
        call = calls.get(key)
        once = run == run_id and call is not None and call.terms.at_most_once
        effects = facts.effects[run, key, attempt]
        if once and max(times, effects) > 1:
            detail = f"attempt {attempt} of {key}: begun {times} times, {effects} effects"
            raise ViolationError("at_most_once_is_at_most_once", detail)


def every_accepted_run_is_known(facts: Facts, run_ids: Iterable[str]) -> None:
    """A run for which a trigger answered 2xx is recorded."""
    missing = {run_id for run_id, _ in facts.accepted} - set(run_ids) - facts.removed
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
        # Once its run is gone a key starts another.
        if key is not None and not facts.removed and told.setdefault(key, run_id) != run_id:
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


def what_is_told_happened_once(facts: Facts) -> None:
    """What is counted is what was recorded: a start, an end and each attempt once at most."""
    told: Counter[tuple[object, ...]] = Counter()
    for each in facts.observations:
        match each:
            case RunAccepted() if facts.reuses_ids:
                pass
            case RunOver() | StepAttempted() if each.run_id in facts.removed:
                # Whoever sleeps through the removal of a run finds nothing that refuses its write.
                pass
            case RunAccepted() | RunOver():
                told[type(each).__name__, each.run_id] += 1
            case StepAttempted():
                told["StepAttempted", each.run_id, each.op, each.attempt] += 1
            case _:
                pass
    twice = [str(key) for key, count in told.items() if count > 1]
    if twice and not facts.restored:
        raise ViolationError("what_is_told_happened_once", ", ".join(twice))


def completed_steps_were_executed(facts: Facts, history: History) -> None:
    """A recorded result comes from an execution of just that attempt, or from its probe."""
    run_id = history.head.run_id
    for record in history.records.values():
        done = record.kind is OpKind.STEP and record.status is OpStatus.DONE
        about = (run_id, record.key, record.attempt)
        if _is_kept(record):
            # Executed for the run that this one goes on from.
            continue
        if done and not facts.effects[about] and not facts.probed[about]:
            raise ViolationError("completed_steps_were_executed", f"{record.key} of {run_id}")


def kept_results_are_those_of_the_origin(engine: Engine, history: History) -> None:
    """What a run keeps of the one that it goes on from is just what that one has recorded."""
    origin = history.head.origin
    before = None if origin is None else load(engine, origin.run_id)
    for record in history.records.values():
        if not _is_kept(record):
            continue
        old = before.records.get(record.key) if before else None
        if old is None or _said(old) != _said(record):
            detail = f"{record.key} of {history.head.run_id}"
            raise ViolationError("kept_results_are_those_of_the_origin", detail)


def _said(record: OpRecord) -> tuple[object, ...]:
    """Return what a record says, wherever its result is kept."""
    text = record.result and record.result.text
    return record.kind, record.attempt, record.ended_at, text, record.error


def _is_kept(record: OpRecord) -> bool:
    return record.input_hash == ANY_INPUT and record.status.final


# --- Where nothing went wrong


def check_without_faults(facts: Facts) -> None:
    """Check what only holds as long as nothing goes wrong."""
    every_step_ran_exactly_once(facts)
    nobody_was_rescued(facts)
    everything_is_told(facts)


def every_step_ran_exactly_once(facts: Facts) -> None:
    """Without faults no attempt is made twice."""
    repeated = _repeated(facts)
    if repeated:
        raise ViolationError("every_step_ran_exactly_once", repeated)


def nobody_was_rescued(facts: Facts) -> None:
    """The protocol itself gets every run to its end; the watchdog has nothing to do."""
    if facts.recovered:
        raise ViolationError("nobody_was_rescued", f"{facts.recovered} runs were taken over")


def everything_is_told(facts: Facts) -> None:
    """Every attempt that was made is counted."""
    counted = {
        (each.run_id, each.op, each.attempt)
        for each in facts.observations
        if isinstance(each, StepAttempted)
    }
    untold = facts.attempts.keys() - counted
    if untold:
        raise ViolationError("everything_is_told", ", ".join(map(str, sorted(untold))))


def _repeated(facts: Facts) -> str:
    twice = [f"{key}: {count} times" for key, count in facts.attempts.items() if count > 1]
    return ", ".join(twice)
