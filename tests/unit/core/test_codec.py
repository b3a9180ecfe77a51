"""Untyped values are recorded exactly, or refused with the place where the trouble sits."""

import collections
import enum
import json
import math
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, SecretBytes, SecretStr

from everstep.core import codec
from everstep.core.errors import SerializationError


class Colour(enum.StrEnum):
    RED = "red"


class Point(NamedTuple):
    x: int


class Text(str):
    __slots__ = ()


class Model(BaseModel):
    x: int


class Plain:
    """Nothing that the codec knows."""

    def __repr__(self) -> str:
        return "Plain()"

    def __str__(self) -> str:
        return "plain"


EXACT: list[Any] = [
    None,
    True,
    0,
    -(2**80),
    0.1,
    -0.0,
    math.inf,
    -math.inf,
    "",
    "äö\n\u2028😀",
    b"\x00\xff",
    bytearray(b"x"),
    [],
    [1, [2, [None]]],
    (),
    (1, (2,)),
    {},
    {"a": {"b": 1}},
    {"$tuple": [1]},
    {"$unknown": 1},
    {"$a": 1, "$b": 2},
    {1: "a", None: "b", (1, 2): "c", 1.5: "d", b"x": "e", date(2026, 1, 1): "f"},
    {True: 1},
    {frozenset({1}): {frozenset()}},
    set(),
    {1, "a", None},
    frozenset({1, (2, 3)}),
    datetime(2026, 1, 1, 1, 2, 3, 4, tzinfo=UTC),
    datetime(2026, 1, 1),  # noqa: DTZ001 - a naive one is a value too
    date(2026, 1, 1),
    time(1, 2, tzinfo=UTC),
    timedelta(days=99999, microseconds=-1),
    Decimal("1.10"),
    Decimal("-Infinity"),
    uuid.UUID(int=1),
    SecretStr("s"),
    SecretBytes(b"\xff"),
]


@pytest.mark.parametrize("value", EXACT, ids=repr)
def test_a_plain_value_comes_back_exactly(value: object) -> None:
    back = codec.decode(codec.encode(value))

    assert back == value
    assert type(back) is type(value)


def test_nan_comes_back_as_nan() -> None:
    assert math.isnan(codec.decode(codec.encode(math.nan)))


def test_a_time_zone_comes_back_as_its_offset() -> None:
    there = datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Berlin"))

    back = codec.decode(codec.encode(there))

    assert back == there
    assert back.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize(
    "value",
    [
        Colour.RED,
        Point(1),
        Text("x"),
        collections.OrderedDict(a=1),
        collections.defaultdict(int),
        collections.Counter("a"),
        Model(x=1),
        Plain(),
        Plain,
        object(),
        range(3),
        1j,
        memoryview(b"x"),
        (x for x in "a"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_would_come_back_as_something_else_is_refused(value: object) -> None:
    with pytest.raises(SerializationError, match=r"at \$\.a\[1\] cannot be recorded.*annotate"):
        codec.encode({"a": [0, value]})


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("\ud800", r"\$ holds"),
        (["a\udfff"], r"\$\[0\] holds"),
        ({"\ud800": 1}, r"\$ holds"),
        ({"a": {"b": "\ud800"}}, r"\$\.a\.b holds"),
    ],
)
def test_a_lone_surrogate_is_refused_with_its_place(value: object, place: str) -> None:
    with pytest.raises(SerializationError, match=f"{place} a lone surrogate"):
        codec.encode(value)


def test_deep_nesting_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(SerializationError, match="nests too deeply"):
        codec.encode(deep)


def test_a_value_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["self"] = [loop]

    with pytest.raises(SerializationError, match="refers to itself"):
        codec.encode(loop)


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(SerializationError, match="limit"):
        codec.encode(10**5000)
    with pytest.raises(SerializationError, match="limit"):
        codec.digest(10**5000)


def test_text_stays_readable_in_the_record() -> None:
    assert codec.encode({"name": "Müller"}) == '{"name":"Müller"}'


def test_equal_values_hash_equal_whatever_the_order_of_their_keys() -> None:
    one = {"a": 1, "m": {1: {"x", "y"}, (2, 3): [{4: 5, 6: 7}]}}
    other = {"m": {(2, 3): [{6: 7, 4: 5}], 1: {"y", "x"}}, "a": 1}

    assert codec.digest(one) == codec.digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1], (1,)),
        (1, "1"),
        (1, True),
        ({1}, frozenset({1})),
        ("a", b"a"),
        ({"$tuple": [1]}, (1,)),
        ([1, 2], [2, 1]),
        (None, "null"),
    ],
    ids=repr,
)
def test_different_values_hash_apart(one: object, other: object) -> None:
    assert codec.digest(one) != codec.digest(other)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (1.5, 1.5),
        (math.nan, "nan"),
        (SecretStr("x"), codec.MASK),
        ({"a": SecretBytes(b"x")}, {"a": codec.MASK}),
        (timedelta(minutes=1), 60.0),
        (b"\xff", "/w=="),
        (bytearray(b"\xff"), "/w=="),
        (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"),
        (date(2026, 1, 1), "2026-01-01"),
        (time(1), "01:00:00"),
        ({1: "a", (1, 2): "b", "c": 3}, {"1": "a", "[1, 2]": "b", "c": 3}),
        ((1, [2]), [1, [2]]),
        ({7}, [7]),
        (Decimal("1.10"), "1.10"),
        (uuid.UUID(int=0), "00000000-0000-0000-0000-000000000000"),
        (Plain(), "plain"),
    ],
    ids=repr,
)
def test_people_see_ordinary_json_without_secrets(value: object, shown: object) -> None:
    assert codec.plain(value) == shown


@pytest.mark.parametrize("text", [" 1", "1 ", '\n{"a": 1}\n'])
def test_blanks_around_a_recorded_text_do_not_count(text: str) -> None:
    assert codec.decode(text) == json.loads(text)


@pytest.mark.parametrize("text", ["", "1 2", "[1", "word"])
def test_what_is_no_json_is_no_recorded_text(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        codec.decode(text)
