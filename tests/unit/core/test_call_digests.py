"""Hashes of what a step is called with: stable, telling, and without any value."""

import collections
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import (
    HttpUrl,
    SecretStr,
)

from everstep.core import codec
from everstep.core.errors import SerializationError
from everstep.core.shapes import call_digest, changed_arguments
from tests.unit.core.values import (
    ORDER,
    Colour,
    Money,
    NoSchema,
    Numbers,
    Order,
    Parent,
    Percent,
    Point,
    Twin,
)


def arguments(*values: object, **named: object) -> dict[str, object]:
    """Name the values by their place."""
    return {str(at): value for at, value in enumerate(values, 1)} | named


@pytest.mark.parametrize(
    "value",
    [
        ORDER,
        Money(amount=Decimal(1), currency=""),
        Numbers([1]),
        Colour.RED,
        Point(1),
        Percent(5),
        Path("/a"),
        HttpUrl("http://a.example"),
        SecretStr("x"),
        collections.defaultdict(int, a=1),
        collections.deque([1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_arguments_of_every_sensible_type_have_a_stable_hash(value: object) -> None:
    assert call_digest(arguments(value)) == call_digest(arguments(value))


@pytest.mark.parametrize(
    "value",
    [NoSchema(), (x for x in "ab"), iter([1]), map(str, [1]), Order],
    ids=lambda value: type(value).__name__,
)
def test_arguments_without_a_stable_form_are_refused_by_position(value: object) -> None:
    with pytest.raises(SerializationError, match=r"argument 2: a .* cannot be recorded"):
        call_digest(arguments(1, value))


def test_hashing_does_not_use_an_iterator_up() -> None:
    numbers = iter([1, 2])

    with pytest.raises(SerializationError):
        call_digest(arguments(numbers))

    assert list(numbers) == [1, 2]


def test_models_of_different_classes_hash_apart() -> None:
    assert call_digest(arguments(Parent(name="n"))) != call_digest(arguments(Twin(name="n")))


def test_the_order_of_keywords_makes_no_difference() -> None:
    assert call_digest({"a": 1, "b": 2}) == call_digest({"b": 2, "a": 1})


def test_a_changed_argument_is_named() -> None:
    recorded, asked = call_digest(arguments(1, 2, c=3)), call_digest(arguments(1, 5, d=3))

    assert changed_arguments(recorded, asked) == "argument 2, argument c, argument d"


def test_many_arguments_share_one_hash_which_names_none() -> None:
    few, many = call_digest(arguments(1)), call_digest(arguments(*range(50)))

    assert len(many) == 22
    assert changed_arguments(many, call_digest(arguments(*range(51)))) == "the arguments"
    assert changed_arguments(few, few) == "the arguments"


def test_a_hash_reveals_no_value() -> None:
    assert "secret" not in call_digest(arguments(SecretStr("secret"), "secret"))


def test_the_hash_of_a_value_does_not_depend_on_the_process() -> None:
    # A golden value: histories that are recorded today must replay in every later release.
    assert call_digest(arguments(ORDER, {"b": 1, "a": {2, 1}}, flag=True)) == (
        "1=qNdpquwSwa2j,2=wpuF-_vTOnRz,flag=tb6kG2xiP3wJ"
    )
    assert codec.digest([1, "ä", None]) == "CmrA9Fx3ZbCOdti_vjSm-Q"
