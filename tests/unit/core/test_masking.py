"""Recorded text can be shown to people without its secrets, and still be read as it was."""

import math

import pytest
from pydantic import SecretBytes, SecretStr

from everstep.core import codec


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ((1, math.inf), (1, math.inf)),
        ({"a": SecretStr("x")}, {"a": SecretStr(codec.MASK)}),
        ([SecretBytes(b"x"), b"x"], [SecretBytes(codec.MASK.encode()), b"x"]),
        ({"$secret": "not one"}, {"$secret": "not one"}),
    ],
    ids=repr,
)
def test_secrets_are_masked_and_all_else_comes_back(value: object, shown: object) -> None:
    data = codec.masked(codec.encode(value))
    assert codec.decode(codec.dumps(data)) == shown
