"""Removing runs: at their time, whole, and never what goes on."""

from dataclasses import replace

import pytest

from everstep.adapters.memory.store import MemoryStore
from everstep.app.outcomes import Done
from everstep.app.retention import Removal, remove
from everstep.app.sweep import IncompleteSweepError, sweep
from everstep.core.errors import UnavailableError
from everstep.core.model import MessageKind
from tests.unit.app.definitions import one_step
from tests.unit.app.world import DAY, MINUTE, NOW, World, message

OVER = NOW + DAY


def ended() -> tuple[World, str]:
    """Return a world with a run that has ended and is kept for a day."""
    world = World(one_step)
    options = {"idempotency_key": "k", "reference_id": "r"}
    run_id = world.start(value=1, retention=DAY / 1000, **options).run_id
    world.run()
    assert world.head(run_id).due_at == OVER
    return world, run_id


def test_a_run_stays_as_long_as_it_is_to_be_kept() -> None:
    world, run_id = ended()
    world.clock.set(OVER - 1)

    swept = world.sweep()

    assert (swept.removed, swept.failures) == (0, [])
    assert world.records(run_id)


def test_a_run_goes_with_its_key_and_its_name_once_its_retention_is_over() -> None:
    world, run_id = ended()
    world.clock.set(OVER)

    assert world.sweep().removed == 1

    assert world.store.load(run_id) is None
    assert world.store.run_ids == []
    assert world.sweep().entries == 0
    again = world.start(value=2, idempotency_key="k", reference_id="r")
    assert again.created


def test_a_message_that_comes_after_that_revives_nothing() -> None:
    world, run_id = ended()
    world.clock.set(OVER)
    world.sweep()

    assert world.advance(message(run_id, MessageKind.START)) is Done.UNKNOWN_RUN
    assert world.store.run_ids == []


def test_a_run_that_goes_on_is_not_removed_whatever_an_entry_says() -> None:
    world = World(one_step)
    run_id = world.start(value=1).run_id

    assert remove(world.engine, run_id, lambda: False) is Removal.NOT_DUE
    assert remove(world.engine, "nobody", lambda: False) is Removal.NOT_DUE
    world.end(run_id)
    assert remove(world.engine, run_id, lambda: False) is Removal.NOT_DUE
    assert run_id in world.store.run_ids


def test_a_run_is_not_removed_before_its_time_whatever_an_entry_says() -> None:
    world, run_id = ended()

    assert remove(world.engine, run_id, lambda: False) is Removal.NOT_DUE
    assert world.records(run_id)


def test_what_is_left_when_time_runs_out_is_left_to_the_next_sweep() -> None:
    world, run_id = ended()
    world.clock.set(OVER)
    asked = iter([False, True])

    swept = sweep(world.engine, lambda: next(asked))

    assert (swept.removed, swept.finished) == (0, False)
    assert run_id in world.store.run_ids
    assert world.sweep().removed == 1


def test_removals_wait_for_what_goes_on() -> None:
    world, run_id = ended()
    world.start(value=2)
    world.lose()
    world.clock.set(OVER)
    asked = iter([False, False, True])

    swept = sweep(world.engine, lambda: next(asked))

    assert (swept.starts, swept.removed, swept.finished) == (1, 0, False)
    assert run_id in world.store.run_ids


class Fragile(MemoryStore):
    """A store that does not answer a removal."""

    def clear(self, run_id: str, due_at: int) -> bool:
        """Raise."""
        raise UnavailableError(f"{run_id} {due_at}")


def test_one_run_that_cannot_be_removed_is_reported_and_stops_nothing() -> None:
    world, run_id = ended()
    world.clock.set(OVER + MINUTE)
    store = Fragile()
    store._heads = world.store._heads
    world.engine = replace(world.engine, runs=store)

    with pytest.raises(IncompleteSweepError, match=run_id):
        world.sweep()


def test_a_run_of_many_objects_goes_over_several_sweeps(monkeypatch: pytest.MonkeyPatch) -> None:
    world, run_id = ended()
    world.clock.set(OVER)
    cleared = iter([False, False, True])
    monkeypatch.setattr(type(world.engine.blobs), "clear", lambda *_: next(cleared))

    assert remove(world.engine, run_id, lambda: True) is Removal.UNFINISHED
    assert world.store.load(run_id) is not None
    assert remove(world.engine, run_id, lambda: False) is Removal.GONE
