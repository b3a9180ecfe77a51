"""Cutting a schedule down to what it takes to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from everstep.testing.simulation.minimise import minimise

if TYPE_CHECKING:
    from everstep.testing.simulation.choices import Choice, Schedule

choices = st.tuples(st.sampled_from(["order", "fault", "odd", "torn"]), st.integers(1, 9))
schedules = st.dictionaries(choices, st.integers(1, 5), min_size=1, max_size=25)


@given(schedules, st.data())
def test_exactly_the_choices_that_a_failure_needs_are_left(
    schedule: Schedule, data: st.DataObject
) -> None:
    needed = data.draw(st.sets(st.sampled_from(sorted(schedule))))
    found = minimise(schedule, lambda part: needed <= part.keys())
    assert found == {choice: schedule[choice] for choice in needed}


@given(schedules, st.data())
def test_of_several_ways_to_fail_one_is_left_of_which_no_choice_can_go(
    schedule: Schedule, data: st.DataObject
) -> None:
    some = st.frozensets(st.sampled_from(sorted(schedule)), min_size=1)
    ways = data.draw(st.lists(some, min_size=1, max_size=4))

    def fails(part: Schedule) -> bool:
        return any(way <= part.keys() for way in ways)

    found = minimise(schedule, fails)
    assert found.items() <= schedule.items()
    assert fails(found)
    assert not any(fails(without(found, choice)) for choice in found)


@given(schedules, st.integers(0, 3))
def test_a_failure_that_comes_and_goes_still_ends_with_a_part_that_fails(
    schedule: Schedule, remainder: int
) -> None:
    """Leaving one choice out may move all later ones, so that more can mean less."""

    def fails(part: Schedule) -> bool:
        return part == schedule or sum(part.values()) % 4 == remainder

    found = minimise(schedule, fails)
    assert found.items() <= schedule.items()
    assert fails(found)
    assert found == schedule or not any(fails(without(found, choice)) for choice in found)


def test_a_failure_that_does_not_depend_on_the_order_is_played_in_the_usual_one_first() -> None:
    schedule: Schedule = {("order", 1): 1, ("fault", 1): 2, ("order", 2): 1}
    tried: list[Schedule] = []

    def fails(part: Schedule) -> bool:
        tried.append(part)
        return ("fault", 1) in part

    assert minimise(schedule, fails) == {("fault", 1): 2}
    assert tried[0] == {("fault", 1): 2}


def test_it_gives_up_after_a_thousand_plays_with_what_it_has_by_then() -> None:
    schedule: Schedule = {("order", number): 1 for number in range(3_000)}
    plays = 0

    def fails(part: Schedule) -> bool:
        nonlocal plays
        plays += 1
        return len(part) > 2_000

    found = minimise(schedule, fails)
    assert plays <= 1_000
    assert 2_000 < len(found) <= 3_000


def without(schedule: Schedule, choice: Choice) -> Schedule:
    return {each: chosen for each, chosen in schedule.items() if each != choice}
