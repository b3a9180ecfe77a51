"""Bodies: bytes to JSON data, refusing whatever could not be recorded later."""

from __future__ import annotations

import json
import math
from typing import Any, Final, NoReturn

from everstep.core.errors import PayloadTooLargeError
from everstep.http.faults import MalformedBodyError, UnsupportedMediaTypeError

DEEPEST: Final = 100
"""Levels of lists and objects; far below what the interpreter's stack can take."""
_JSON: Final = "application/json"
_UTF_8: Final = ("utf-8", "utf8")


def read_json(body: bytes, content_type: str | None, limit: int) -> Any:  # noqa: ANN401 - JSON
    """Return the data of a body; None for an empty one.

    Args:
        body: The bytes that came.
        content_type: The header of that name.
        limit: Most bytes to accept.

    Raises:
        UnsupportedMediaTypeError: Not JSON by its header, or not in UTF-8.
        PayloadTooLargeError: Over the limit; nothing was read.
        MalformedBodyError: Not UTF-8, not JSON, or JSON that cannot be recorded.
    """
    if not body.strip():
        return None
    _check_type(content_type)
    if len(body) > limit:
        raise PayloadTooLargeError("the body", len(body), limit)
    try:
        text = body.decode()
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise MalformedBodyError(f"the body is not UTF-8: byte {error.start} is wrong") from error
    except (ValueError, RecursionError) as error:
        raise MalformedBodyError(f"the body is not JSON: {_reason(error)}") from error
    _check_depth(text, value)
    _check_surrogates(text, value)
    return value


def _check_type(content_type: str | None) -> None:
    if content_type is None:
        return
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [part[8:].strip('"') for part in parameters if part.startswith("charset=")]
    if media != _JSON or any(charset not in _UTF_8 for charset in charsets):
        raise UnsupportedMediaTypeError(
            f"the Content-Type must be {_JSON} (in UTF-8) or missing, not {content_type[:80]!r}"
        )


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits[:40]} is too large a number")
    return value


def _reason(error: ValueError | RecursionError) -> str:
    return str(error) if isinstance(error, ValueError) else "it nests too deeply"


def _check_depth(text: str, value: object) -> None:
    """Refuse deep nesting. Counting brackets is cheap, and nearly always enough."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    raise MalformedBodyError(f"the body nests deeper than {DEEPEST} levels")


def _inside(value: object) -> list[object]:
    """Return the lists and objects directly inside one."""
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [item for item in items if isinstance(item, dict | list)]


def _check_surrogates(text: str, value: object) -> None:
    """Refuse half a character, which JSON can escape and no store can keep."""
    if "\\ud" not in text.lower():
        return
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise MalformedBodyError(
            "the body holds a lone surrogate (\\ud800 to \\udfff), which is no valid Unicode"
        ) from error
