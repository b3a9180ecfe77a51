"""What must hold of a run for which nothing is under way any more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everstep import Context  # noqa: TC001 - annotations of workflows are read
from everstep.core.event_invariants import a_continued_run_goes_on, an_event_goes_to_one_wait
from everstep.core.invariants import (
    ViolationError,
    who_waits_waits_for_others,
)
from everstep.core.model import Event, History, OpKind, OpStatus, Payload, RunStatus
from tests.unit.core.builders import NOW, Body, definition, inserted_record, make_history, record
from tests.unit.core.groups import after, both

PAID = Event(name="paid", number=1, payload=Payload(text="1", size=1), at=NOW)


async def waits(ctx: Context) -> object:
    return await ctx.wait_for_event("paid")


async def two_wait(ctx: Context) -> object:
    return await ctx.gather(waits(ctx), waits(ctx))


def waiting(body: Body = waits, key: str = "paid#1") -> History:
    made = make_history()
    wait = record(key, OpStatus.WAITING, kind=OpKind.WAIT, attempt=0, ended_at=None)
    return made.with_record(inserted_record(body, made, wait))


def violation(body: Body, history: History) -> str:
    with pytest.raises(ViolationError) as caught:
        who_waits_waits_for_others(definition(body), history)
    assert caught.value.invariant == "who_waits_waits_for_others"
    return caught.value.detail


def test_a_run_that_waits_for_an_event_that_is_not_there_waits_for_others() -> None:
    who_waits_waits_for_others(definition(waits), waiting())


def test_a_run_that_has_ended_or_stands_still_waits_for_nobody() -> None:
    for status in (RunStatus.COMPLETED, RunStatus.STALLED):
        made = waiting()
        history = replace(made, head=replace(made.head, status=status), events=(PAID,))
        who_waits_waits_for_others(definition(waits), history)


def test_an_event_that_lies_there_while_somebody_waits_for_it_is_noticed() -> None:
    assert violation(waits, replace(waiting(), events=(PAID,))).endswith(": paid#1")


def test_an_event_that_another_wait_has_taken_is_not_left_to_this_one() -> None:
    history = waiting(two_wait, "gather#1/0/paid#1")
    taken = record("gather#1/1/paid#1", OpStatus.DONE, kind=OpKind.WAIT, event=1, attempt=0)
    wait = inserted_record(two_wait, history, taken)
    told = replace(wait, result=Payload(text="1", size=1))
    both_waits = replace(history.with_record(told), events=(PAID,))
    who_waits_waits_for_others(definition(two_wait), both_waits)


def test_a_group_that_nobody_closed_is_noticed() -> None:
    history = after(both, ("gather#1/0/add#1", 1), ("gather#1/1/add#1", 2))
    assert violation(both, history).endswith(": gather#1")


def test_a_step_that_nobody_sent_for_is_noticed_though_another_branch_waits() -> None:
    async def also_waits(ctx: Context) -> object:
        return await ctx.gather(both(ctx), waits(ctx))

    history = waiting(also_waits, "gather#1/1/paid#1")
    assert "gather#1/0/gather#1/0/add#1" in violation(also_waits, history)


def test_a_run_whose_end_nobody_recorded_is_noticed() -> None:
    async def returns(_ctx: Context) -> int:
        return 1

    assert violation(returns, make_history()).endswith(": the run itself")


def test_an_event_that_two_waits_have_taken_is_noticed() -> None:
    def took(key: str, number: int) -> History:
        one = record("paid#1", kind=OpKind.WAIT, event=1)
        return make_history(one, record(key, kind=OpKind.WAIT, event=number))

    an_event_goes_to_one_wait(took("gather#1/0/paid#1", 2))
    an_event_goes_to_one_wait(took("refunded#1", 1))
    with pytest.raises(ViolationError, match=r"gather#1/0/paid#1 and paid#1 have both taken"):
        an_event_goes_to_one_wait(took("gather#1/0/paid#1", 1))


def test_a_run_that_was_continued_by_nobody_is_noticed() -> None:
    with pytest.raises(ViolationError, match="run-1 has no successor"):
        a_continued_run_goes_on(make_history(), None)


def test_an_event_that_was_not_handed_on_is_noticed_while_somebody_could_take_it() -> None:
    history, successor = replace(make_history(), events=(PAID,)), make_history()
    with pytest.raises(ViolationError, match=r"run-1/paid/1 was not handed on"):
        a_continued_run_goes_on(history, successor)
    moved = replace(PAID, key="run-1/paid/1")
    a_continued_run_goes_on(history, replace(successor, events=(moved,)))
    over = replace(successor, head=replace(successor.head, status=RunStatus.COMPLETED))
    a_continued_run_goes_on(history, over)
