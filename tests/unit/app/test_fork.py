"""What a new run takes over from the one that it goes on from, and what may be in its way."""

from __future__ import annotations

import pytest

from everstep import Context, workflow
from everstep.app import fork as forking
from everstep.app.fork import fork, retry
from everstep.app.options import StartOptions
from everstep.app.start import start
from everstep.core.errors import IllegalStateError
from everstep.core.model import RunStatus
from tests.unit.app.definitions import failing, one_step
from tests.unit.app.world import MINUTE, NOW, World


def named(world: World, reference_id: str = "order-1") -> str:
    accepted = start(
        world.engine, one_step.name, 1, StartOptions(reference_id=reference_id), from_json=False
    )
    return accepted.run_id


def test_a_run_that_has_ended_hands_its_name_over() -> None:
    world = World(one_step)
    run_id = named(world)
    world.run()
    made = fork(world.engine, run_id, from_step="double#1")
    assert world.head(made.run_id).reference_id == "order-1"


def test_a_name_that_another_run_has_by_now_stays_with_that_one() -> None:
    world = World(one_step)
    run_id = named(world)
    world.run()
    other = named(world)
    made = fork(world.engine, run_id, from_step="double#1")
    assert world.head(other).reference_id == "order-1"
    assert world.head(made.run_id).reference_id is None
    world.run()
    assert world.status(made.run_id) is RunStatus.COMPLETED


def test_a_run_that_has_not_ended_keeps_its_name() -> None:
    world = World(one_step)
    run_id = named(world)
    world.advance(world.take())
    made = fork(world.engine, run_id, from_step="double#1")
    assert world.head(run_id).reference_id == "order-1"
    assert world.head(made.run_id).reference_id is None


def test_a_first_message_that_cannot_be_sent_is_made_up_for_by_the_sweeper() -> None:
    world = World(failing)
    run_id = world.start(failing.name).run_id
    world.run()
    assert world.status(run_id) is RunStatus.FAILED
    world.outbox.down = True
    made = retry(world.engine, run_id)
    world.outbox.down = False
    assert made.created
    world.clock.set(world.clock.now() + 7 * MINUTE)
    assert world.sweep().recovered == 1
    world.run()
    assert world.status(made.run_id) is RunStatus.FAILED


def test_a_new_run_has_as_much_time_as_the_old_one_had() -> None:
    world = World(one_step)
    options = StartOptions(timeout=60)
    run_id = start(world.engine, one_step.name, 1, options, from_json=False).run_id
    world.run()
    world.clock.set(NOW + MINUTE)
    made = fork(world.engine, run_id, from_step="double#1")
    assert world.head(made.run_id).deadline == NOW + 2 * MINUTE


ENDLESS = [False]


@workflow(name="wf")
async def endless(_ctx: Context, value: int) -> int:
    while ENDLESS[0]:
        value += 1
    return value


def test_code_that_never_comes_to_rest_goes_on_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(endless)
    run_id = world.start("wf", 1).run_id
    world.run()
    world.end(run_id, RunStatus.FAILED)
    monkeypatch.setattr(forking, "_PATIENCE", 50)
    ENDLESS[0] = True
    with pytest.raises(IllegalStateError, match="does not come to rest"):
        retry(world.engine, run_id)
