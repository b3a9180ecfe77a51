"""What a message owes: one row per situation in which it may find the run."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from everstep import Context
from everstep.core.decide import duties
from everstep.core.effects import Arm, Effect, End, Rearm, Send
from everstep.core.model import (
    Message,
    MessageKind,
    OpKind,
    OpRecord,
    OpStatus,
)
from everstep.core.waits import is_long
from tests.unit.core.builders import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    Body,
    Failure,
    add,
    history_of,
    inserted_record,
    message,
    one_pass,
    record,
)

START = message(MessageKind.START, token="start")
MINE = message(MessageKind.STEP, "add#1", token="mine", attempt=1)
OTHER = message(MessageKind.STEP, "add#1", token="other", attempt=1)
TAKING = message(MessageKind.STEP, "add#1", token="taking", attempt=1, take=True)
RECOVER = message(MessageKind.RECOVER, token="recover", take=True)


async def step_then_step(ctx: Context) -> int:
    await ctx.step(add, 1)
    return await ctx.step(add, 2)


async def step_then_nap(ctx: Context) -> None:
    await ctx.step(add, 1)
    await ctx.sleep(60)


async def step_then_hibernation(ctx: Context) -> None:
    await ctx.step(add, 1)
    await ctx.sleep(86_400)


async def one_step(ctx: Context) -> int:
    return await ctx.step(add, 1)


async def nothing(_ctx: Context) -> int:
    return 1


def owed(
    body: Body,
    to: Message,
    outcomes: Mapping[str, object] | None = None,
    *more: OpRecord,
    now: int = NOW,
) -> tuple[Effect, ...]:
    """Return what a message owes where these operations have ended, by ``mine``."""
    history = history_of(body, outcomes or {})
    for key in outcomes or {}:
        history = history.with_record(replace(history.records[key], by="mine"))
    for each in more:
        history = history.with_record(inserted_record(body, history, each))
    with one_pass(body, history) as replay:
        return duties(to, replay.decision, replay.records, now)


FIRST = Send(kind=MessageKind.STEP, op="add#1", attempt=1)
SECOND_STEP = Send(kind=MessageKind.STEP, op="add#2", attempt=1)
READY = NOW + SECOND
NAP = Send(kind=MessageKind.TIMER, op="sleep#1", due=READY + MINUTE)
DONE = {"add#1": 1}


@pytest.mark.parametrize(
    ("to", "effects"),
    [
        (START, (FIRST,)),
        (RECOVER, (replace(FIRST, take=True),)),
        (TAKING, (FIRST,)),
        (OTHER, ()),
    ],
    ids=["start", "recover", "taking", "other"],
)
def test_only_the_start_or_a_takeover_owes_the_first_operation(
    to: Message, effects: tuple[Effect, ...]
) -> None:
    assert owed(step_then_step, to) == effects


@pytest.mark.parametrize(
    ("to", "effects"),
    [
        (MINE, (SECOND_STEP,)),
        (OTHER, ()),
        (START, ()),
        (TAKING, (SECOND_STEP,)),
        (RECOVER, (replace(SECOND_STEP, take=True),)),
    ],
    ids=["who ended it", "other", "start", "taking", "recover"],
)
def test_who_ended_a_step_owes_the_next(to: Message, effects: tuple[Effect, ...]) -> None:
    assert owed(step_then_step, to, DONE) == effects


def test_a_short_sleep_is_a_delayed_message_from_the_end_of_its_predecessor() -> None:
    assert owed(step_then_nap, MINE, DONE, now=NOW + DAY) == (NAP,)


def test_a_long_sleep_is_armed_in_the_due_index() -> None:
    (effect,) = owed(step_then_hibernation, MINE, DONE)

    assert isinstance(effect, Arm)
    armed = effect.record
    assert (armed.key, armed.kind, armed.status) == ("sleep#1", OpKind.SLEEP, OpStatus.WAITING)
    assert (armed.by, armed.started_at) == ("mine", READY)
    assert armed.wake_at == armed.due_at == READY + DAY
    assert armed.input_hash == "for=86400000"


@pytest.mark.parametrize(("millis", "long"), [(900_000, False), (900_001, True)])
def test_a_sleep_is_long_if_the_queue_cannot_hold_it_back(millis: int, *, long: bool) -> None:
    async def sleeper(ctx: Context) -> None:
        await ctx.sleep(millis / 1000)

    with one_pass(sleeper) as replay:
        pending = replay.pending("sleep#1")

    assert pending is not None
    assert is_long(pending) is long


def test_a_step_is_no_sleep() -> None:
    with one_pass(one_step) as replay:
        pending = replay.pending("add#1")

    assert pending is not None
    assert not is_long(pending)


# --- Operations that wait already

RETRY = record("add#1", OpStatus.RETRY, by="mine", wake_at=NOW + MINUTE)
LONG_RETRY = replace(RETRY, wake_at=NOW + DAY, due_at=NOW + DAY)
LOST_RETRY = replace(RETRY, wake_at=NOW + DAY)
AGAIN = Send(kind=MessageKind.STEP, op="add#1", attempt=2, due=NOW + MINUTE)


@pytest.mark.parametrize(
    ("to", "waiting", "effects"),
    [
        (MINE, RETRY, (AGAIN,)),
        (OTHER, RETRY, ()),
        (START, RETRY, ()),
        (TAKING, RETRY, (AGAIN,)),
        (RECOVER, RETRY, (replace(AGAIN, take=True),)),
        (MINE, LONG_RETRY, ()),
        (RECOVER, LONG_RETRY, ()),
        (RECOVER, LOST_RETRY, (Rearm(key="add#1", due_at=NOW + DAY),)),
    ],
    ids=[
        "who failed",
        "other",
        "start",
        "taking",
        "recover",
        "long: the index has it",
        "long, recovered: the index has it",
        "long, recovered: the index lost it",
    ],
)
def test_who_recorded_a_failed_attempt_owes_the_next(
    to: Message, waiting: OpRecord, effects: tuple[Effect, ...]
) -> None:
    assert owed(step_then_step, to, None, waiting) == effects


def test_a_recovering_message_sends_for_a_timer_that_is_about_to_end() -> None:
    almost = NOW + DAY - MINUTE

    assert owed(step_then_step, RECOVER, None, LONG_RETRY, now=almost) == (
        Send(kind=MessageKind.STEP, op="add#1", attempt=2, due=NOW + DAY, take=True),
    )


def test_a_sleep_that_has_a_record_is_a_timer_message_for_who_wrote_it() -> None:
    waiting = record(
        "sleep#1", OpStatus.WAITING, by="mine", kind=OpKind.SLEEP, attempt=0, wake_at=NOW + MINUTE
    )

    assert owed(step_then_nap, MINE, DONE, waiting) == (
        Send(kind=MessageKind.TIMER, op="sleep#1", due=NOW + MINUTE),
    )


# --- The end of the run


@pytest.mark.parametrize(
    ("to", "ends"),
    [(MINE, True), (OTHER, False), (START, False), (TAKING, True), (RECOVER, True)],
    ids=["who ended the last", "other", "start", "taking", "recover"],
)
@pytest.mark.parametrize("outcome", [1, Failure()], ids=["returned", "raised"])
def test_who_ended_the_last_operation_ends_the_run(
    to: Message, *, ends: bool, outcome: object
) -> None:
    effects = owed(one_step, to, {"add#1": outcome})

    assert [type(effect) for effect in effects] == ([End] if ends else [])


@pytest.mark.parametrize(("to", "ends"), [(START, True), (MINE, False), (RECOVER, True)])
def test_the_start_ends_a_run_without_operations(to: Message, *, ends: bool) -> None:
    assert bool(owed(nothing, to)) is ends


def test_who_finds_the_code_broken_owes_nothing() -> None:
    async def broken(ctx: Context) -> None:
        await ctx.step(add, 7)

    with one_pass(broken, history_of(one_step, DONE)) as replay:
        assert duties(RECOVER, replay.decision, replay.records, NOW) == ()
