"""Sizes and units by DynamoDB's rules, and what SQS bills."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bench.metering.sizes import (
    item_size,
    read_units,
    sqs_requests,
    value_size,
    write_units,
)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "abc"}, 3),
        ({"S": "ü€"}, 5),
        ({"N": "0"}, 1),
        ({"N": "7"}, 2),
        ({"N": "27"}, 2),
        ({"N": "127"}, 3),
        ({"N": "-27"}, 3),
        ({"N": "1763700000000"}, 4),
        ({"N": "0.0050"}, 2),
        ({"N": "12e5"}, 2),
        ({"N": "1" * 60}, 21),
        ({"B": b"1234"}, 4),
        ({"B": base64.b64encode(b"1234").decode()}, 4),
        ({"NULL": True}, 1),
        ({"BOOL": False}, 1),
        ({"L": []}, 3),
        ({"L": [{"S": "ab"}, {"N": "1"}]}, 3 + 1 + 2 + 1 + 2),
        ({"M": {"t": {"S": "ab"}}}, 3 + 1 + 1 + 2),
        ({"SS": ["ab", "c"]}, 3),
        ({"NS": ["1", "22"]}, 4),
        ({"BS": [b"12"]}, 2),
    ],
)
def test_a_value_has_the_size_of_its_type(value: dict[str, Any], size: int) -> None:
    assert value_size(value) == size


def test_a_type_that_dynamodb_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="no type 'X'"):
        value_size({"X": "1"})


def test_an_item_is_as_large_as_its_names_and_values() -> None:
    assert item_size({"PK": {"S": "RUN#1"}, "gen": {"N": "0"}}) == 2 + 5 + 3 + 1


@pytest.mark.parametrize(
    ("sizes", "units"), [((), 1), ((0,), 1), ((1024,), 1), ((1025,), 2), ((10, 3000), 3)]
)
def test_a_write_takes_a_unit_per_kilobyte_of_the_larger_item(
    sizes: tuple[int, ...], units: int
) -> None:
    assert write_units(*sizes) == units


@pytest.mark.parametrize(
    ("sizes", "units"), [([], 1), ([4096], 1), ([4000, 97], 2), ([1] * 5000, 2)]
)
def test_a_query_takes_a_unit_per_four_kilobytes_of_all_its_items(
    sizes: list[int], units: int
) -> None:
    assert read_units(sizes, consistent=True) == units
    assert read_units(sizes, consistent=False) == units / 2


@pytest.mark.parametrize(
    ("bodies", "requests"),
    [(["x"], 1), (["x"] * 10, 1), (["x" * 65_536], 1), (["x" * 65_536, "y"], 2)],
)
def test_sqs_bills_a_request_per_64_kilobytes(bodies: list[str], requests: int) -> None:
    assert sqs_requests(bodies) == requests
