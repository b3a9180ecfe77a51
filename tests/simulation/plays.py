"""Short ways to play one run and to ask what has become of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from everstep.app.engine import Limits
from everstep.testing.simulation.world import World
from tests.simulation.scenarios import MIXED

if TYPE_CHECKING:
    from everstep.core.model import Head, OpStatus
    from everstep.testing.simulation.faults import Faults
    from everstep.testing.simulation.step_queue import Letter

GRACE: Final = Limits().grace
WATCHDOG: Final = Limits().watchdog


def play(name: str, faults: Faults | None = None) -> World:
    """Play one run of a workflow from its trigger to its end."""
    with World(MIXED, faults=faults) as world:
        world.trigger(name, 1, "key")
        world.run()
        world.check()
    return world


def end(world: World) -> Head:
    """Let the world come to its rest; return what has become of the run."""
    world.run()
    world.check()
    return world.history().head


def effects(world: World) -> dict[str, int]:
    """Return how often the code of each operation was carried out."""
    counted: dict[str, int] = {}
    for (_, key, _), times in world.facts.effects.items():
        counted[key] = counted.get(key, 0) + times
    return counted


def hidden(world: World) -> list[Letter]:
    """Return the messages that are delayed."""
    letters = [letter for letter in world.queue.letters if letter.receives == 0]
    return [letter for letter in letters if letter.visible_at > world.time]


def status_of(world: World, key: str) -> OpStatus | None:
    """Return what is recorded of an operation, if anything is."""
    record = world.history().records.get(key)
    return record.status if record else None


def recorded(world: World) -> bool:
    """Say whether anything is recorded of the run."""
    return bool(world.store.run_ids) and bool(world.history().records)


ONCE_EACH: Final = {"add#1": 1, "add#2": 1, "add#3": 1}
