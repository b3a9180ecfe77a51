"""What a run waits for: under way, in time, or overdue, with the failure window."""

from dataclasses import replace

import pytest

from everstep import Context
from everstep.core.decisions import Suspended
from everstep.core.diagnose import diagnose
from everstep.core.diagnosis import Cause, Foreseen, Known, Repair, State, Window
from everstep.core.model import (
    ErrorInfo,
    Event,
    Head,
    History,
    MessageKind,
    OpKind,
    OpStatus,
    Payload,
    RunStatus,
)
from tests.unit.core.builders import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    add,
    add_twice,
    history_of,
    inserted_record,
    make_head,
    make_history,
    one_pass,
    record,
)
from tests.unit.core.stuck import (
    GRACE,
    WATCHDOG,
    calls,
    calls_back,
    found,
    long_sleep,
    side_by_side,
    sleeps_long,
    waits,
    waits_a_day,
    watched,
    with_open,
)


def step_under_way() -> History:
    return watched(history_of(add_twice, {"add#1": 1}), due_at=NOW + WATCHDOG)


def test_a_step_without_a_trace_is_queued_or_running_until_the_grace_is_over() -> None:
    seen = found(add_twice, step_under_way(), SECOND + GRACE - 1)
    assert (seen.cause, seen.says, seen.since) == (
        Cause.UNDER_WAY,
        "add#2 attempt 1 is queued or running",
        NOW + SECOND,
    )
    (step,) = seen.awaited
    assert (step.key, step.kind, step.state, step.window) == (
        "add#2",
        OpKind.STEP,
        State.UNDER_WAY,
        None,
    )


def test_a_step_whose_message_is_lost_is_taken_over_by_the_watchdog_or_by_somebody() -> None:
    seen = found(add_twice, step_under_way(), SECOND + GRACE)
    assert (seen.cause, seen.window, seen.repair) == (
        Cause.MESSAGE_LOST,
        Window.MESSAGE,
        Repair.RECOVER,
    )
    assert seen.says == "add#2 left no trace: its message is lost or very late"
    assert seen.foreseen == Foreseen(kind=MessageKind.RECOVER, at=NOW + SECOND + WATCHDOG)


def test_a_step_that_got_lost_with_a_resumption_is_that_window() -> None:
    history = watched(step_under_way(), resumed_at=NOW + MINUTE)
    assert found(add_twice, history, DAY).window is Window.RESUME_SEND
    before = watched(step_under_way(), resumed_at=NOW)
    assert found(add_twice, before, DAY).window is Window.MESSAGE


def test_an_attempt_that_has_begun_is_under_way_until_it_is_surely_over() -> None:
    history = with_open(
        add_twice, "add#1", OpKind.STEP, OpStatus.STARTED, wake_at=NOW + MINUTE, attempt=2
    )
    seen = found(add_twice, history, 30 * SECOND)
    assert (seen.cause, seen.says, seen.until) == (
        Cause.UNDER_WAY,
        "add#1 attempt 2 has begun",
        NOW + MINUTE,
    )
    late = found(add_twice, history, 2 * MINUTE)
    assert (late.cause, late.says) == (
        Cause.UNDER_WAY,
        "add#1 attempt 2 has begun and left no result",
    )
    assert found(add_twice, history, MINUTE + GRACE).repair is Repair.RECOVER


def test_a_step_that_failed_waits_for_its_next_attempt() -> None:
    error = ErrorInfo(type="TimeoutError", message="secret")
    history = with_open(
        add_twice,
        "add#1",
        OpKind.STEP,
        OpStatus.RETRY,
        wake_at=NOW + MINUTE,
        ended_at=NOW,
        error=error,
    )
    seen = found(add_twice, history, SECOND)
    assert (seen.cause, seen.until) == (Cause.RETRYING, NOW + MINUTE)
    assert seen.says == "add#1 attempt 1 failed with TimeoutError; attempt 2 is to come"
    assert found(add_twice, history, 2 * MINUTE).cause is Cause.UNDER_WAY
    lost = found(add_twice, history, MINUTE + GRACE)
    assert (lost.cause, lost.window, lost.repair) == (
        Cause.MESSAGE_LOST,
        Window.MESSAGE,
        Repair.RECOVER,
    )


def test_an_armed_retry_that_is_late_is_sent_again_by_the_sweeper() -> None:
    history = with_open(
        add_twice, "add#1", OpKind.STEP, OpStatus.RETRY, wake_at=NOW + DAY, due_at=NOW + DAY
    )
    assert found(add_twice, history, SECOND).says == "add#1 attempt 1 failed; attempt 2 is to come"
    seen = found(add_twice, history, DAY + GRACE)
    assert seen.foreseen == Foreseen(kind=MessageKind.STEP, at=NOW + DAY + GRACE)


def test_a_sleeping_run_sleeps() -> None:
    seen = found(sleeps_long, long_sleep(), MINUTE)
    assert (seen.cause, seen.says, seen.until, seen.repair) == (
        Cause.SLEEPING,
        "sleep#1 sleeps",
        NOW + DAY,
        None,
    )
    assert seen.status is RunStatus.SLEEPING


def test_a_long_sleep_whose_message_is_lost_is_woken_by_the_sweeper() -> None:
    assert found(sleeps_long, long_sleep(), DAY + MINUTE).cause is Cause.UNDER_WAY
    history = long_sleep(due_at=NOW + DAY + 2 * GRACE)
    seen = found(sleeps_long, history, DAY + GRACE)
    assert (seen.cause, seen.window, seen.repair) == (
        Cause.MESSAGE_LOST,
        Window.LONG_TIMER,
        Repair.RECOVER,
    )
    assert seen.foreseen == Foreseen(kind=MessageKind.TIMER, at=NOW + DAY + 2 * GRACE)


def test_a_long_timer_that_is_in_no_index_is_named_at_once() -> None:
    seen = found(sleeps_long, long_sleep(due_at=None), MINUTE)
    assert (seen.cause, seen.window, seen.repair) == (
        Cause.MESSAGE_LOST,
        Window.LONG_TIMER,
        Repair.RECOVER,
    )
    assert seen.says == "sleep#1 sleeps, and its timer is not armed"


def test_a_long_sleep_that_was_never_recorded_has_lost_its_message() -> None:
    history = watched(history_of(add_then_sleep, {"add#1": 1}))
    assert found(add_then_sleep, history, MINUTE).says == "sleep#1 is about to be recorded"
    assert found(add_then_sleep, history, DAY).window is Window.MESSAGE


async def add_then_sleep(ctx: Context) -> None:
    await ctx.step(add, 1)
    await ctx.sleep(86_400)


async def add_then_nap(ctx: Context) -> None:
    await ctx.step(add, 1)
    await ctx.sleep(60)


def test_a_short_sleep_is_over_when_its_time_is_and_lost_after_the_grace() -> None:
    history = watched(history_of(add_then_nap, {"add#1": 1}))
    assert found(add_then_nap, history, 30 * SECOND).cause is Cause.SLEEPING
    assert found(add_then_nap, history, 2 * MINUTE).cause is Cause.UNDER_WAY
    assert found(add_then_nap, history, DAY).cause is Cause.MESSAGE_LOST


def event(at: int, name: str = "paid", number: int = 1) -> Event:
    return Event(name=name, number=number, payload=Payload(text="1"), at=at)


def test_a_run_that_waits_for_an_event_waits() -> None:
    seen = found(waits, with_open(waits, "paid#1", OpKind.WAIT, OpStatus.WAITING), 30 * DAY)
    assert (seen.cause, seen.says, seen.since, seen.until, seen.repair) == (
        Cause.WAITING,
        "paid#1 waits for the event 'paid'",
        NOW,
        None,
        None,
    )
    # It may come in years: nobody will do anything until then.
    assert seen.foreseen is None


def test_a_wait_with_a_time_out_says_until_when() -> None:
    history = with_open(
        waits_a_day,
        "paid#1",
        OpKind.WAIT,
        OpStatus.WAITING,
        wake_at=NOW + DAY,
        due_at=NOW + DAY,
    )
    assert found(waits_a_day, history, MINUTE).until == NOW + DAY
    assert found(waits_a_day, history, DAY + GRACE).window is Window.LONG_TIMER


def test_an_event_that_is_there_has_lost_its_message_after_the_grace() -> None:
    history = with_open(waits, "paid#1", OpKind.WAIT, OpStatus.WAITING)
    history = replace(history, events=(event(NOW + DAY),))
    seen = found(waits, history, DAY + MINUTE)
    assert (seen.cause, seen.says) == (
        Cause.UNDER_WAY,
        "paid#1 the event that it waits for is there",
    )
    assert found(waits, history, DAY + GRACE).repair is Repair.RECOVER


def test_a_callback_waits_for_its_answer_and_says_when_that_is_there() -> None:
    history = with_open(
        calls_back,
        "callback#1",
        OpKind.CALLBACK,
        OpStatus.WAITING,
        wake_at=NOW + DAY,
        due_at=NOW + DAY,
    )
    assert found(calls_back, history, MINUTE).says == (
        "callback#1 waits for its callback to be completed"
    )
    answered = replace(history, events=(event(NOW, "callback#1"),))
    assert found(calls_back, answered, MINUTE).says == (
        "callback#1 the answer that it waits for is there"
    )


def child_of(status: RunStatus) -> Head:
    return replace(make_head(status=status), run_id="run-2", ended_at=NOW + MINUTE)


def test_a_run_that_waits_for_another_says_for_which() -> None:
    history = with_open(calls, "order#1", OpKind.CHILD, OpStatus.WAITING, child="run-2")
    going_on = {"run-2": child_of(RunStatus.RUNNING)}
    seen = found(calls, history, DAY, children=going_on)
    assert (seen.cause, seen.says) == (Cause.WAITING, "order#1 waits for run run-2")
    assert found(calls, history, DAY).cause is Cause.WAITING


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (child_of(RunStatus.FAILED), "order#1 run run-2 is FAILED"),
        (None, "order#1 run run-2 is not kept any more"),
    ],
)
def test_a_child_that_has_ended_without_its_parent_knowing_is_news_that_got_lost(
    head: Head | None, says: str
) -> None:
    history = with_open(calls, "order#1", OpKind.CHILD, OpStatus.WAITING, child="run-2")
    seen = found(calls, history, DAY, children={"run-2": head})
    assert (seen.cause, seen.window, seen.repair) == (
        Cause.MESSAGE_LOST,
        Window.MESSAGE,
        Repair.RECOVER,
    )
    assert seen.says == f"{says}, and its message is lost or very late"
    assert seen.foreseen is not None


def test_of_several_the_worst_is_the_cause() -> None:
    history = watched(make_history(record("gather#1/1/sleep#1", kind=OpKind.SLEEP)))
    seen = found(two_branches, watched(history_of_one_branch()), 10 * MINUTE)
    assert seen.cause is Cause.MESSAGE_LOST
    assert [each.state for each in seen.awaited] == [State.OVERDUE, State.SLEEPING]
    assert history.records


async def two_branches(ctx: Context) -> None:
    await ctx.step(add, 1)
    await ctx.gather(ctx.step(add, 2), ctx.sleep(600))


def history_of_one_branch() -> History:
    return make_history(inserted_record(two_branches, make_history(), record("add#1")))


def test_a_group_that_nobody_closed_is_taken_over() -> None:
    history = watched(history_of_group())
    seen = found(side_by_side, history, 2 * MINUTE)
    assert (seen.cause, seen.says) == (Cause.UNDER_WAY, "the group gather#1 is about to be closed")
    assert found(side_by_side, history, DAY).repair is Repair.RECOVER


def history_of_group() -> History:
    history = make_history()
    with one_pass(side_by_side, history) as replay:
        frontier = replay.decision.frontier  # type: ignore[union-attr] # it waits
        done = [
            record(
                each.key,
                kind=each.operation.kind,
                input_hash=each.operation.input_hash,
                ended_at=NOW + MINUTE,
                result=Payload(text="1" if each.operation.kind is OpKind.STEP else "null"),
            )
            for each in frontier
        ]
    return make_history(*done)


def test_code_that_waits_for_nothing_is_said_to() -> None:
    nothing = Suspended(frontier=())
    known = Known(watchdog=WATCHDOG, grace=GRACE)
    seen = diagnose(watched(make_history(record("add#1"))), nothing, NOW, known)
    assert (seen.cause, seen.says) == (Cause.UNDER_WAY, "it waits for nothing")
