"""Values and operations in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from everstep.core.telling import brief, told_call


def test_a_time_that_cannot_be_told_stands_as_it_was_recorded() -> None:
    assert told_call("") == ""
    assert told_call("until=9" + "9" * 20) == "until=9" + "9" * 20
    assert told_call(f"for={timedelta(days=400) // timedelta(milliseconds=1)}") == (
        "for 400 days, 0:00:00"
    )


@pytest.mark.parametrize(
    ("input_hash", "told"),
    [
        ("timeout=None", "without a time-out"),
        ("timeout=60000", "with a time-out of 0:01:00"),
        ("gather=2", "ctx.gather of 2 branches"),
        ("scope=1", "ctx.scope of 1 branch"),
    ],
)
def test_waits_and_groups_are_told_by_what_they_were_asked_for(input_hash: str, told: str) -> None:
    assert told_call(input_hash) == told


def test_values_are_told_in_short_and_whatever_their_class_does() -> None:
    class Silent:
        def __repr__(self) -> str:
            raise ValueError("no")

    assert brief("x" * 500) == f"'{'x' * 118}…"
    assert brief(Silent()) == "<Silent, whose repr raises ValueError>"
