"""Coroutines go on in the order of their times, and then in the order in which they came."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from everstep.core.answers import EMPTY
from everstep.core.fibers import Fiber
from everstep.core.session import Frame
from everstep.core.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Sequence


def fibers(times: Sequence[int]) -> list[Fiber]:
    coroutine = cast("Any", None)
    return [Fiber(coroutine, Frame("", now, live=False), index=at) for at, now in enumerate(times)]


@pytest.mark.parametrize(
    "times", [(), (1,), (1, 1, 1), (1, 2, 3), (3, 2, 1), (2, 3, 2, 1, 3, 3, 1, 2), (5, 1, 9, 1, 5)]
)
def test_the_earliest_goes_on_first_and_of_the_same_time_who_came_first(
    times: Sequence[int],
) -> None:
    turns, waiting = Turns(), fibers(times)
    for fiber in waiting:
        turns.add(fiber, EMPTY)
    found = []
    while turns:
        fiber, given = turns.next()
        assert given is EMPTY
        found.append(fiber)
    assert found == sorted(waiting, key=lambda fiber: (fiber.frame.now, fiber.index))


def test_who_comes_meanwhile_takes_the_place_of_its_time() -> None:
    turns, (first, second, third, late) = Turns(), fibers((1, 4, 2, 4))
    turns.add(first, EMPTY)
    turns.add(second, EMPTY)
    assert turns.next()[0] is first
    turns.add(third, EMPTY)
    turns.add(late, EMPTY)
    assert [turns.next()[0] for _ in range(3)] == [third, second, late]
    assert not turns
