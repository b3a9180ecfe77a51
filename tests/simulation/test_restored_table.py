"""A table restored from a backup while the queue still holds what was sent since."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from everstep.core.model import RunStatus
from everstep.testing.simulation.deployment import START
from everstep.testing.simulation.faults import Meanwhile
from everstep.testing.simulation.world import World
from tests.simulation.plays import GRACE, ONCE_EACH, WATCHDOG, end, play
from tests.simulation.scenarios import MIXED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.testing.simulation.backups import Backup


class Restored(World):
    """A world that is backed up before one call and gets that table back before another."""

    restored_at = 0
    in_flight = 0

    def plan(self, taken: int, put_back: int) -> None:
        """Say before which calls, by their numbers."""

        def take() -> None:
            self.backup = self.back_up()
            self.faults = Meanwhile(put_back, partial(self.restore, self.backup))

        self.faults = Meanwhile(taken, take)

    def restore(self, backup: Backup) -> None:
        """Note when it happens, and what the queue holds then."""
        self.restored_at = self.time
        self.in_flight = len(self.queue.letters)
        super().restore(backup)


def restored_at_any_point(name: str) -> Iterator[Restored]:
    """Play a run with every backup that knows it, restored at every later call."""
    calls = len(play(name).calls)
    for taken in range(2, calls):
        for put_back in range(taken + 1, calls + 1):
            with Restored(MIXED) as world:
                world.plan(taken, put_back)
                world.trigger(name, 1, "key")
                end(world)
            yield world


def keeps_what_was_backed_up(world: World, backup: Backup) -> None:
    """Assert that no result of the backup was replaced, and none was worked out again."""
    run_id = backup.store.run_ids[0]
    saved = backup.store.load(run_id)
    assert saved is not None
    now = world.history(run_id).records
    for key, record in saved.records.items():
        if record.status.final:
            assert now[key] == record
            executed = (run_id, key, record.attempt)
            assert world.facts.effects[executed] == backup.effects[executed]


@pytest.mark.parametrize("name", ["three_steps", "retries", "short_sleep", "long_sleep", "fails"])
def test_a_table_restored_while_messages_are_in_flight_contradicts_nothing_and_ends_its_run(
    name: str,
) -> None:
    usual = play(name)
    outcome, duration = usual.history().head, usual.time - START
    flights = 0
    for world in restored_at_any_point(name):
        head = world.history().head
        assert (head.status, head.result) == (outcome.status, outcome.result)
        assert world.time <= world.restored_at + duration + WATCHDOG + 2 * GRACE
        keeps_what_was_backed_up(world, world.backup)
        flights += bool(world.in_flight)
    assert flights > len(usual.calls)


def test_a_table_restored_when_nothing_is_in_flight_is_noticed_by_the_watchdog() -> None:
    with World(MIXED) as world:
        world.trigger("three_steps", 1, "key")
        world.next_message("add#2")
        backup = world.back_up()
        end(world)
        world.restore(backup)
        assert not world.queue.letters

        assert end(world).status is RunStatus.COMPLETED
        keeps_what_was_backed_up(world, backup)
    assert world.facts.recovered == 1
    assert world.time <= START + WATCHDOG + 2 * GRACE


def test_messages_of_a_run_that_the_restored_table_does_not_know_are_kept_and_start_nothing() -> (
    None
):
    with World(MIXED) as world:
        backup = world.back_up()
        world.trigger("three_steps", 1, "key")
        lost = world.next_message("add#2")
        unknown = world.store.run_ids[0]
        world.restore(backup)
        world.run()
        assert not world.store.run_ids
        assert [letter.body for letter in world.store.dead_letters] == [lost.body]

        world.trigger("three_steps", 1, "key")
        head = end(world)
    assert head.status is RunStatus.COMPLETED
    assert head.run_id != unknown
    executed = {
        key: times
        for (run_id, key, _), times in world.facts.effects.items()
        if run_id == head.run_id
    }
    assert executed == ONCE_EACH
