"""Runs that somebody has removed before their time: gone as a whole, whoever dies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from everstep.app.discard import discard
from everstep.core.errors import IllegalStateError
from everstep.core.invariants import ViolationError, check_write
from everstep.testing.simulation.faults import FaultKind, Once
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from tests.simulation.scenarios import LIMITS, MIXED
from tests.simulation.test_names_and_retention import FAILURES, nothing_is_left


@pytest.mark.parametrize("kind", FAILURES)
def test_a_run_that_was_discarded_goes_whoever_dies(kind: FaultKind) -> None:
    with World(MIXED, settings=Settings(limits=LIMITS, removes=True)) as world:
        world.trigger("three_steps", 1, "key")
        world.run()
        (run_id,) = world.store.run_ids
        world.faults = Once("runs.change", kind)
        world.ask("operator", lambda: discard(world.engine, run_id))
        world.run()
        assert nothing_is_left(world)


def test_a_run_that_goes_on_is_not_discarded() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        with pytest.raises(IllegalStateError, match="only a run that has ended goes"):
            discard(world.inside, world.store.run_ids[0])


def test_the_end_of_a_run_says_until_when_it_is_kept_and_that_time_never_grows() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        before = world.history()
        world.run()
        after = world.history()
    early = replace(after, head=replace(after.head, due_at=world.time))
    with pytest.raises(ViolationError, match="no run goes early"):
        check_write(before, early, world.time, 0)
    later = replace(after, head=replace(after.head, due_at=world.time + 1))
    check_write(after, early, world.time, 0)
    with pytest.raises(ViolationError, match="terminal never changes"):
        check_write(early, later, world.time, 0)
