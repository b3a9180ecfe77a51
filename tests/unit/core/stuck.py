"""Runs that are stuck, or seem to be, for tests of what is said of them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from everstep import Context
from everstep.core.diagnose import diagnose
from everstep.core.diagnosis import Diagnosis, Known
from everstep.core.model import (
    History,
    OpKind,
    OpStatus,
)
from tests.unit.core.builders import (
    DAY,
    MINUTE,
    NOW,
    add,
    definition,
    inserted_record,
    make_history,
    one_pass,
    record,
)

if TYPE_CHECKING:
    from tests.unit.core.builders import Body

GRACE: Final = 7 * MINUTE
WATCHDOG: Final = 360 * MINUTE


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


def long_sleep(**fields: Any) -> History:  # noqa: ANN401 - of the record
    fields.setdefault("due_at", NOW + DAY)
    return with_open(
        sleeps_long, "sleep#1", OpKind.SLEEP, OpStatus.WAITING, wake_at=NOW + DAY, **fields
    )
