"""One message that carries out several steps: when it goes on, and when it sends on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from everstep import Context, DefinitionError, Retry, step, workflow
from everstep.app.advance import advance
from everstep.app.cancel import cancel
from everstep.app.control import pause
from everstep.app.engine import Limits
from everstep.app.fork import retry
from everstep.app.outcomes import Done
from everstep.core.model import MessageKind, RunStatus
from tests.unit.app.definitions import double
from tests.unit.app.world import MINUTE, SECOND, World, message

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.engine import Execution


@step(retry=Retry.never())
def broken(value: int) -> int:
    raise ValueError(value)


@workflow(name="wf")
async def five(ctx: Context, value: int) -> int:
    for _ in range(5):
        value = await ctx.step(double, value)
    return value


@workflow(name="wf", steps_per_message=2)
async def two_at_once(ctx: Context, value: int) -> int:
    for _ in range(5):
        value = await ctx.step(double, value)
    return value


def bursting(steps: int = 10, flow: Any = five, **limits: Any) -> World:  # noqa: ANN401
    return World(flow, limits=Limits(steps_per_message=steps, **limits))


def keys(world: World) -> list[str]:
    return [key for key, _ in world.attempts]


def all_five() -> list[str]:
    return [f"double#{number}" for number in range(1, 6)]


def during(world: World, key: str, act: Callable[[], object], takes: int = 2 * SECOND) -> None:
    """Let a step (every step, if none is named) take a while, in which somebody acts."""
    execute = world.engine.execute

    def carry_out(execution: Execution) -> object:
        if execution.key == key or not key:
            world.clock.advance(takes)
            act()
        return execute(execution)

    world.engine = replace(world.engine, execute=carry_out)


def test_the_message_that_begins_a_run_brings_it_to_its_end() -> None:
    world = bursting()
    run_id = world.start(value=1).run_id

    assert world.advance(world.take()) is Done.ADVANCED
    assert world.status(run_id) is RunStatus.COMPLETED
    assert keys(world) == all_five()
    assert world.outbox.sent == []


def test_it_sends_on_after_as_many_steps_as_the_deployment_allows() -> None:
    world = bursting(steps=3)
    world.start(value=1)

    world.advance(world.take())
    assert keys(world) == all_five()[:3]
    sent = world.take()
    assert (sent.kind, sent.op, sent.attempt) == (MessageKind.STEP, "double#4", 1)
    world.advance(sent)
    assert keys(world) == all_five()


def test_a_workflow_says_otherwise_than_the_deployment() -> None:
    world = bursting(steps=10, flow=two_at_once)
    world.start(value=1)

    world.advance(world.take())
    assert keys(world) == all_five()[:2]


def test_a_message_per_step_is_the_default() -> None:
    world = World(five)
    world.start(value=1)

    world.advance(world.take())
    assert keys(world) == []


def test_every_record_names_the_one_message() -> None:
    world = bursting(steps=3)
    run_id = world.start(value=1).run_id
    first = world.take()
    world.advance(first)

    assert {record.by for record in world.records(run_id).values()} == {first.token}


def test_a_message_that_was_delivered_before_sends_on_after_its_own_step() -> None:
    world = bursting()
    world.start(value=1)
    advance(world.engine, world.take(), receives=2)

    assert keys(world) == []
    assert world.take().op == "double#1"


def test_a_message_that_takes_over_sends_on() -> None:
    world = bursting()
    world.start(value=1)
    world.advance(replace(world.take(), kind=MessageKind.RECOVER, take=True))

    assert keys(world) == []
    assert world.take().take


# A step that says nothing may take as long as all before it together; another what it says.
@pytest.mark.parametrize(("timeout", "carried_out"), [(None, 3), (25, 4), (9, 5)])
def test_it_goes_on_while_there_is_time(timeout: int | None, carried_out: int) -> None:
    @workflow(name="wf")
    async def timed(ctx: Context, value: int) -> int:
        for _ in range(6):
            value = await ctx.step(double.with_options(timeout=timeout), value)
        return value

    world = bursting(flow=timed)
    world.start(value=1)
    during(world, "", lambda: None, takes=10 * SECOND)
    ends = world.clock.now() + MINUTE
    advance(world.engine, world.take(), lambda: ends - world.clock.now())

    assert len(world.attempts) == carried_out
    assert world.take().op == f"double#{carried_out + 1}"


def test_the_time_out_of_the_deployment_counts_for_steps_that_have_none() -> None:
    world = bursting(step_timeout=20 * SECOND)
    world.start(value=1)
    advance(world.engine, world.take(), lambda: 21 * SECOND)

    assert keys(world) == []


def test_the_head_is_looked_at_again_after_a_second() -> None:
    world = bursting()
    run_id = world.start(value=1).run_id
    during(world, "double#2", lambda: pause(world.engine, run_id))
    world.advance(world.take())

    assert keys(world) == all_five()[:2]
    assert world.status(run_id) is RunStatus.PAUSED


def test_it_goes_on_if_the_head_says_what_it_said() -> None:
    world = bursting()
    run_id = world.start(value=1).run_id
    during(world, "double#2", lambda: None)
    world.advance(world.take())

    assert keys(world) == all_five()
    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_run_that_is_to_end_is_not_gone_on_with() -> None:
    world = bursting()
    run_id = world.start(value=1).run_id
    during(world, "double#2", lambda: cancel(world.engine, run_id))
    world.advance(world.take())
    assert keys(world) == all_five()[:2]

    world.run()
    assert world.status(run_id) is RunStatus.CANCELLED
    assert keys(world) == all_five()[:2]


def test_a_deadline_at_hand_is_told_of_before_steps_are_carried_out() -> None:
    world = bursting()
    world.start(value=1, timeout=30)
    world.advance(world.take())

    kinds = [each.message.kind for each in world.outbox.sent]
    assert kinds == [MessageKind.STEP, MessageKind.CANCEL]


@workflow(name="wf")
async def groups(ctx: Context, value: int) -> int:
    for _ in range(12):
        await ctx.map(double, [value])
    return value


def test_it_does_not_go_on_for_ever_where_every_step_takes_a_fresh_look() -> None:
    world = bursting(steps=100, flow=groups)
    run_id = world.start(value=1).run_id
    world.advance(world.take())

    assert 1 < len(world.attempts) < 12
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED


# --- What another message has done


def in_mid_burst() -> tuple[World, str]:
    """Return a world in which a burst has done two steps and died, and so has its message."""
    world = bursting(steps=2)
    run_id = world.start(value=1).run_id
    first = world.take()
    world.outbox.down = True
    with pytest.raises(Exception, match="does not answer"):
        world.advance(first)
    world.outbox.down = False
    assert set(world.records(run_id)) == {"double#1", "double#2"}
    return world, run_id


def test_who_finds_its_step_done_has_somebody_look_later() -> None:
    world, run_id = in_mid_burst()
    record = world.records(run_id)["double#1"]
    late = message(run_id, MessageKind.STEP, "double#1", attempt=1)
    assert world.advance(late) is Done.REPEATED

    look = world.take()
    assert (look.kind, look.op, look.token) == (MessageKind.CHECK, "double#1", record.by)
    assert look.due == world.clock.now() + 15 * MINUTE
    world.clock.advance(15 * MINUTE)
    world.advance(look)
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED
    assert keys(world) == all_five()


@pytest.mark.parametrize("kind", [MessageKind.STEP, MessageKind.START])
def test_a_duplicate_leaves_it_to_the_one_at_work_and_has_somebody_look_later(
    kind: MessageKind,
) -> None:
    world, run_id = in_mid_burst()
    own = world.records(run_id)["double#1"].by
    op = "" if kind is MessageKind.START else "double#1"
    twin = message(run_id, kind, op, attempt=int(bool(op)), token=own)
    assert world.advance(twin) is Done.REPEATED

    (look,) = world.outbox.sent
    assert (look.message.kind, look.message.token) == (MessageKind.CHECK, own)
    assert look.delay == 15 * MINUTE // SECOND
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED
    assert keys(world) == all_five()


def test_a_redelivery_goes_on_at_once() -> None:
    world, run_id = in_mid_burst()
    own = world.records(run_id)["double#1"].by
    again = message(run_id, MessageKind.START, token=own)
    world.advance(again, receives=2)

    sent = world.take()
    assert (sent.kind, sent.op, sent.due) == (MessageKind.STEP, "double#3", 0)


def test_nobody_looks_later_where_all_is_well() -> None:
    world = bursting(steps=2)
    run_id = world.start(value=1).run_id
    first = world.take()
    world.advance(first)
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED
    world.advance(message(run_id, MessageKind.STEP, "double#1", attempt=1, token=first.token))
    assert world.outbox.sent == []


def test_a_retried_run_begins_with_what_was_kept_of_the_one_before() -> None:
    @workflow(name="wf", steps_per_message=5)
    async def fails_once(ctx: Context, value: int) -> int:
        value = await ctx.step(double, value)
        return await ctx.step(broken, value)

    world = bursting(flow=fails_once)
    run_id = world.start(value=1).run_id
    world.run()
    assert world.status(run_id) is RunStatus.FAILED
    made = retry(world.engine, run_id)
    assert world.advance(world.take()) is Done.ADVANCED
    assert world.status(made.run_id) is RunStatus.FAILED
    assert keys(world) == ["double#1", "broken#1", "broken#1"]


@pytest.mark.parametrize("change", [{"take": True}, {"kind": MessageKind.CHECK}])
def test_who_looks_or_takes_over_asks_for_no_further_look(change: dict[str, Any]) -> None:
    world, run_id = in_mid_burst()
    world.advance(replace(message(run_id, MessageKind.STEP, "double#1", attempt=1), **change))
    assert all(each.message.kind is not MessageKind.CHECK for each in world.outbox.sent)


@pytest.mark.parametrize("steps", [0, 1001, True, 1.5, "3"])
def test_a_number_of_steps_that_cannot_be_is_refused_at_once(steps: Any) -> None:  # noqa: ANN401
    with pytest.raises(DefinitionError, match="steps_per_message must be a whole number from 1"):

        @workflow(steps_per_message=steps)
        async def wrong(ctx: Context) -> None: ...
