"""Looking at a run whose code never comes to rest: the sweeper and people give up, and go on."""

import pytest

from everstep import Context, workflow
from everstep.app import look as module
from everstep.app.look import look
from everstep.app.query import inspect, outcome
from everstep.core.model import MessageKind, RunStatus
from tests.unit.app.definitions import hibernating, one_step
from tests.unit.app.world import DAY, MINUTE, NOW, World

other = workflow(name="other")(hibernating.fn)


@workflow(name="wf")
async def restless(_ctx: Context) -> None:
    """Never end."""
    while True:
        pass


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 20)


def test_what_is_seen_of_a_replay_is_returned() -> None:
    world = World(one_step)
    history = world.store.load(world.begin(value=1))
    assert history is not None

    assert look(world.engine, history, lambda replay: replay.asked) == ["double#1"]


def test_code_that_never_comes_to_rest_holds_up_no_other_run() -> None:
    world = World(restless, other)
    world.start()
    world.lose()
    run_id = world.begin("other")
    world.clock.set(NOW + DAY - 15 * MINUTE)

    swept = world.sweep()

    assert (swept.starts, swept.timers) == (1, 1)
    timer = next(each for each in world.outbox.sent if each.message.kind is MessageKind.TIMER)
    assert timer.message.run_id == run_id


def test_a_run_that_was_stalled_as_its_code_never_came_to_rest_can_be_looked_at() -> None:
    world = World(restless)
    run_id = world.start().run_id
    world.bury(world.take(), receives=2)

    view = inspect(world.engine, run_id)
    assert view.progress.status is RunStatus.STALLED
    assert view.head.stall is not None
    assert outcome(world.engine, run_id).head.status is RunStatus.STALLED
