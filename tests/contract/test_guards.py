"""Every guard of the core, on top of everything that may stand recorded, in every store."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle, product
from typing import TYPE_CHECKING, Final

import pytest

from everstep.core import transitions
from everstep.core.changes import RunWatched, apply
from everstep.core.model import OpRecord, OpStatus, RunStatus
from everstep.core.transitions import Guard, HeadGuard
from tests.contract.builders import (
    ALWAYS,
    ALWAYS_HEAD,
    CHANGES,
    PAYLOAD,
    make_full_head,
    make_head,
    make_record,
)

if TYPE_CHECKING:
    from everstep.core.model import Head
    from tests.contract.backends import Backend

SEEN: Final = 5000
ELSEWHERE: Final = 7000

GUARDS: Final = {
    **{f"step_ended({n})": transitions.step_ended(n) for n in (1, 2, 3)},
    **{f"step_retried({n})": transitions.step_retried(n) for n in (1, 2, 3)},
    **{f"step_started({n})": transitions.step_started(n) for n in (1, 2, 3)},
    **{f"step_settled({n})": transitions.step_settled(n) for n in (1, 2, 3)},
    "timer_moved": transitions.timer_moved(SEEN),
    "SHORT_SLEEP_ENDED": transitions.SHORT_SLEEP_ENDED,
    "LONG_SLEEP_ENDED": transitions.LONG_SLEEP_ENDED,
    "ARMED": transitions.ARMED,
    "KEPT": transitions.KEPT,
    "REARMED": transitions.REARMED,
    "WAIT_ENDED": transitions.WAIT_ENDED,
    "JOIN_CLOSED": transitions.JOIN_CLOSED,
    "PERFORMED": transitions.PERFORMED,
    "wait_prolonged": transitions.wait_prolonged(ELSEWHERE),
    **{f"told_to_end({n})": transitions.told_to_end(n) for n in (0, 1)},
    # Not of the core, but sayable.
    "nothing": Guard(),
    "every clause": Guard(
        absent=True, statuses=tuple(OpStatus), attempt=1, attempt_below=2, due_at=SEEN, started=3
    ),
}
HEAD_GUARDS: Final = {
    "RUN_ENDED": transitions.RUN_ENDED,
    "RUN_CONTINUED": transitions.RUN_CONTINUED,
    "RUN_STALLED": transitions.RUN_STALLED,
    "RUN_PAUSED": transitions.RUN_PAUSED,
    "RUN_RESUMED": transitions.RUN_RESUMED,
    "RUN_TOLD": transitions.RUN_TOLD,
    "TIME_IS_UP": transitions.TIME_IS_UP,
    "RUN_NOTED": transitions.RUN_NOTED,
    "RUN_DISCARDED": transitions.RUN_DISCARDED,
    "RUN_TERMINATED": transitions.RUN_TERMINATED,
    "watch_moved": transitions.watch_moved(SEEN),
    "run_taken_over": transitions.run_taken_over(SEEN),
    "nothing": HeadGuard(statuses=()),
    "as many audit entries": HeadGuard(statuses=tuple(RunStatus), generation=3),
    "other audit entries": HeadGuard(statuses=tuple(RunStatus), generation=2),
}
RECORDED: Final = [
    replace(
        make_record(f"op#{n}", status),
        attempt=attempt,
        due_at=due_at,
        wake_at=ELSEWHERE if n % 2 else SEEN,
        by="before",
    )
    for n, (status, attempt, due_at) in enumerate(
        product(OpStatus, range(4), (None, SEEN, ELSEWHERE)), start=1
    )
]
NOT_RECORDED: Final = "op#0"


def replacement(key: str) -> OpRecord:
    return replace(make_record(key), attempt=3, by="after", result=PAYLOAD)


def prepare(backend: Backend, run_id: str) -> dict[str, OpRecord]:
    assert backend.runs.create(make_head(run_id), None) is None
    for record in RECORDED:
        assert backend.runs.put(run_id, record, ALWAYS)
    return {record.key: record for record in RECORDED}


def records(backend: Backend, run_id: str) -> dict[str, OpRecord]:
    history = backend.runs.load(run_id)
    assert history is not None
    return dict(history.records)


def test_no_guard_of_the_core_is_left_out() -> None:
    public = {name for name in vars(transitions) if not name.startswith("_")}
    makers = {name for name in public if isinstance(vars(transitions)[name], Guard | HeadGuard)}
    makers |= {"step_ended", "step_retried", "step_started", "step_settled"}
    makers |= {"timer_moved", "watch_moved", "wait_prolonged", "told_to_end", "run_taken_over"}
    tested = {name.partition("(")[0] for name in (*GUARDS, *HEAD_GUARDS)}
    assert makers <= tested
    functions = {
        name
        for name in public
        if getattr(vars(transitions)[name], "__module__", "") == transitions.__name__
        and not isinstance(vars(transitions)[name], type | Guard | HeadGuard)
    }
    assert functions <= makers


@pytest.mark.parametrize("name", GUARDS)
def test_a_record_is_replaced_if_and_only_if_the_guard_allows(
    backend: Backend, run_id: str, name: str
) -> None:
    guard = GUARDS[name]
    expected = prepare(backend, run_id)
    for key in (NOT_RECORDED, *list(expected)):
        allowed = guard.allows(expected.get(key))
        assert backend.runs.put(run_id, replacement(key), guard) is allowed, expected.get(key)
        if allowed:
            expected[key] = replacement(key)
    assert records(backend, run_id) == expected


@pytest.mark.parametrize("name", GUARDS)
def test_a_record_moves_if_and_only_if_it_is_there_and_the_guard_allows(
    backend: Backend, run_id: str, name: str
) -> None:
    guard = GUARDS[name]
    expected = prepare(backend, run_id)
    assert backend.runs.move(run_id, NOT_RECORDED, 9000, guard) is False
    # To another place in the index, and out of it, in turn.
    for (key, before), due_at in zip(list(expected.items()), cycle((9000, None)), strict=False):
        allowed = guard.allows(before)
        assert backend.runs.move(run_id, key, due_at, guard) is allowed, before
        if allowed:
            expected[key] = replace(before, due_at=due_at)
    assert records(backend, run_id) == expected


def heads(run_id: str) -> list[Head]:
    return [
        replace(make_full_head(f"{run_id}-{n}"), status=status, due_at=due_at)
        for n, (status, due_at) in enumerate(product(RunStatus, (None, SEEN, ELSEWHERE)))
    ]


@pytest.mark.parametrize("name", HEAD_GUARDS)
def test_a_head_changes_if_and_only_if_the_guard_allows(
    backend: Backend, run_id: str, name: str
) -> None:
    guard = HEAD_GUARDS[name]
    change = RunWatched(due_at=9000)
    assert backend.runs.change(run_id, change, guard) is False
    for head in heads(run_id):
        assert backend.runs.create(head, None) is None
        allowed = guard.allows(head)
        assert backend.runs.change(head.run_id, change, guard) is allowed, head
        expected = apply(head, change) if allowed else head
        assert backend.runs.head(head.run_id) == expected
    assert backend.runs.head(run_id) is None


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_does_to_every_head_what_the_core_says(
    backend: Backend, run_id: str, name: str
) -> None:
    for head in heads(run_id):
        assert backend.runs.create(head, None) is None
        assert backend.runs.change(head.run_id, CHANGES[name], ALWAYS_HEAD)
        assert backend.runs.head(head.run_id) == apply(head, CHANGES[name])


@pytest.mark.parametrize("name", CHANGES)
def test_a_refused_change_changes_nothing(backend: Backend, run_id: str, name: str) -> None:
    head = make_full_head(run_id)
    assert backend.runs.create(head, None) is None
    assert not backend.runs.change(run_id, CHANGES[name], HeadGuard(statuses=(RunStatus.PAUSED,)))
    assert backend.runs.head(run_id) == head


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_makes_no_head_where_there_is_none(
    backend: Backend, run_id: str, name: str
) -> None:
    assert not backend.runs.change(run_id, CHANGES[name], ALWAYS_HEAD)
    assert backend.runs.head(run_id) is None
