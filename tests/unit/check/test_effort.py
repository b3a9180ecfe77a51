"""Bad inputs take no more work than their length explains; work is counted, not timed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from everstep.check import check_source

if TYPE_CHECKING:
    from collections.abc import Callable

START = (
    "from everstep import Context, step, workflow\n"
    "@step\n"
    "def charge(x): ...\n"
    "@workflow\n"
    "async def shop(ctx: Context, v0):\n"
)
ROUNDS = 5


def calls(source: str) -> int:
    """Return how many calls checking a source takes."""
    count = 0

    def seen(_frame: object, _event: str, _argument: object) -> None:
        nonlocal count
        count += 1

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        check_source(source, "app.py")
    finally:
        sys.setprofile(before)
    return count


def reassigned(number: int) -> str:
    """Assign every name from several others, in circles, and use them."""
    names = [f"v{each}" for each in range(number)]
    lines = [
        f"    {name} = {names[(each + far) % number]}"
        for far in range(1, ROUNDS)
        for each, name in enumerate(names)
    ]
    return START + "\n".join([*lines, "    v1.foo(1), max(v1, v2), v3()"])


def handed_over(number: int) -> str:
    """Hand each of many variables to a step."""
    lines = [f"    r{each} = 'x'\n    await ctx.step(charge, r{each})" for each in range(number)]
    return START + "\n".join(lines)


def dropped(number: int) -> str:
    """Assign many operations to variables."""
    lines = [f"    r{each} = ctx.sleep(1)\n    await r{each}" for each in range(number)]
    return START + "\n".join(lines)


def chained(number: int) -> str:
    """Call one method after another."""
    return START + "    v0" + ".filter(1)" * number


@pytest.mark.parametrize("source", [reassigned, handed_over, dropped, chained])
def test_twice_the_input_takes_about_twice_the_work(source: Callable[[int], str]) -> None:
    assert calls(source(60)) < 3 * calls(source(30))


def test_names_that_stand_for_many_functions_are_followed_once_each() -> None:
    names = [f"f{each}" for each in range(12)]
    lines = [f"{one} = {other}" for one in names for other in names]
    source = "\n".join([*lines, START + "    f1()"])
    assert calls(source) < 200_000
