"""Why a run does not move: crafted histories of every failure window, and what is said of them."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep import Context
from everstep.core.audit import Action, AuditEntry
from everstep.core.circumstances import Ending
from everstep.core.decisions import Suspended
from everstep.core.diagnose import diagnose
from everstep.core.diagnosis import Cause, Diagnosis, Foreseen, Known, Repair, State, Window
from everstep.core.model import (
    ErrorInfo,
    Event,
    Head,
    History,
    MessageKind,
    OpKind,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
    Stall,
)
from tests.unit.core.builders import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    add,
    add_twice,
    definition,
    history_of,
    inserted_record,
    make_head,
    make_history,
    one_pass,
    record,
)

if TYPE_CHECKING:
    from tests.unit.core.builders import Body

GRACE: Final = 7 * MINUTE
WATCHDOG: Final = 360 * MINUTE
PAGE: Final = Path(__file__).parents[3] / "docs" / "architecture.md"


async def naps(ctx: Context) -> None:
    await ctx.sleep(60)


async def sleeps_long(ctx: Context) -> None:
    await ctx.sleep(86_400)


async def waits(ctx: Context) -> None:
    await ctx.wait_for_event("paid", int)


async def waits_a_day(ctx: Context) -> None:
    await ctx.wait_for_event("paid", int, timeout=86_400)


async def calls_back(ctx: Context) -> None:
    await ctx.callback(int, timeout=86_400)


async def side_by_side(ctx: Context) -> None:
    await ctx.gather(ctx.step(add, 1), ctx.sleep(60))


async def child(_ctx: Context, number: int) -> int:
    return number


CHILD: Final = definition(child)


async def calls(ctx: Context) -> None:
    await ctx.call(CHILD, 1)


def watched(history: History, **changes: Any) -> History:  # noqa: ANN401 - of the head
    """Return a history that the sweeper looks after, its head changed."""
    changes.setdefault("due_at", NOW + GRACE)
    return replace(history, head=replace(history.head, **changes))


def with_open(body: "Body", key: str, kind: OpKind, status: OpStatus, **fields: Any) -> History:  # noqa: ANN401
    """Return the history of a run whose first operation is recorded, and has not ended."""
    fields.setdefault("ended_at", None)
    made = record(key, status, kind=kind, **fields)
    return watched(make_history(inserted_record(body, make_history(), made)))


def found(
    body: "Body | None",
    history: History,
    later: int,
    **known: Any,  # noqa: ANN401
) -> Diagnosis:
    told = Known(watchdog=WATCHDOG, grace=GRACE, **known)
    if body is None:
        return diagnose(history, None, NOW + later, told)
    with one_pass(body, history) as replay:
        return diagnose(history, replay.decision, NOW + later, told)


# --- What stands still


def test_a_run_that_has_ended_is_done() -> None:
    head = replace(make_head(status=RunStatus.COMPLETED), ended_at=NOW)
    seen = found(None, History(head=head), DAY)
    assert (seen.cause, seen.says, seen.since, seen.repair, seen.advice) == (
        Cause.ENDED,
        "it is COMPLETED",
        NOW,
        None,
        "",
    )


def test_a_run_that_has_failed_says_why_and_how_to_go_on() -> None:
    error = ErrorInfo(type="ValueError", message="no")
    head = replace(make_head(status=RunStatus.FAILED), error=error)
    seen = found(None, History(head=head), DAY)
    assert seen.says == "it is FAILED: ValueError: no"
    assert "runs retry" in seen.advice


def test_a_run_that_was_continued_names_the_one_that_goes_on() -> None:
    head = replace(make_head(status=RunStatus.CONTINUED), successor="run-2")
    seen = found(None, History(head=head), DAY)
    assert seen.says == "it is CONTINUED: run run-2 goes on in its place"


def test_a_paused_run_says_who_did_it_and_why() -> None:
    head = make_head(status=RunStatus.PAUSED)
    entry = AuditEntry(
        number=1, at=NOW + 5, action=Action.PAUSED, previous="", who="ada", why="look"
    )
    seen = found(add_twice, History(head=head), DAY, last=entry)
    assert (seen.cause, seen.says, seen.since, seen.repair) == (
        Cause.PAUSED,
        "it was paused by ada (look)",
        NOW + 5,
        None,
    )
    assert found(add_twice, History(head=head), DAY).says == "it was paused"


def stalled(kind: str, *records: OpRecord) -> History:
    stall = Stall(reason=ErrorInfo(type=kind, message="m"), at=NOW)
    history = make_history(*records)
    return replace(history, head=replace(history.head, status=RunStatus.STALLED, stall=stall))


@pytest.mark.parametrize(
    ("kind", "window"),
    [
        ("WorkflowMissingError", Window.VERSION),
        ("NonDeterminismError", Window.CODE),
        ("DeadLetter", Window.NEVER_FINISHED),
    ],
)
def test_a_stalled_run_is_resumed_once_its_code_can_go_on(kind: str, window: Window) -> None:
    seen = found(add_twice, stalled(kind), DAY)
    assert (seen.cause, seen.window, seen.repair, seen.since) == (
        Cause.STALLED,
        window,
        Repair.RESUME,
        NOW,
    )
    assert seen.says == f"it stands still: {kind}: m"
    assert ("log" in seen.advice) is (kind == "DeadLetter")


def test_a_stalled_run_whose_step_is_unknown_is_that_of_a_probe() -> None:
    begun = record("add#1", OpStatus.STARTED)
    assert found(add_twice, stalled("DeadLetter", begun), DAY).window is Window.UNKNOWN


def test_a_stalled_run_is_not_resumed_while_its_cause_is_there() -> None:
    gone = found(None, stalled("WorkflowMissingError"), DAY)
    assert (gone.repair, gone.advice.partition(":")[0]) == (None, "its code is not at hand")
    other = found(naps, stalled("NonDeterminismError", record("gone#1")), DAY)
    assert other.repair is None
    assert other.advice.startswith("the code at hand cannot go on with it: mend that")


def test_a_stall_without_a_reason_says_so() -> None:
    history = History(head=make_head(status=RunStatus.STALLED))
    seen = found(add_twice, history, DAY)
    assert (seen.says, seen.since) == ("it stands still: nobody has said why", None)


# --- Before it begins


def test_a_run_that_begins_later_is_let_alone() -> None:
    seen = found(add_twice, watched(make_history(), starts_at=NOW + DAY, due_at=NOW + DAY), 0)
    assert (seen.cause, seen.until, seen.repair) == (Cause.BEGINS_LATER, NOW + DAY, None)
    assert seen.foreseen == Foreseen(kind=MessageKind.START, at=NOW + DAY)


def test_a_first_message_is_under_way_until_the_grace_is_over_and_then_lost() -> None:
    early = found(add_twice, watched(make_history()), GRACE - 1)
    assert (early.cause, early.window, early.repair) == (Cause.STARTING, None, None)
    assert early.foreseen == Foreseen(kind=MessageKind.START, at=NOW + GRACE)
    late = found(add_twice, watched(make_history()), GRACE)
    assert (late.cause, late.window, late.repair) == (
        Cause.STARTING,
        Window.FIRST_SEND,
        Repair.RECOVER,
    )
    assert late.says.endswith("and its message is lost or very late")
    assert late.status is RunStatus.PENDING


def test_after_a_resumption_it_is_the_message_of_that() -> None:
    history = watched(make_history(), resumed_at=NOW + DAY, due_at=NOW + DAY + GRACE)
    assert found(add_twice, history, DAY + GRACE - 1).repair is None
    seen = found(add_twice, history, DAY + GRACE)
    assert (seen.window, seen.repair) == (Window.RESUME_SEND, Repair.RECOVER)
    assert seen.foreseen == Foreseen(kind=MessageKind.RECOVER, at=NOW + DAY + GRACE)


def test_a_short_sleep_at_the_beginning_leaves_no_record_and_is_no_loss() -> None:
    seen = found(naps, watched(make_history()), 30 * SECOND)
    assert (seen.cause, seen.until, seen.repair) == (Cause.SLEEPING, NOW + MINUTE, None)
    assert found(naps, watched(make_history()), MINUTE + GRACE).window is Window.FIRST_SEND


# --- Code


def test_without_its_code_the_run_would_stall() -> None:
    seen = found(None, watched(make_history()), 0, missing="version 1 is not deployed")
    assert (seen.cause, seen.says, seen.window, seen.repair) == (
        Cause.VERSION_MISSING,
        "version 1 is not deployed",
        Window.VERSION,
        None,
    )
    assert found(None, watched(make_history()), 0).says == "its code does not come to rest"


def test_code_that_disagrees_would_stall_the_run() -> None:
    seen = found(naps, watched(make_history(record("gone#1"))), 0)
    assert (seen.cause, seen.window, seen.repair) == (Cause.CODE_DISAGREES, Window.CODE, None)


# --- Ends


def test_code_that_has_come_to_its_end_is_recorded_or_its_message_is_lost() -> None:
    over = watched(history_of(add_twice, {"add#1": 1, "add#2": 2}))
    assert found(add_twice, over, 3 * SECOND).cause is Cause.FINISHING
    seen = found(add_twice, over, DAY)
    assert (seen.cause, seen.window, seen.repair) == (
        Cause.FINISHING,
        Window.LAST_COMMIT,
        Repair.RECOVER,
    )


def told_to_end(history: History) -> History:
    return watched(history, ending=Ending(status=RunStatus.CANCELLED, at=NOW + MINUTE))


def test_a_run_that_was_told_to_end_and_has_not_heard_is_told_again() -> None:
    history = told_to_end(with_open(waits, "paid#1", OpKind.WAIT, OpStatus.WAITING))
    seen = found(waits, history, 2 * MINUTE)
    assert (seen.cause, seen.since, seen.repair) == (Cause.IS_TO_END, NOW + MINUTE, None)
    assert "(CANCELLED)" in seen.says
    assert found(waits, history, MINUTE + GRACE).repair is Repair.RECOVER
    seen_at = found(waits, history, 2 * MINUTE).foreseen
    assert seen_at == Foreseen(kind=MessageKind.CANCEL, at=NOW + GRACE)


def test_a_run_that_has_heard_that_it_is_to_end_is_like_any_other() -> None:
    history = told_to_end(history_of(add_twice, {"add#1": 1, "add#2": 2}))
    assert found(add_twice, history, 2 * MINUTE).cause is Cause.FINISHING


def test_a_run_whose_time_is_up_is_ended_by_the_sweeper() -> None:
    history = watched(
        with_open(waits, "paid#1", OpKind.WAIT, OpStatus.WAITING), deadline=NOW + MINUTE
    )
    seen = found(waits, history, 2 * MINUTE)
    assert (seen.cause, seen.since, seen.repair) == (Cause.TIME_IS_UP, NOW + MINUTE, None)
    assert found(waits, history, MINUTE + GRACE).repair is Repair.RECOVER


# --- What it waits for


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


def long_sleep(**fields: Any) -> History:  # noqa: ANN401 - of the record
    fields.setdefault("due_at", NOW + DAY)
    return with_open(
        sleeps_long, "sleep#1", OpKind.SLEEP, OpStatus.WAITING, wake_at=NOW + DAY, **fields
    )


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


# --- The sweeper


def test_a_run_that_the_sweeper_does_not_know_is_named_whatever_else_it_does() -> None:
    history = watched(long_sleep(), due_at=None)
    seen = found(sleeps_long, history, MINUTE)
    assert (seen.cause, seen.repair, seen.foreseen) == (Cause.NOT_WATCHED, Repair.RECOVER, None)
    assert seen.says == "the sweeper does not know of it; sleep#1 sleeps"


def test_a_sweeper_that_does_not_come_is_named() -> None:
    seen = found(sleeps_long, long_sleep(), 3 * GRACE)
    assert "the sweeper has not looked at it in time" in seen.advice
    assert seen.repair is None


# --- The page


def test_every_window_is_one_of_the_page() -> None:
    rows = {
        line.split("|")[1].strip().lstrip("… ")
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    }
    assert {str(each) for each in Window} <= rows
