"""``everstep runs cleanup`` over both transports: what goes, what stays, who is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from typing_extensions import override
from ulid import ULID

from everstep.adapters.memory.ids import SequenceIds
from everstep.app.sweep import sweep
from everstep.core.durations import MINUTE
from tests.unit.cli.operating import TRANSPORTS, operated

if TYPE_CHECKING:
    from everstep.ports import Clock
    from tests.unit.cli.operating import Operated

DAY = 24 * 60 * MINUTE


class TimedIds(SequenceIds):
    """Ids that say when they were made, as the real ones do."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    @override
    def run_id(self) -> str:
        return str(ULID.from_timestamp(self._clock.now() / 1000))


@pytest.fixture(params=TRANSPORTS)
def at(request: pytest.FixtureRequest) -> Operated:
    made = operated(request.param)
    made.world.engine = replace(made.world.engine, ids=TimedIds(made.world.clock))
    return made


def there(at: Operated) -> list[str]:
    return [each["run_id"] for each in at.data("runs", "list")]


def test_what_is_old_and_has_ended_goes_with_the_next_sweep(at: Operated) -> None:
    old, failed = at.completed(), at.failed()
    at.world.clock.advance(8 * DAY)
    young, going_on = at.completed(), at.started()
    seen = at.typed("runs", "cleanup", "--older-than", "7d", "--yes")
    assert (seen.code, seen.out, seen.err) == (0, "2 runs are being removed\n", "")
    sweep(at.world.engine)
    assert set(there(at)) == {going_on, young}
    assert at.typed("runs", "inspect", old).code == 3
    assert at.typed("runs", "audit", failed).code == 3


def test_a_dry_run_shows_what_would_go_and_does_nothing(at: Operated) -> None:
    run_id = at.completed()
    at.world.clock.advance(8 * DAY)
    seen = at.typed("cleanup", "--older-than", "7d", "--status", "COMPLETED,FAILED", "--dry-run")
    assert (seen.code, seen.err) == (0, "")
    assert seen.out.splitlines()[-1] == "1 run would be removed"
    assert run_id in seen.out
    sweep(at.world.engine)
    assert there(at) == [run_id]


def test_only_what_is_chosen_goes(at: Operated) -> None:
    completed, failed = at.completed(), at.failed()
    at.world.clock.advance(8 * DAY)
    told = at.data("runs", "cleanup", "--older-than", "7d", "--status", "FAILED", "--yes")
    assert (told["removed"], [each["run_id"] for each in told["runs"]]) == (True, [failed])
    sweep(at.world.engine)
    assert there(at) == [completed]
    assert at.data("runs", "cleanup", "--older-than", "7d", "--workflow", "bare")["runs"] == []


def test_somebody_is_asked_before_and_no_is_no(at: Operated) -> None:
    run_id = at.completed()
    at.world.clock.advance(DAY)
    command = ("runs", "cleanup", "--older-than", "1h")
    assert at.typed(*command).code == 2
    seen = at.typed(*command, stdin="n\n", ask=True)
    assert seen.code == 1
    assert "this will remove 1 run for ever" in seen.err
    sweep(at.world.engine)
    assert there(at) == [run_id]
    assert at.typed(*command, stdin="y\n", ask=True).out == "1 run is being removed\n"


def test_what_goes_on_cannot_be_removed(at: Operated) -> None:
    seen = at.typed("runs", "cleanup", "--older-than", "1h", "--status", "RUNNING")
    assert (seen.code, seen.out) == (2, "")
    assert "only runs that have ended can be removed" in seen.err
    assert at.typed("runs", "cleanup").code == 2


def test_a_run_that_goes_on_is_refused_by_the_deployment(at: Operated) -> None:
    run_id = at.started()
    assert at.world.call("POST", f"/runs/{run_id}/remove").status == 409
    assert at.world.call("POST", "/runs/nothing/remove").status == 404
    done = at.completed()
    for _ in range(2):
        assert at.world.call("POST", f"/runs/{done}/remove").status == 202
