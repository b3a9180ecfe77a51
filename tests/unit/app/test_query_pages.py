"""Lists of runs within a time, runs that cannot be read, and events page by page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep.adapters.memory.ids import SequenceIds
from everstep.app.engine import Limits
from everstep.app.events import send_event
from everstep.app.query import list_events, list_runs
from everstep.core.errors import RunNotFoundError
from everstep.core.ids import earliest_id
from everstep.core.model import RunStatus
from tests.unit.app.definitions import anything, hibernating
from tests.unit.app.world import World

if TYPE_CHECKING:
    from everstep.ports import Clock

HOUR: Final = 3_600_000


class TimedIds(SequenceIds):
    """Ids that say when they were made, as the real ones do."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def run_id(self) -> str:
        return f"{earliest_id(self._clock.now())}{super().run_id()[-8:]:>016}"


def started_hourly(count: int) -> tuple[World, list[str], int]:
    world = World(anything)
    world.engine = replace(world.engine, ids=TimedIds(world.clock))
    began = world.clock.now()
    made = []
    for _ in range(count):
        made.append(world.start(value=1, reference_id="r").run_id)
        world.run()
        world.clock.advance(HOUR)
    return world, made, began


def test_runs_are_found_by_when_they_were_accepted() -> None:
    world, made, began = started_hourly(4)

    def found(since: int | None, until: int | None, **others: Any) -> list[str]:  # noqa: ANN401
        page = list_runs(world.engine, since=since, until=until, **others)
        return [each.run_id for each in page.runs]

    assert found(began + HOUR, None) == made[:0:-1]
    assert found(None, began + HOUR) == made[:1]
    assert found(began + HOUR, began + 3 * HOUR) == [made[2], made[1]]
    assert found(began + HOUR, began + HOUR) == []
    assert found(began + 3 * HOUR, None, reference_id="r") == [made[3]]
    assert found(None, began + 3 * HOUR, reference_id="r") == []


def test_pages_stay_within_the_time_asked_for() -> None:
    world, made, began = started_hourly(5)
    first = list_runs(world.engine, since=began + HOUR, until=began + 4 * HOUR, limit=2)
    rest = list_runs(world.engine, since=began + HOUR, cursor=first.cursor, limit=2)

    assert [each.run_id for each in (*first.runs, *rest.runs)] == made[3:0:-1]
    assert rest.cursor is None


def test_a_run_whose_payload_is_lost_keeps_nobody_from_seeing_the_others() -> None:
    world = World(anything, limits=Limits(inline=1))
    run_id = world.start(value="x" * 20).run_id
    world.lose_payloads()

    (item,) = list_runs(world.engine).runs
    assert (item.run_id, item.status) == (run_id, RunStatus.RUNNING)


def test_events_are_shown_page_by_page_with_their_payloads() -> None:
    world = World(hibernating, limits=Limits(inline=5))
    run_id = world.begin()
    for payload in ("short", "x" * 20, None):
        send_event(world.engine, run_id, "news", payload)

    first = list_events(world.engine, run_id, limit=2, cursor=None)
    rest = list_events(world.engine, run_id, limit=2, cursor=first.cursor)
    assert [each.payload.text for each in (*first.items, *rest.items)] == [
        '"short"',
        f'"{"x" * 20}"',
        "null",
    ]
    assert rest.cursor is None
    with pytest.raises(RunNotFoundError):
        list_events(world.engine, "nobody", limit=2, cursor=None)
