"""Typed values come back as they were, by their annotation, or are refused."""

import collections
import math
import re
import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretBytes,
    SecretStr,
    field_serializer,
)
from pydantic_core import core_schema

from everstep.core.errors import DefinitionError, InvalidInputError, SerializationError
from everstep.core.shapes import Shape, shape_of
from tests.unit.core.values import (
    ORDER,
    PLUS_FIVE,
    Aliased,
    Box,
    Cat,
    Child,
    Colour,
    Computed,
    Dog,
    Holder,
    Level,
    Line,
    Loose,
    Money,
    NoSchema,
    Noted,
    Numbers,
    Order,
    Parent,
    Partial,
    Patch,
    Point,
    Raw,
    Reading,
    Strict,
    Twin,
    Unit,
)

ROUND_TRIPS: list[tuple[object, object]] = [
    (Order, ORDER),
    (Aliased, Aliased.model_validate({"Both": 1, "in": 2})),
    (
        Strict,
        Strict(
            colour=Colour.RED,
            when=datetime(2026, 1, 1, tzinfo=UTC),
            place=Path("/a"),
            link=HttpUrl("http://a.example/"),
            line=ORDER.lines[0],
            point=Point(1),
            unique=frozenset({1}),
        ),
    ),
    (Computed, Computed(side=3)),
    (Raw, Raw(data=b"\xff\x00", secret=SecretStr("x"))),
    (Annotated[Cat | Dog, Field(discriminator="kind")], Dog(name="x")),
    (Cat | Dog, Dog(name="x")),
    (Order | None, None),
    (Box[datetime], Box[datetime](content=datetime(2026, 1, 1, tzinfo=PLUS_FIVE))),
    (Box[Box[int]], Box[Box[int]](content=Box[int](content=1))),
    (Numbers, Numbers([1, 2])),
    (Holder, Holder(part=Parent(name="p"))),
    (Money, Money(amount=Decimal("0.00"), currency="")),
    (Patch, {"name": "n", "colour": Colour.RED}),
    (Patch, {"name": "n"}),
    (Point, Point(1, "a")),
    (list[Point], [Point(1)]),
    (Colour, Colour.DEEP),
    (Level, Level.LOW),
    (Unit, Unit.KILO),
    (dict[Colour, int], {Colour.RED: 1}),
    (dict[int, str], {1: "a", -2: "b"}),
    (dict[tuple[int, str], float], {(1, "a"): 0.5}),
    (tuple[int, str], (1, "a")),
    (tuple[int, ...], (1, 2)),
    (set[int], {1, 2}),
    (frozenset[str], frozenset({"a"})),
    (set[frozenset[int]], {frozenset({1})}),
    (collections.deque[int], collections.deque([1, 2])),
    (Sequence[int], (1, 2)),
    (bytes, b"\xff\xfe"),
    (Decimal, Decimal("1E+3")),
    (datetime, datetime(2026, 7, 1, 12, 30, 15, 123456, tzinfo=PLUS_FIVE)),
    (date, date(2026, 1, 1)),
    (time, time(1, 2, 3, 4)),
    (timedelta, timedelta(days=-1, microseconds=1)),
    (uuid.UUID, uuid.UUID(int=7)),
    (Path, Path("/a/b")),
    (HttpUrl, HttpUrl("https://a.example/x?y=1")),
    (re.Pattern[str], re.compile("a+")),
    (SecretStr, SecretStr("x")),
    (SecretBytes, SecretBytes(b"\xff")),
    (Literal["a", 1], 1),
    (int | str, "1"),
    (int | str, 1),
    (date | datetime, datetime(2026, 1, 1)),  # noqa: DTZ001 - a naive one is a value too
    (bool | int, True),
    (float, 1),
    (float, math.inf),
    (None, None),
    (Any, [1, {"a": (2, None)}]),
    (dict[str, Any], {"a": [1, (2,)], "$x": None}),
]


def round_trip(annotation: object, value: object) -> object:
    shape: Shape[object] = Shape(annotation)
    return shape.decode(shape.encode(value))


@pytest.mark.parametrize(
    ("annotation", "value"),
    ROUND_TRIPS,
    ids=[f"{at}-{type(value).__name__}" for at, (_, value) in enumerate(ROUND_TRIPS)],
)
def test_a_typed_value_comes_back_equal_and_of_its_type(annotation: object, value: object) -> None:
    back = round_trip(annotation, value)

    assert back == value
    assert type(back) is type(value) or annotation is float


def test_nan_comes_back_as_nan_wherever_it_stands() -> None:
    back = round_trip(dict[str, list[Reading]], {"a": [Reading(math.nan)]})

    assert isinstance(back, dict)
    assert math.isnan(back["a"][0].value)


def test_private_attributes_are_no_part_of_the_value() -> None:
    back = round_trip(list[Noted], [Noted(name="n")])

    assert isinstance(back, list)
    assert back[0].name == "n"


def test_a_class_without_equality_is_taken_at_its_word() -> None:
    class Opaque:
        @classmethod
        def __get_pydantic_core_schema__(cls, *_: object) -> core_schema.CoreSchema:
            return core_schema.no_info_plain_validator_function(
                lambda _: cls(),
                serialization=core_schema.plain_serializer_function_ser_schema(lambda _: "opaque"),
            )

    assert isinstance(round_trip(Opaque, Opaque()), Opaque)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (Parent, Child(name="n", age=1)),
        (Holder, Holder(part=Child(name="n", age=1))),
        (Parent | Twin, Twin(name="n")),
        (Partial, Partial(kept=1, lost=2)),
        (Loose, Loose(value=Parent(name="n"))),
        (Loose, Loose(value=Colour.RED)),
        (dict[str, Any], {"a": Money(amount=Decimal(1), currency="")}),
        (object, Parent(name="n")),
        (Order, Cat(name="x")),
    ],
    ids=str,
)
def test_a_value_that_would_come_back_as_something_else_is_refused(
    annotation: object, value: object
) -> None:
    with pytest.raises(SerializationError, match="would not come back from the annotation"):
        Shape(annotation).encode(value)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [(int, "x"), (list[int], (1,)), (None, 1), (Order, "x")],
    ids=str,
)
def test_a_value_that_does_not_fit_its_annotation_is_refused(
    annotation: object, value: object
) -> None:
    with pytest.raises(SerializationError, match="does not fit the annotation"):
        Shape(annotation).encode(value)


def test_a_value_inside_a_typed_one_that_nothing_can_record_is_refused() -> None:
    with pytest.raises(SerializationError, match=r"a NoSchema at \$\.a cannot be recorded"):
        Shape(dict[str, Any]).encode({"a": NoSchema()})


def test_a_model_that_a_serializer_hands_out_as_it_is_is_refused() -> None:
    class Odd(BaseModel):
        value: int

        @field_serializer("value")
        def as_model(self, _value: int) -> Cat:
            return Cat(name="x")

    with pytest.raises(SerializationError, match=r"cannot be recorded|would not come back"):
        Shape(Odd).encode(Odd(value=1))


def test_a_recorded_value_that_no_longer_fits_says_what_changed() -> None:
    text = Shape(Parent).encode(Parent(name="n"))

    with pytest.raises(SerializationError, match=r"(?s)no longer fits .* Child.*age") as it:
        Shape(Child).decode(text)

    assert it.value.__cause__ is not None


@pytest.mark.parametrize("annotation", [NoSchema, list[NoSchema]], ids=str)
def test_an_annotation_that_cannot_be_recorded_is_a_definition_error(annotation: object) -> None:
    with pytest.raises(DefinitionError, match=r"NoSchema cannot be recorded|NoSchema"):
        Shape(annotation).check()


def test_no_annotation_needs_no_check() -> None:
    Shape(Any).check()


def test_foreign_json_is_validated_by_alias_and_by_name() -> None:
    shape: Shape[Aliased] = Shape(Aliased)

    assert shape.validate({"Both": 1, "in": 2}) == shape.validate({"both": 1, "apart": 2})


def test_foreign_json_spells_dates_bytes_and_decimals_as_text() -> None:
    shape: Shape[Any] = Shape(tuple[date, bytes, Decimal])

    assert shape.validate(["2026-01-01", "ab", "1.5"]) == (date(2026, 1, 1), b"ab", Decimal("1.5"))


def test_json_is_accepted_where_a_strict_model_wants_python_types() -> None:
    class When(BaseModel):
        model_config = ConfigDict(strict=True)
        at: datetime

    assert Shape(When).validate({"at": "2026-01-01T00:00:00Z"})


def test_a_python_value_is_validated_as_one() -> None:
    with pytest.raises(InvalidInputError) as raised:
        Shape(Strict).validate({"colour": "red"}, from_json=False)

    assert raised.value.errors[0]["loc"] == ["colour"]


def test_wrong_input_names_every_field() -> None:
    with pytest.raises(InvalidInputError, match="2 mistakes") as raised:
        Shape(Line).validate({})

    assert [error["loc"] for error in raised.value.errors] == [["sku"], ["price"]]
    assert set(raised.value.errors[0]) == {"loc", "msg", "type"}


def test_a_single_mistake_is_counted_in_the_singular() -> None:
    with pytest.raises(InvalidInputError, match=r"1 mistake$"):
        Shape(int).validate("x")


@pytest.mark.parametrize("value", [{"a": math.nan}, {"a": "\ud800"}], ids=["nan", "surrogate"])
def test_what_is_no_json_is_invalid_input(value: object) -> None:
    with pytest.raises(InvalidInputError):
        Shape(dict[str, Any]).validate(value)


def test_without_annotation_anything_is_valid() -> None:
    assert Shape(Any).validate({"a": 1}) == {"a": 1}


def test_the_schema_is_that_of_the_annotation() -> None:
    assert Shape(int).schema() == {"type": "integer"}
    assert Shape(Any).schema() == {}


@pytest.mark.parametrize(
    ("annotation", "name"), [(Order, "Order"), (list[int], "list[int]"), (int | None, "int | None")]
)
def test_a_shape_is_called_as_a_person_would_write_it(annotation: object, name: str) -> None:
    assert str(Shape(annotation)) == name


def test_shapes_are_shared_where_the_annotation_can_be_hashed() -> None:
    unhashable = Annotated[int, []]

    assert shape_of(list[int]) is shape_of(list[int])
    assert shape_of(unhashable) is not shape_of(unhashable)
