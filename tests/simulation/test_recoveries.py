"""What a recovery takes over from whoever was at work when the run stalled."""

from __future__ import annotations

from everstep.core.model import MessageKind, RunStatus
from everstep.testing.simulation.faults import FaultKind, Once
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.plays import end
from tests.simulation.scenarios import MIXED
from tests.simulation.test_interleavings import stalled


def test_a_recovery_takes_over_from_an_executor_that_commits_after_it_and_dies() -> None:
    with World(MIXED, settings=Settings(executors=2)) as world:
        world.trigger("three_steps", 1, "key")
        letter = world.next_message("add#2")
        zombie = world.execute(letter)
        world.go_on_until(zombie, "runs.put")
        run_id = stalled(world)
        world.hold_up(world.settings.visibility)
        # The run stands still, so the message is done with, and its executor still at work.
        world.finish(world.execute(letter))
        assert letter.gone

        world.finish(world.resume(run_id))
        (recovery,) = world.queue.letters
        assert recovery.message.kind is MessageKind.RECOVER
        world.finish(world.execute(recovery))
        world.faults = Once("runs.put", FaultKind.CRASH_AFTER)
        world.finish(zombie)
        assert "add#2" in world.history().records

        assert end(world).status is RunStatus.COMPLETED
    assert world.facts.recovered == 0
