"""Something holds while a block runs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

import pytest

from everstep.core.scoped import scoped

COLOUR: Final[ContextVar[str]] = ContextVar("colour", default="none")


def test_a_variable_is_set_for_a_block_and_put_back_after_it() -> None:
    with scoped(COLOUR, "red") as outer:
        with scoped(COLOUR, "blue"):
            assert COLOUR.get() == "blue"
        assert COLOUR.get() == outer == "red"
    assert COLOUR.get() == "none"


def test_it_is_put_back_also_after_an_error() -> None:
    with pytest.raises(KeyError), scoped(COLOUR, "red"):
        raise KeyError
    assert COLOUR.get() == "none"
