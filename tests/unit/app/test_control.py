"""What people ask of a run."""

import pytest

from everstep.app.control import resume
from everstep.core.errors import IllegalStateError, RunNotFoundError
from everstep.core.model import MessageKind, RunStatus
from tests.unit.app.definitions import hibernating, one_step
from tests.unit.app.world import DAY, MINUTE, NOW, World


def test_a_run_that_stands_still_goes_on_where_it_stood() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.take()
    world.stall(run_id)

    assert resume(world.engine, run_id) is RunStatus.RUNNING
    head = world.head(run_id)
    assert (head.stall, head.generation) == (None, 1)
    assert (head.resumed_at, head.due_at) == (NOW, NOW + 7 * MINUTE)
    message = world.take()
    assert (message.kind, message.take, message.token) == (MessageKind.RECOVER, True, head.by)


def test_a_resumed_run_completes() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.take()
    world.stall(run_id)
    resume(world.engine, run_id)
    world.run()

    assert world.status(run_id) is RunStatus.COMPLETED


def test_a_resumed_run_that_sleeps_goes_on_sleeping() -> None:
    world = World(hibernating)
    run_id = world.begin()
    world.stall(run_id)
    resume(world.engine, run_id)
    world.run()

    assert world.clock.now() == NOW
    assert world.records(run_id)["sleep#1"].due_at == NOW + DAY


def test_resuming_a_running_run_changes_nothing() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.take()
    before = world.head(run_id)

    assert resume(world.engine, run_id) is RunStatus.RUNNING
    assert world.head(run_id) == before
    assert world.outbox.sent == []


def test_a_run_that_has_ended_cannot_be_resumed() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.end(run_id)

    with pytest.raises(IllegalStateError, match="is COMPLETED; only a PAUSED or STALLED run"):
        resume(world.engine, run_id)


def test_a_run_that_does_not_exist_cannot_be_resumed() -> None:
    with pytest.raises(RunNotFoundError, match="there is no run nobody"):
        resume(World(one_step).engine, "nobody")


def test_a_resumption_whose_message_cannot_be_sent_is_made_up_for_by_the_sweeper() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.take()
    world.stall(run_id)
    world.outbox.down = True

    assert resume(world.engine, run_id) is RunStatus.RUNNING
    world.outbox.down = False
    world.clock.set(NOW + 7 * MINUTE)
    assert world.sweep().recovered == 1
    world.run()
    assert world.status(run_id) is RunStatus.COMPLETED
