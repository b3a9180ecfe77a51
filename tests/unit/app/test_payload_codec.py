"""With a payload codec nothing of a run stands readable in the table, and everything goes on."""

from __future__ import annotations

import base64
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from everstep import Context, mask, step, workflow
from everstep.app.callbacks import complete_callback
from everstep.app.control import resume
from everstep.app.engine import Limits
from everstep.app.events import send_event
from everstep.app.fork import fork
from everstep.app.outcomes import Done
from everstep.app.payloads import SEAL, Plain, pack, unpack
from everstep.app.query import inspect, outcome
from everstep.app.reading import read_run
from everstep.core.errors import IdempotencyConflictError, UnreadablePayloadError
from everstep.core.model import Payload, RunStatus
from tests.unit.app.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET = "correct horse"
_NUMBERS = count()


class Scrambled:
    """Writes a text differently each time, for one run only."""

    def encode(self, text: str, context: Mapping[str, str]) -> str:
        row = f"{next(_NUMBERS)}|{context['run_id']}|{text}"
        return base64.b85encode(row.encode()[::-1]).decode()

    def decode(self, text: str, context: Mapping[str, str]) -> str:
        _, run_id, found = base64.b85decode(text)[::-1].decode().split("|", 2)
        if run_id != context["run_id"]:
            raise UnreadablePayloadError("it is another run's")
        return found


@step
def repeat(text: str) -> str:
    mask(text)
    return f"{text}!"


@workflow(name="child")
async def child(ctx: Context, given: str) -> str:
    return await ctx.step(repeat, given)


@workflow(name="wf")
async def parent(ctx: Context, given: str) -> list[Any]:
    ctx.logger.info("begun with %s", given)
    first = await ctx.step(repeat, given)
    both = await ctx.gather(ctx.step(repeat, given), ctx.call(child, first))
    event = await ctx.wait_for_event("go", str)
    return [first, *both, event]


def sealed_world(*workflows: Any, inline: int = 32_768) -> World:  # noqa: ANN401
    world = World(*workflows, limits=Limits(inline=inline))
    world.engine = replace(world.engine, codec=Scrambled())
    return world


@pytest.mark.parametrize("inline", [32_768, 10])
def test_a_run_goes_its_way_and_nothing_of_it_stands_readable(inline: int) -> None:
    world = sealed_world(parent, child, inline=inline)
    run_id = world.begin(value=SECRET)
    world.run()
    send_event(world.engine, run_id, "go", f"event {SECRET}")
    world.run()
    view = inspect(world.engine, run_id)
    assert view.head.status is RunStatus.COMPLETED
    assert view.head.result is not None
    assert SECRET in view.head.result.at_hand
    stored = repr(vars(world.store)) + repr(vars(world.engine.blobs))
    assert "correct" not in stored


def test_a_fork_can_read_what_it_keeps_and_the_same_call_makes_it_once() -> None:
    world = sealed_world(parent, child)
    run_id = world.begin(value=SECRET)
    world.run()
    made = fork(world.engine, run_id, from_step="go#1", idempotency_key="k")
    again = fork(world.engine, run_id, from_step="go#1", idempotency_key="k")
    assert (again.run_id, again.created) == (made.run_id, False)
    with pytest.raises(IdempotencyConflictError):
        fork(world.engine, run_id, from_step="go#1", idempotency_key="k", input="other")
    send_event(world.engine, made.run_id, "go", "x")
    world.run()
    assert outcome(world.engine, made.run_id).head.status is RunStatus.COMPLETED


def test_the_same_input_is_recognised_although_it_is_written_differently() -> None:
    world = sealed_world(child)
    first = world.start("child", SECRET, idempotency_key="k")
    again = world.start("child", SECRET, idempotency_key="k")
    assert (again.run_id, again.created) == (first.run_id, False)


def test_the_same_answer_to_a_callback_is_recognised() -> None:
    tokens: list[str] = []

    @workflow(name="wf")
    async def asking(ctx: Context) -> str:
        callback = ctx.callback(str)
        tokens.append(callback.token)
        return await callback

    world = sealed_world(asking)
    world.begin()
    world.run()
    assert complete_callback(world.engine, tokens[0], SECRET)
    assert not complete_callback(world.engine, tokens[0], SECRET)
    assert "correct" not in repr(vars(world.store))


def test_what_was_recorded_before_there_was_a_codec_stays_readable() -> None:
    world = World(parent, child)
    run_id = world.begin(value=SECRET)
    world.run()
    world.engine = replace(world.engine, codec=Scrambled())
    send_event(world.engine, run_id, "go", "x")
    world.run()
    assert outcome(world.engine, run_id).head.status is RunStatus.COMPLETED


def test_what_a_codec_has_left_behind_is_read_by_it() -> None:
    world = sealed_world(parent, child)
    run_id = world.begin(value=SECRET)
    world.run()
    world.engine = replace(world.engine, codec=Plain(Scrambled))
    send_event(world.engine, run_id, "go", "x")
    world.run()
    assert outcome(world.engine, run_id).head.status is RunStatus.COMPLETED


def test_a_run_that_cannot_be_read_stands_still_and_says_why() -> None:
    world = sealed_world(child)
    run_id = world.start("child", SECRET).run_id
    world.engine = replace(world.engine, codec=Plain())
    assert world.advance(world.take()) is Done.STALLED
    stall = world.head(run_id).stall
    assert stall is not None
    assert stall.reason.type == "UnreadablePayloadError"
    assert "none is set here" in stall.reason.message
    history, unreadable = read_run(world.engine, run_id)
    assert history is not None
    assert [each.reason[:6] for each in unreadable] == ["input:"]
    world.engine = replace(world.engine, codec=Scrambled())
    resume(world.engine, run_id)
    world.run()
    assert outcome(world.engine, run_id).head.status is RunStatus.COMPLETED


def test_a_payload_is_not_fetched_twice_and_says_what_is_recorded() -> None:
    world = sealed_world(child, inline=10)
    packed = pack(world.engine, "run", '"long enough"', "x")
    assert packed.recorded == Payload(ref=packed.ref, size=13)
    whole = unpack(world.engine, "run", packed.recorded)
    assert whole.at_hand == '"long enough"'
    assert unpack(world.engine, "run", whole) is whole
    small = pack(sealed_world(child).engine, "run", '"x"', "x")
    assert (small.recorded.text or "").startswith(SEAL)
