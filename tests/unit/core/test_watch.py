"""The sweeper's judgement: when a run shows no progress, and what then helps."""

from dataclasses import replace

import pytest

from everstep import Context
from everstep.core.effects import Send
from everstep.core.model import History, MessageKind, OpKind, OpStatus
from everstep.core.watch import Watch, watch
from tests.unit.core.builders import (
    DAY,
    MINUTE,
    NOW,
    SECOND,
    add,
    add_twice,
    history_of,
    inserted_record,
    make_history,
    one_pass,
    record,
)

GRACE = 7 * MINUTE
GRACE = 60_000
WATCHDOG = 360 * MINUTE
START = Send(kind=MessageKind.START)
RECOVER = Send(kind=MessageKind.RECOVER, take=True)
ENDED = NOW + SECOND


async def sleeper(ctx: Context) -> None:
    await ctx.sleep(86_400)
    await ctx.step(add, 1)


def judged(history: History, now: int, *, deployed: bool = True) -> Watch:
    body = sleeper if "sleep#1" in history.records else add_twice
    with one_pass(body, history) as replay:
        decision = replay.decision if deployed else None
        return watch(history, decision, now, watchdog=WATCHDOG, grace=GRACE)


def resumed(history: History, at: int) -> History:
    return History(head=replace(history.head, resumed_at=at), records=history.records)


def asleep(due_at: int | None = NOW + DAY) -> History:
    armed = record(
        "sleep#1",
        OpStatus.WAITING,
        kind=OpKind.SLEEP,
        ended_at=None,
        wake_at=NOW + DAY,
        due_at=due_at,
    )
    return make_history(inserted_record(sleeper, make_history(), armed))


STARTED = history_of(add_twice, {"add#1": 1})


@pytest.mark.parametrize(
    ("history", "now", "verdict"),
    [
        (make_history(), NOW + GRACE, Watch(send=START, next_look=NOW + GRACE + WATCHDOG)),
        (make_history(), NOW + DAY, Watch(send=START, next_look=NOW + DAY + WATCHDOG)),
        (STARTED, NOW + GRACE, Watch(send=None, next_look=ENDED + WATCHDOG)),
        (
            STARTED,
            ENDED + WATCHDOG,
            Watch(send=RECOVER, next_look=ENDED + 2 * WATCHDOG),
        ),
        (
            resumed(STARTED, NOW + DAY),
            NOW + DAY + GRACE,
            Watch(send=RECOVER, next_look=NOW + DAY + GRACE + WATCHDOG),
        ),
        (
            resumed(make_history(), NOW + DAY),
            NOW + DAY + GRACE,
            Watch(send=RECOVER, next_look=NOW + DAY + GRACE + WATCHDOG),
        ),
        (
            resumed(STARTED, NOW),
            NOW + GRACE,
            Watch(send=None, next_look=ENDED + WATCHDOG),
        ),
        (asleep(), NOW + GRACE, Watch(send=None, next_look=NOW + DAY + WATCHDOG)),
        (
            asleep(),
            NOW + DAY + WATCHDOG,
            Watch(send=RECOVER, next_look=NOW + DAY + 2 * WATCHDOG),
        ),
        (
            resumed(asleep(), NOW + MINUTE),
            NOW + MINUTE + GRACE,
            Watch(send=None, next_look=NOW + DAY + WATCHDOG),
        ),
        (
            resumed(asleep(due_at=None), NOW + MINUTE),
            NOW + MINUTE + GRACE,
            Watch(send=RECOVER, next_look=NOW + MINUTE + GRACE + WATCHDOG),
        ),
    ],
    ids=[
        "no trace of the first message: send it again",
        "however late",
        "busy: leave it alone",
        "no progress for long: take over",
        "no progress since it was resumed: take over",
        "resumed before it began: take over",
        "progress since it was resumed: leave it alone",
        "asleep: come back after it wakes",
        "overslept: take over",
        "asleep and resumed: the timer stands in the index",
        "asleep and resumed: the timer was lost",
    ],
)
def test_the_sweeper_judges_by_the_last_trace(history: History, now: int, verdict: Watch) -> None:
    assert judged(history, now) == verdict


def test_without_code_only_the_traces_count() -> None:
    assert judged(STARTED, NOW + GRACE, deployed=False).send is None
    assert judged(STARTED, ENDED + WATCHDOG, deployed=False).send == RECOVER


def test_without_code_a_sleeping_run_is_left_alone_until_it_wakes() -> None:
    assert judged(asleep(), NOW + WATCHDOG, deployed=False).send is None
