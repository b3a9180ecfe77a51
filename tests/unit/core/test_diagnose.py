"""Why a run does not move: crafted histories of every failure window, and what is said of them."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from everstep.core.audit import Action, AuditEntry
from everstep.core.circumstances import Ending
from everstep.core.diagnosis import Cause, Foreseen, Repair, Window
from everstep.core.model import (
    ErrorInfo,
    History,
    MessageKind,
    OpKind,
    OpRecord,
    OpStatus,
    RunStatus,
    Stall,
)
from tests.unit.core.builders import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    add_twice,
    history_of,
    make_head,
    make_history,
    record,
)
from tests.unit.core.stuck import (
    GRACE,
    found,
    long_sleep,
    naps,
    sleeps_long,
    waits,
    watched,
    with_open,
)

PAGE: Final = Path(__file__).parents[3] / "docs" / "architecture.md"


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
    assert late.says == ("nothing is recorded of it: the message of the start is lost or very late")
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
