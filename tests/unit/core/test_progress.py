"""Where a run is, told from its history."""

from dataclasses import replace

import pytest

from everstep import Context
from everstep.core.model import History, OpKind, OpStatus, RunStatus
from everstep.core.progress import Progress, progress
from tests.unit.core.builders import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    Body,
    add,
    history_of,
    inserted_record,
    make_history,
    one_pass,
    record,
)


async def step_then_nap(ctx: Context) -> None:
    await ctx.step(add, 1)
    await ctx.sleep(60)


def seen(body: Body, history: History) -> Progress:
    with one_pass(body, history) as replay:
        return progress(history, replay.decision, replay.asked)


def with_status(history: History, status: RunStatus) -> History:
    return History(head=replace(history.head, status=status), records=history.records)


DONE = history_of(step_then_nap, {"add#1": 1})
ALL_DONE = history_of(step_then_nap, {"add#1": 1, "sleep#1": None})


def test_a_run_is_pending_until_its_first_operation_leaves_a_trace() -> None:
    at = seen(step_then_nap, make_history())

    assert at.status is RunStatus.PENDING
    assert [item.key for item in at.scheduled] == ["add#1"]
    assert at.records == ()
    assert at.wake_at is None


def test_a_run_sleeps_while_it_waits_for_a_timer_only() -> None:
    at = seen(step_then_nap, DONE)

    assert at.status is RunStatus.SLEEPING
    assert at.wake_at == NOW + SECOND + MINUTE


def test_a_run_that_waits_for_its_next_attempt_is_running() -> None:
    failed = record("add#1", OpStatus.RETRY, wake_at=NOW + DAY)
    history = make_history(inserted_record(step_then_nap, make_history(), failed))

    at = seen(step_then_nap, history)

    assert at.status is RunStatus.RUNNING
    assert at.wake_at is None
    assert at.scheduled == ()


def test_a_run_that_has_returned_but_is_not_marked_yet_is_running() -> None:
    assert seen(step_then_nap, ALL_DONE).status is RunStatus.RUNNING


@pytest.mark.parametrize(
    "status", [RunStatus.PAUSED, RunStatus.STALLED, RunStatus.COMPLETED, RunStatus.FAILED]
)
def test_a_recorded_status_is_shown_as_it_is(status: RunStatus) -> None:
    at = seen(step_then_nap, with_status(DONE, status))

    assert at.status is status
    assert at.wake_at is None


def test_a_run_that_has_ended_has_nothing_to_come() -> None:
    assert seen(step_then_nap, with_status(DONE, RunStatus.FAILED)).scheduled == ()
    assert seen(step_then_nap, with_status(DONE, RunStatus.STALLED)).scheduled != ()


def test_operations_stand_in_the_order_in_which_the_code_asks_for_them() -> None:
    backwards = History(head=ALL_DONE.head, records=dict(reversed(ALL_DONE.records.items())))

    assert [item.key for item in seen(step_then_nap, backwards).records] == ["add#1", "sleep#1"]


def test_without_code_operations_stand_in_the_order_in_which_they_began() -> None:
    late = record("a#1", started_at=NOW + 1)
    early = record("b#1", started_at=NOW, kind=OpKind.SLEEP)
    never = record("c#1", started_at=None)

    at = progress(make_history(late, early, never), None, [])

    assert [item.key for item in at.records] == ["c#1", "b#1", "a#1"]
    assert at.status is RunStatus.RUNNING
