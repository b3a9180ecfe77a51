"""Workflows with branches, and histories in which these have ended or are closed."""

from __future__ import annotations

from typing import Any

from everstep import Context, step
from everstep.core.decide import duties
from everstep.core.decisions import Decision, Suspended
from everstep.core.joins import Join, write_join
from everstep.core.model import History, Message, MessageKind, OpKind, OpRecord, OpStatus, Payload
from everstep.core.replay import Replay
from tests.unit.core.builders import (
    NOW,
    SECOND,
    Body,
    add,
    decide,
    definition,
    ended,
    make_history,
    message,
)

START = message(MessageKind.START, token="start")


def step_on(body: Body, history: History, *outcomes: tuple[str, object]) -> History:
    """Return the history in which these operations have ended so, each a second later."""
    for at, (key, outcome) in enumerate(outcomes, 1):
        with Replay(definition(body), history) as replay:
            pending = replay.pending(key)
            assert pending is not None, (key, replay.decision)
        took = max(NOW + at * SECOND - pending.ready_at, 0)
        history = history.with_record(ended(pending, outcome, by=f"by {key}", took=took))
    return history


def after(body: Body, *outcomes: tuple[str, object]) -> History:
    return step_on(body, make_history(), *outcomes)


def closed(body: Body, history: History, by: str = "closer") -> History:
    """Return the history in which everything that can be closed is, by one message."""
    decision = decide(body, history)
    assert isinstance(decision, Suspended), decision
    for group in decision.closable:
        record = OpRecord(
            key=group.key,
            kind=OpKind.JOIN,
            status=OpStatus.DONE,
            by=by,
            input_hash=group.operation.input_hash,
            started_at=group.ready_at,
            ended_at=group.ready_at,
            result=Payload(text=write_join(group.join)),
        )
        history = history.with_record(record)
    return history


def joins(decision: Decision) -> list[tuple[str, Join]]:
    assert isinstance(decision, Suspended), decision
    return [(group.key, group.join) for group in decision.closable]


def owed(body: Body, history: History, mine: Message) -> list[Any]:
    decision = decide(body, history)
    return list(duties(mine, decision, history.records, NOW))


async def both(ctx: Context) -> list[int]:
    return list(await ctx.gather(ctx.step(add, 1), ctx.step(add, 2)))


async def two_deep(ctx: Context) -> int:
    async def inner(ctx: Context, number: int) -> int:
        return sum(await ctx.gather(ctx.step(add, number), ctx.step(add, 10 * number)))

    first, second = await ctx.gather(inner(ctx, 1), inner(ctx, 2))
    return await ctx.step(add, first, second)


async def limited(ctx: Context) -> list[object]:
    batch = await ctx.map(step(add), [1, 2, 3], max_concurrency=2, tolerated_failures=3)
    return [batch.results, sorted(batch.errors), batch.total, batch.reason, batch.failed]
