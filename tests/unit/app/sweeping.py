"""Runs that a sweeper has to do with."""

from everstep import workflow
from tests.unit.app.definitions import anything, hibernating, one_step
from tests.unit.app.world import DAY, MINUTE, NOW, World

busy = workflow(name="busy")(one_step.fn)
large = workflow(name="large")(anything.fn)

GRACE = 7 * MINUTE
WATCHDOG = 360 * MINUTE
SOON = NOW + DAY - 15 * MINUTE


def asleep() -> tuple[World, str]:
    """Return a world in which one run sleeps for a day."""
    world = World(hibernating)
    return world, world.begin()
