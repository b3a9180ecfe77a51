"""What run ids say about time."""

from __future__ import annotations

import pytest
from ulid import ULID

from everstep.core.children import child_id
from everstep.core.ids import LATEST, earliest_id


@pytest.mark.parametrize("at", [0, 1, 1_767_225_600_000, LATEST])
def test_the_earliest_id_is_before_all_of_its_millisecond_and_after_those_before(at: int) -> None:
    assert earliest_id(at) < child_id("parent", "key", at)
    assert str(ULID.from_bytes(at.to_bytes(6) + bytes(10))).startswith(earliest_id(at))
    if at:
        assert str(ULID.from_bytes((at - 1).to_bytes(6) + b"\xff" * 10)) < earliest_id(at)


def test_times_that_no_id_has_are_the_nearest_that_one_can_have() -> None:
    assert earliest_id(-5) == earliest_id(0)
    assert earliest_id(2**60) == earliest_id(LATEST)
