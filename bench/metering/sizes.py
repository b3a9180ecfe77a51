"""How large an item is for DynamoDB, and how many units it takes to read or write it.

The rules are those of the developer guide, "DynamoDB item sizes and formats". Where it says
"approximately" (numbers), the upper end is taken.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WRITE_UNIT: Final = 1024
READ_UNIT: Final = 4096
SQS_CHUNK: Final = 64 * 1024
_CONTAINER: Final = 3
_ELEMENT: Final = 1
_LARGEST_NUMBER: Final = 21


def item_size(item: Mapping[str, Any]) -> int:
    """Return the bytes of an item: names and values of its attributes."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value: Mapping[str, Any]) -> int:
    """Return the bytes of an attribute's value, as the low-level client writes it.

    Raises:
        ValueError: It is of a type that DynamoDB does not have.
    """
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return _number_size(content)
        case "B":
            return _binary_size(content)
        case "NULL" | "BOOL":
            return 1
        case "L":
            return _CONTAINER + sum(_ELEMENT + value_size(each) for each in content)
        case "M":
            return _CONTAINER + sum(
                _ELEMENT + len(name.encode()) + value_size(each) for name, each in content.items()
            )
        case "SS" | "NS" | "BS":
            return sum(value_size({kind[0]: each}) for each in content)
        case _:
            raise ValueError(f"DynamoDB has no type {kind!r}")


def write_units(*sizes: int) -> int:
    """Return what a write takes: by the larger of the item before and after it, at least one."""
    return max(1, -(-max(sizes, default=0) // WRITE_UNIT))


def read_units(sizes: Iterable[int], *, consistent: bool) -> float:
    """Return what one request takes that reads items of these sizes: their sum, rounded up."""
    units = max(1, -(-sum(sizes) // READ_UNIT))
    return units if consistent else units / 2


def sqs_requests(bodies: Iterable[str]) -> int:
    """Return how many requests SQS bills for one that carries these messages."""
    return max(1, -(-sum(len(body.encode()) for body in bodies) // SQS_CHUNK))


def _number_size(number: str) -> int:
    mantissa = number.lower().partition("e")[0]
    digits = mantissa.lstrip("-+").replace(".", "").strip("0")
    size = 1 + -(-len(digits) // 2) + mantissa.startswith("-")
    return min(size, _LARGEST_NUMBER)


def _binary_size(content: bytes | str) -> int:
    return len(base64.b64decode(content)) if isinstance(content, str) else len(content)
