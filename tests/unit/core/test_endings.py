"""Who tells code that its run is to end, and where; and what is owed for a run's time-out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from everstep import Context, EverstepError
from everstep.core.answers import answer
from everstep.core.circumstances import Ending
from everstep.core.decide import duties
from everstep.core.decisions import Suspended
from everstep.core.effects import Interrupt, Send
from everstep.core.endings import told
from everstep.core.model import (
    ErrorInfo,
    Event,
    Message,
    MessageKind,
    OpKind,
    OpRecord,
    OpStatus,
    Payload,
    RunStatus,
)
from everstep.core.waits import completed_text, fulfilled, read_answer
from everstep.core.watch import Watch, watch
from tests.unit.core.builders import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    add,
    inserted_record,
    make_history,
    message,
    one_pass,
    record,
)

if TYPE_CHECKING:
    from everstep.core.effects import Effect
    from everstep.core.model import History
    from tests.unit.core.builders import Body

CANCELLED = Ending(status=RunStatus.CANCELLED, at=NOW, who="ann", why="enough")
NEWS = message(MessageKind.CANCEL)
GRACE, WATCHDOG = 7 * MINUTE, 360 * MINUTE


async def one_step(ctx: Context) -> int:
    return await ctx.step(add, 1)


async def naps(ctx: Context) -> None:
    await ctx.sleep(60)


async def waits(ctx: Context) -> None:
    await ctx.wait_for_event("never")


def owed(
    body: Body,
    history: History,
    by: Message,
    ending: Ending | None = CANCELLED,
    deadline: int | None = None,
) -> list[Effect]:
    with one_pass(body, history) as replay:
        return list(
            duties(by, replay.decision, replay.records, NOW, ending=ending, deadline=deadline)
        )


def interrupted(effects: list[Effect]) -> list[str]:
    return [each.pending.key for each in effects if isinstance(each, Interrupt)]


def recorded(body: Body, key: str, status: OpStatus, **fields: Any) -> History:  # noqa: ANN401
    unfinished = record(key, status, ended_at=None, **fields)
    return make_history(inserted_record(body, make_history(), unfinished))


# --- Who tells code, and where


def test_a_step_that_was_sent_for_is_told_by_its_own_messages_alone() -> None:
    history = make_history()
    assert interrupted(owed(one_step, history, NEWS)) == []
    recovery = message(MessageKind.RECOVER, take=True)
    assert interrupted(owed(one_step, history, recovery)) == []
    assert interrupted(owed(one_step, history, message(MessageKind.START))) == ["add#1"]


def test_a_short_sleep_is_told_by_the_news_although_nothing_is_recorded_of_it() -> None:
    assert interrupted(owed(naps, make_history(), NEWS)) == ["sleep#1"]


def test_a_wait_is_told_by_the_news_by_its_own_message_and_by_who_began_it() -> None:
    history = recorded(waits, "never#1", OpStatus.WAITING, kind=OpKind.WAIT, by="beginner")
    stranger = replace(message(MessageKind.EVENT), token="stranger")
    for by in (NEWS, message(MessageKind.TIMER, "never#1"), replace(stranger, token="beginner")):
        assert interrupted(owed(waits, history, by)) == ["never#1"]
    assert interrupted(owed(waits, history, stranger)) == []


@pytest.mark.parametrize(("wake_at", "keys"), [(NOW + 1, ["add#1"]), (NOW, []), (None, [])])
def test_a_retry_is_told_as_long_as_its_next_attempt_is_to_come(
    wake_at: int | None, keys: list[str]
) -> None:
    history = recorded(one_step, "add#1", OpStatus.RETRY, wake_at=wake_at)
    assert interrupted(owed(one_step, history, NEWS)) == keys


def test_who_brings_the_news_looks_again_ever_later_until_nobody_is_left() -> None:
    due = []
    for attempt in range(12):
        looks = owed(one_step, make_history(), replace(NEWS, attempt=attempt))
        due += [each.due - NOW for each in looks if isinstance(each, Send)]
    assert due == [*(SECOND * 2**look for look in range(10)), 900 * SECOND]


def test_without_news_nobody_is_told() -> None:
    history = recorded(waits, "never#1", OpStatus.WAITING, kind=OpKind.WAIT)
    assert owed(waits, history, message(MessageKind.EVENT), ending=None) == []


@pytest.mark.parametrize(
    ("ending", "text"),
    [
        (CANCELLED, "the run was cancelled by ann: enough"),
        (replace(CANCELLED, who=None), "the run was cancelled: enough"),
        (replace(CANCELLED, why=None), "the run was cancelled by ann"),
        (replace(CANCELLED, who=None, why=None), "the run was cancelled"),
        (replace(CANCELLED, status=RunStatus.TIMED_OUT), "the time of the run is up"),
    ],
)
def test_code_is_told_who_and_why(ending: Ending, text: str) -> None:
    assert told(ending) == text


# --- Time-outs


@pytest.mark.parametrize("kind", MessageKind)
def test_what_sets_a_run_going_also_sends_for_its_end(kind: MessageKind) -> None:
    by = message(kind, "add#1" if kind in ("step", "timer", "check") else "")
    effects = owed(one_step, make_history(), by, ending=None, deadline=NOW + MINUTE)
    time_is_up = Send(kind=MessageKind.CANCEL, due=NOW + MINUTE)
    assert (time_is_up in effects) is (kind in ("start", "recover"))


def with_deadline(history: History, deadline: int) -> History:
    return replace(history, head=replace(history.head, deadline=deadline))


def judged(body: Body, history: History, now: int) -> Watch:
    with one_pass(body, history) as replay:
        return watch(history, replay.decision, now, watchdog=WATCHDOG, grace=GRACE)


def waiting_until(deadline: int) -> History:
    history = recorded(waits, "never#1", OpStatus.WAITING, kind=OpKind.WAIT)
    return with_deadline(history, deadline)


def test_a_run_with_a_far_deadline_is_looked_at_when_the_queue_can_hold_its_end_back() -> None:
    seen = judged(waits, waiting_until(NOW + 30 * MINUTE), NOW)
    assert seen == Watch(send=None, next_look=NOW + 15 * MINUTE)
    later = judged(waits, waiting_until(NOW + 9 * DAY), NOW)
    assert later == Watch(send=None, next_look=NOW + WATCHDOG)


@pytest.mark.parametrize("left", [15 * MINUTE, MINUTE, 0, -DAY])
def test_a_run_whose_time_is_nearly_up_is_sent_its_end(left: int) -> None:
    seen = judged(waits, waiting_until(NOW + left), NOW)
    assert seen.send == Send(kind=MessageKind.CANCEL, due=NOW + left)
    assert seen.next_look == max(NOW, NOW + left) + GRACE


def test_a_run_without_a_trace_begins_before_it_ends() -> None:
    history = with_deadline(make_history(), NOW + MINUTE)
    seen = judged(one_step, history, NOW)
    assert seen == Watch(send=Send(kind=MessageKind.START), next_look=NOW + GRACE)


def test_a_run_that_is_to_end_already_is_sent_no_other_end() -> None:
    history = waiting_until(NOW)
    history = replace(history, head=replace(history.head, ending=CANCELLED))
    over = NOW + 16 * MINUTE
    soon = judged(waits, history, over - 1)
    assert soon == Watch(send=Send(kind=MessageKind.CANCEL), next_look=over)
    # Nobody can be at work any more who was when it was told to end.
    late = judged(waits, history, over)
    take = Send(kind=MessageKind.CANCEL, take=True)
    assert late == Watch(send=take, next_look=over + WATCHDOG)


# --- Answers


def test_a_wait_that_takes_no_event_cannot_be_given_one() -> None:
    with one_pass(one_step) as replay:
        assert isinstance(replay.decision, Suspended)
        (pending,) = replay.decision.frontier
    event = Event(name="x", number=1, payload=Payload(text="1"), at=NOW)
    with pytest.raises(TypeError, match="waits for no event"):
        fulfilled(pending, event, "1", "token", NOW)


def test_an_answer_to_a_callback_is_an_object() -> None:
    with pytest.raises(TypeError, match="is an object"):
        read_answer("[1]")
    assert read_answer(completed_text([1])) == "[1]"


def test_an_error_of_a_kind_that_nobody_knows_says_what_it_is() -> None:
    with one_pass(waits) as replay:
        assert isinstance(replay.decision, Suspended)
        (pending,) = replay.decision.frontier
    failed: OpRecord = record(
        "never#1",
        OpStatus.FAILED,
        kind=OpKind.WAIT,
        error=ErrorInfo(type="Newer", message="of a newer release"),
    )
    given = answer(pending.operation, failed).error
    assert type(given) is EverstepError
    assert str(given) == "Newer: of a newer release"
    unexplained = answer(pending.operation, replace(failed, error=None)).error
    assert str(unexplained) == "Unknown: "
