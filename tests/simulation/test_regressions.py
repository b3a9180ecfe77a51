"""Schedules that failed once hold now, and still fail with the old mistake put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from everstep.core.invariants import ViolationError
from everstep.testing.simulation.choices import Kept
from everstep.testing.simulation.seeds import play
from tests.simulation.regressions import REGRESSIONS
from tests.simulation.scenarios import MIXED

if TYPE_CHECKING:
    from everstep.testing.simulation.choices import Schedule
    from tests.simulation.regressions import Regression

each = pytest.mark.parametrize("kept", REGRESSIONS, ids=lambda kept: kept.name)


@each
def test_a_schedule_that_failed_once_holds(kept: Regression) -> None:
    world = play(kept.setup, MIXED, Kept(kept.schedule))
    assert world.facts.disturbances


@each
def test_a_schedule_that_failed_once_fails_with_the_old_mistake(
    kept: Regression, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.mistake(monkeypatch)
    assert violated_by(kept, kept.schedule) == kept.invariant


@each
def test_a_kept_schedule_holds_nothing_that_it_does_not_take(
    kept: Regression, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.mistake(monkeypatch)
    for choice in kept.schedule:
        shorter = {one: chosen for one, chosen in kept.schedule.items() if one != choice}
        assert violated_by(kept, shorter) != kept.invariant


def violated_by(kept: Regression, schedule: Schedule) -> str | None:
    try:
        play(kept.setup, MIXED, Kept(schedule))
    except ViolationError as violation:
        return violation.invariant
    return None
