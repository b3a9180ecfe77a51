"""Annotations of plain data, whose values are recognised without a library.

Plain are None, bool, int, float, str, lists, and dicts with text as keys, nested as you like. What
is recognised here is recorded, restored and validated as it is, exactly as pydantic would do it.
What is not may still fit by pydantic's rules, say digits as a number: that is for ``typed``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

Recogniser = Callable[[Any], bool]
"""Says whether a value is what an annotation says, without any conversion."""

# What is beyond is not read alike by everybody.
_LONGEST: Final = 2**63


def recogniser_of(annotation: object) -> Recogniser | None:
    """Return what recognises the values of an annotation; None if it is not one of plain data."""
    if annotation is Any:
        return _is_plain
    parts = get_args(annotation)
    if not parts:
        return _RECOGNISERS.get(annotation) if isinstance(annotation, type) else None
    found = [each for each in map(recogniser_of, parts) if each is not None]
    return _compound(get_origin(annotation), parts, found) if len(found) == len(parts) else None


def is_plain(value: object) -> bool:
    """Say whether a value is plain data through and through."""
    return recognised(_is_plain, value)


def recognised(recogniser: Recogniser, value: object) -> bool:
    """Say whether a value is recognised; what nests too deeply or holds itself is not."""
    try:
        return recogniser(value)
    except RecursionError:
        return False


def _compound(
    origin: object, parts: tuple[object, ...], inner: list[Recogniser]
) -> Recogniser | None:
    if origin is Union or origin is UnionType:
        return lambda value: any(each(value) for each in inner)
    if origin is list:
        return _list_of(inner[0])
    if origin is dict and parts[0] is str:
        return _dict_of(inner[1])
    return None


def _is_plain(value: object) -> bool:
    recogniser = _RECOGNISERS.get(type(value))
    return recogniser is not None and recogniser(value)


def _list_of(inner: Recogniser) -> Recogniser:
    return lambda value: type(value) is list and all(map(inner, value))


def _dict_of(inner: Recogniser) -> Recogniser:
    return lambda value: (
        type(value) is dict and all(map(_is_text, value)) and all(map(inner, value.values()))
    )


def _is_text(value: object) -> bool:
    if type(value) is not str:
        return False
    try:
        # A lone surrogate is no text; what is ASCII has none, and says so at once.
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


_RECOGNISERS: Final[dict[type, Recogniser]] = {
    NoneType: lambda value: value is None,
    bool: lambda value: type(value) is bool,
    int: lambda value: type(value) is int and -_LONGEST < value < _LONGEST,
    float: lambda value: type(value) is float and math.isfinite(value),
    str: _is_text,
    list: _list_of(_is_plain),
    dict: _dict_of(_is_plain),
}
