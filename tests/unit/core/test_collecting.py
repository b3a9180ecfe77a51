"""Garbage is left alone while a pass goes over a long history."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from everstep.core.collecting import uncollected

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the collector as it was found."""
    yield
    gc.enable()


@pytest.mark.parametrize(("operations", "looks"), [(63, True), (64, False)])
def test_nobody_looks_for_garbage_while_there_is_much_to_go_over(
    operations: int, *, looks: bool
) -> None:
    with uncollected(operations):
        assert gc.isenabled() is looks
    assert gc.isenabled()


def test_it_is_looked_for_again_after_an_error() -> None:
    with pytest.raises(KeyError), uncollected(1000):
        raise KeyError
    assert gc.isenabled()


def test_who_has_switched_it_off_keeps_it_off() -> None:
    gc.disable()
    with uncollected(1000):
        assert not gc.isenabled()
    assert not gc.isenabled()
