"""One message, while somebody else writes first, or the code cannot go on."""

import asyncio
from dataclasses import replace

import pytest

from everstep import Context, NonDeterminismError, workflow
from everstep.app.outcomes import Done
from everstep.core.model import OpRecord, OpStatus, Payload, RunStatus
from tests.unit.app.definitions import (
    double,
    failing_slowly,
    inserted,
    one_step,
    second_version,
    two_steps,
)
from tests.unit.app.world import World

# --- Races: somebody else writes first


def test_a_result_that_somebody_else_wrote_first_stands_and_ours_is_dropped() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    world.store.before_put.append(
        lambda mine: world.write(run_id, replace(mine, by="other", result=Payload(text="99")))
    )

    assert world.advance(world.take()) is Done.SUPERSEDED
    assert world.records(run_id)["double#1"].by == "other"
    assert world.outbox.sent == []


def test_a_write_whose_answer_was_lost_is_recognised_as_our_own() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    world.store.before_put.append(lambda mine: world.write(run_id, mine))

    assert world.advance(world.take()) is Done.REPEATED
    assert world.take().op == "double#2"


def test_a_takeover_goes_on_with_whatever_was_written() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)
    world.store.before_put.append(lambda mine: world.write(run_id, replace(mine, by="other")))

    taking = replace(world.take(), take=True)
    assert world.advance(taking) is Done.REPEATED
    assert world.take().op == "double#2"


def test_our_own_write_on_a_run_that_has_ended_meanwhile_is_left() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)

    def end_it(mine: OpRecord) -> None:
        world.write(run_id, mine)
        world.end(run_id)

    world.store.before_put.append(end_it)

    assert world.advance(world.take()) is Done.SUPERSEDED


def test_a_run_that_expires_during_the_attempt_is_left() -> None:
    world = World(two_steps)
    run_id = world.begin(value=1)

    def expire(mine: OpRecord) -> None:
        world.write(run_id, mine)
        world.store.before_load.append(lambda: world.forget(run_id))

    world.store.before_put.append(expire)

    assert world.advance(world.take()) is Done.SUPERSEDED


def test_a_zombie_with_an_old_attempt_cannot_replace_a_later_one() -> None:
    world = World(failing_slowly)
    run_id = world.begin()
    first = world.take()
    world.store.before_put.append(
        lambda mine: world.write(run_id, replace(mine, by="other", attempt=2))
    )

    assert world.advance(first) is Done.SUPERSEDED
    assert world.records(run_id)["fail_for_long#1"].attempt == 2


# --- Code that cannot go on


def test_a_missing_version_stalls_the_run_with_advice() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.deploy(second_version)

    assert world.advance(world.take()) is Done.STALLED
    stall = world.head(run_id).stall
    assert stall is not None
    assert stall.reason.type == "WorkflowMissingError"
    assert "version 1 is not deployed (deployed versions: 2); deploy it" in stall.reason.message


def test_a_contradiction_stalls_the_run() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    last = world.take()
    world.advance(last)
    world.reopen(run_id)
    world.deploy(inserted)

    assert world.advance(last) is Done.STALLED
    stall = world.head(run_id).stall
    assert stall is not None
    assert stall.reason.type == NonDeterminismError.__name__


def test_a_contradiction_that_a_second_read_does_not_confirm_is_none() -> None:
    """A query is no snapshot: it may show a record and miss an earlier one."""
    world = World(two_steps)
    run_id = world.begin(value=1)
    world.advance(world.take())
    last = world.take()
    world.advance(last)
    world.reopen(run_id)
    missed = world.store._records[run_id].pop("double#1")
    world.store.before_load += [lambda: None, lambda: world.write(run_id, missed)]

    world.advance(last)

    assert world.status(run_id) is RunStatus.COMPLETED


@pytest.mark.parametrize("fate", ["expires", "ends"])
def test_a_contradiction_in_a_run_that_goes_meanwhile_stalls_nothing(fate: str) -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    last = world.take()
    world.advance(last)
    world.reopen(run_id)
    world.deploy(inserted)
    go = world.forget if fate == "expires" else world.end
    world.store.before_load += [lambda: None, lambda: go(run_id)]

    assert world.advance(last) is Done.SUPERSEDED


def test_code_that_breaks_after_a_result_stalls_the_run_and_keeps_the_result() -> None:
    @workflow(name="wf")
    async def breaking(ctx: Context) -> None:
        await ctx.step(double, 1)
        await asyncio.sleep(1)

    world = World(breaking)
    run_id = world.begin()

    assert world.advance(world.take()) is Done.STALLED
    assert world.records(run_id)["double#1"].status is OpStatus.DONE
    assert world.status(run_id) is RunStatus.STALLED
