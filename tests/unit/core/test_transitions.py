"""Which record may follow which: every row of the table, and nothing beside it."""

from dataclasses import replace

import pytest

from everstep.core import transitions
from everstep.core.audit import Action, AuditEntry, seal
from everstep.core.changes import (
    HeadChange,
    RunEnded,
    RunPaused,
    RunResumed,
    RunStalled,
    RunWatched,
    apply,
)
from everstep.core.circumstances import Trail
from everstep.core.model import (
    ErrorInfo,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
    Stall,
)
from everstep.core.transitions import (
    Guard,
    HeadGuard,
    step_ended,
    step_retried,
    step_settled,
    step_started,
    timer_moved,
)
from tests.unit.core.builders import NOW, make_head, record

NONE = None
RETRY_1 = record("a#1", OpStatus.RETRY)
RETRY_2 = record("a#1", OpStatus.RETRY, attempt=2)
STARTED_1 = record("a#1", OpStatus.STARTED)
STARTED_2 = record("a#1", OpStatus.STARTED, attempt=2)
WAITING = record("a#1", OpStatus.WAITING, attempt=0, due_at=NOW)
DONE = record("a#1")
FAILED = record("a#1", OpStatus.FAILED)
STATES: dict[str, OpRecord | None] = {
    "none": NONE,
    "RETRY 1": RETRY_1,
    "RETRY 2": RETRY_2,
    "STARTED 1": STARTED_1,
    "STARTED 2": STARTED_2,
    "WAITING": WAITING,
    "DONE": DONE,
    "FAILED": FAILED,
}


@pytest.mark.parametrize(
    ("guard", "allowed"),
    [
        (step_ended(1), {"none", "STARTED 1"}),
        (step_ended(2), {"none", "RETRY 1", "STARTED 2"}),
        (step_ended(3), {"none", "RETRY 1", "RETRY 2"}),
        (step_retried(1), {"none", "STARTED 1"}),
        (step_retried(2), {"RETRY 1", "STARTED 2"}),
        (step_retried(3), {"RETRY 2"}),
        (step_started(1), {"none"}),
        (step_started(2), {"RETRY 1"}),
        (step_settled(1), {"STARTED 1"}),
        (step_settled(2), {"STARTED 2"}),
        (transitions.SHORT_SLEEP_ENDED, {"none", "WAITING"}),
        (transitions.LONG_SLEEP_ENDED, {"WAITING"}),
        (transitions.ARMED, {"none"}),
        (transitions.REARMED, {"WAITING", "RETRY 1", "RETRY 2"}),
        (timer_moved(NOW), {"WAITING"}),
        (timer_moved(NOW + 1), set()),
    ],
    ids=[
        "attempt 1 ended",
        "attempt 2 ended",
        "attempt 3 ended",
        "attempt 1 failed",
        "attempt 2 failed",
        "attempt 3 failed",
        "attempt 1 started",
        "attempt 2 started",
        "attempt 1 settled",
        "attempt 2 settled",
        "short sleep ended",
        "long sleep ended",
        "armed",
        "rearmed",
        "moved from where it stands",
        "moved from elsewhere",
    ],
)
def test_a_write_is_allowed_on_these_records_only(guard: Guard, allowed: set[str]) -> None:
    assert {name for name, state in STATES.items() if guard.allows(state)} == allowed


@pytest.mark.parametrize(
    ("guard", "allowed"),
    [
        (transitions.RUN_ENDED, {RunStatus.RUNNING}),
        (transitions.RUN_STALLED, {RunStatus.RUNNING}),
        (transitions.RUN_PAUSED, {RunStatus.RUNNING}),
        (transitions.RUN_RESUMED, {RunStatus.STALLED, RunStatus.PAUSED}),
        (transitions.watch_moved(NOW), {RunStatus.RUNNING}),
        (transitions.watch_moved(NOW + 1), set()),
    ],
    ids=["ended", "stalled", "paused", "resumed", "watched", "watched elsewhere"],
)
def test_a_head_changes_from_these_statuses_only(guard: HeadGuard, allowed: set[RunStatus]) -> None:
    heads = {status: replace(make_head(status=status), due_at=NOW) for status in RunStatus}

    assert {status for status, head in heads.items() if guard.allows(head)} == allowed
    assert not guard.allows(None)


def test_no_guard_replaces_a_result() -> None:
    guards = [value for value in vars(transitions).values() if isinstance(value, Guard)]

    assert len(guards) >= 4
    for guard in [
        *guards,
        step_ended(9),
        step_retried(9),
        step_started(9),
        step_settled(9),
        timer_moved(NOW),
    ]:
        assert not guard.allows(DONE)
        assert not guard.allows(FAILED)


def test_no_head_guard_leaves_a_terminal_status() -> None:
    named = {name: each for name, each in vars(transitions).items() if isinstance(each, HeadGuard)}
    # What these guard adds to the audit or has the run removed, and leaves the status alone.
    guards = [each for name, each in named.items() if name not in {"RUN_NOTED", "RUN_DISCARDED"}]
    terminal = [status for status in RunStatus if status.terminal]

    assert len(terminal) == 5
    assert not any(
        guard.allows(make_head(status=status)) for guard in guards for status in terminal
    )


REASON = ErrorInfo(type="E", message="m")
STALL = Stall(reason=REASON, at=NOW)
BEFORE = replace(make_head(), due_at=NOW, generation=1)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (
            RunEnded(status=RunStatus.COMPLETED, by="t", at=NOW, result=Payload(text="1")),
            {
                "status": RunStatus.COMPLETED,
                "by": "t",
                "ended_at": NOW,
                "result": Payload(text="1"),
                "due_at": None,
            },
        ),
        (
            RunEnded(status=RunStatus.FAILED, by="t", at=NOW, error=REASON),
            {
                "status": RunStatus.FAILED,
                "by": "t",
                "ended_at": NOW,
                "error": REASON,
                "due_at": None,
            },
        ),
        (
            RunStalled(by="t", stall=STALL),
            {"status": RunStatus.STALLED, "by": "t", "stall": STALL, "due_at": None},
        ),
        (RunPaused(by="t"), {"status": RunStatus.PAUSED, "by": "t", "due_at": None}),
        (
            RunResumed(by="t", at=NOW + 1, due_at=NOW + 2),
            {"by": "t", "resumed_at": NOW + 1, "due_at": NOW + 2, "stall": None},
        ),
        (RunWatched(due_at=NOW + 3), {"due_at": NOW + 3}),
    ],
    ids=["completed", "failed", "stalled", "paused", "resumed", "watched"],
)
def test_a_change_touches_these_fields_only(change: HeadChange, fields: dict[str, object]) -> None:
    after = apply(BEFORE, change)

    assert {name: getattr(after, name) for name in fields} == fields
    assert replace(after, **{name: getattr(BEFORE, name) for name in fields}) == BEFORE


def test_a_change_with_an_audit_entry_counts_it_and_keeps_its_hash() -> None:
    entry = AuditEntry(number=2, at=NOW, action=Action.PAUSED, previous="hash")
    change = RunPaused(by="t")

    trail = Trail(link=seal(entry))
    expected = replace(apply(BEFORE, change), generation=2, trail=trail)
    assert apply(BEFORE, change, entry) == expected


def test_an_audit_entry_follows_the_one_before_it_only() -> None:
    entry = AuditEntry(number=2, at=NOW, action=Action.PAUSED, previous="hash")
    guard = transitions.RUN_PAUSED.followed_by(entry)

    heads = [replace(make_head(), generation=generation) for generation in range(4)]
    assert [guard.allows(head) for head in heads] == [False, True, False, False]
    assert transitions.RUN_PAUSED.followed_by(None) == transitions.RUN_PAUSED
