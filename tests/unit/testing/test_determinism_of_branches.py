"""assert_deterministic on workflows whose branches run side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep.core.exported import read_history
from everstep.core.tracing import moment
from everstep.testing.determinism import assert_deterministic
from everstep.testing.differences import DeterminismError
from tests.simulation import workflows_together as together
from tests.unit.testing import hidden_inputs as given
from tests.unit.testing.test_determinism import recorded

if TYPE_CHECKING:
    from everstep import Workflow


@pytest.mark.parametrize(
    "case",
    [
        together.side_by_side,
        together.nested,
        together.races,
        together.lanes,
        together.looks_again,
        together.waits_in_vain,
        together.undoes,
    ],
    ids=lambda case: case.name,
)
def test_branches_whose_code_does_the_same_in_every_pass_pass(case: Workflow[int, int]) -> None:
    report = assert_deterministic(case, 1, processes=0)
    assert report.operations > 0


def test_a_branch_that_depends_on_chance_is_told_with_all_that_is_waited_for() -> None:
    with pytest.raises(DeterminismError) as caught:
        assert_deterministic(given.in_a_branch, processes=0)
    told = str(caught.value)
    assert "waits for the step gather#1/0/note#1 (what='same'), the step gather#1/1/note#1" in told
    assert "the seed of random" in told


def test_a_group_of_which_no_join_is_told_yet_is_complete() -> None:
    """A history may tell of branches before it tells of their join."""
    history = read_history(recorded(given.alone))
    records = {key: each for key, each in history.records.items() if key != "gather#1"}
    told = moment(given.alone, replace(history, records=records), len(records))
    assert (told.does, told.shown) == ("stands", {"": "the end of gather#1"})


def test_a_wait_outside_branches_is_told_by_its_time_out() -> None:
    with pytest.raises(DeterminismError) as caught:
        assert_deterministic(given.waits_by_chance, processes=0)
    assert "waits for the event answer#1 with a time-out of 0:00:" in str(caught.value)
