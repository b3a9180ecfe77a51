"""Whatever value a step returns: it comes back, or it is refused; it never comes back changed."""

import dataclasses
import random
from datetime import UTC
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from everstep.core import codec
from everstep.core.shapes import Shape, call_digest


class Inner(BaseModel):
    name: str
    data: bytes | None = None


class Outer(BaseModel):
    inner: Inner
    by_key: dict[int, tuple[float, Inner]]
    some: set[str] | None


@dataclasses.dataclass
class Pair:
    left: Outer
    right: list["Pair"]


LEAVES: Final = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.dates(),
    st.datetimes(timezones=st.sampled_from([None, UTC])),
    st.times(),
    st.timedeltas(),
    st.decimals(allow_nan=False),
    st.uuids(),
)
KEYS: Final = LEAVES | st.tuples(LEAVES, LEAVES) | st.frozensets(LEAVES, max_size=3)
VALUES: Final = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.dictionaries(st.text(), inner, max_size=4)
        | st.dictionaries(st.sampled_from(["$map", "$tuple", "$set", "$x"]), inner, max_size=1)
        | st.sets(KEYS, max_size=4)
    ),
    max_leaves=20,
)
OUTERS: Final = st.builds(
    Outer,
    inner=st.builds(Inner),
    by_key=st.dictionaries(
        st.integers(), st.tuples(st.floats(allow_nan=False), st.builds(Inner)), max_size=3
    ),
    some=st.none() | st.sets(st.text(), max_size=3),
)
PAIRS: Final = st.recursive(
    st.builds(Pair, left=OUTERS, right=st.just([])),
    lambda inner: st.builds(Pair, left=OUTERS, right=st.lists(inner, max_size=2)),
    max_leaves=4,
)


def exactly(value: object) -> object:
    """Return the value with the type of every part beside it, so that 1 and True differ."""
    match value:
        case dict():
            return (dict, [(exactly(key), exactly(item)) for key, item in value.items()])
        case list() | tuple():
            return (type(value), [exactly(item) for item in value])
        case set() | frozenset():
            return (type(value), sorted(repr(exactly(item)) for item in value))
        case _:
            return (type(value), value, getattr(value, "fold", None))


@given(VALUES)
def test_an_untyped_value_comes_back_exactly(value: object) -> None:
    assert exactly(codec.decode(codec.encode(value))) == exactly(value)


@given(VALUES)
def test_what_comes_back_hashes_as_before(value: object) -> None:
    assert codec.digest(codec.decode(codec.encode(value))) == codec.digest(value)


@given(VALUES, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_change_a_hash(value: object, chance: random.Random) -> None:
    assert codec.digest(shuffled(value, chance)) == codec.digest(value)


def shuffled(value: Any, chance: random.Random) -> Any:  # noqa: ANN401
    """Return an equal value with every dict in another order."""
    match value:
        case dict():
            items = [(key, shuffled(item, chance)) for key, item in value.items()]
            chance.shuffle(items)
            return dict(items)
        case list():
            return [shuffled(item, chance) for item in value]
        case tuple():
            return tuple(shuffled(item, chance) for item in value)
        case _:
            return value


@given(PAIRS)
def test_a_typed_value_comes_back_equal(value: Pair) -> None:
    shape: Shape[Pair] = Shape(Pair)
    back = shape.decode(shape.encode(value))

    assert back == value
    assert call_digest({"x": back}) == call_digest({"x": value})


@given(VALUES)
def test_whatever_is_recorded_can_be_shown(value: object) -> None:
    assert codec.dumps(codec.plain(value))


@given(st.text(), st.text())
def test_different_texts_hash_apart(one: str, other: str) -> None:
    assert (codec.digest(one) == codec.digest(other)) == (one == other)
