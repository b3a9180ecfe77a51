"""JSON as people give it: written out, from a file, or from standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from everstep.cli.exits import usage
from everstep.core.errors import RequestError
from everstep.http.bodies import read_json

_NO_LIMIT = 2**31


def json_of(given: str, option: str) -> Any:  # noqa: ANN401 - JSON
    """Return the data that was given: JSON, ``@file``, or ``-`` for standard input.

    Args:
        given: What was typed.
        option: What it was given to.

    Raises:
        CommandError: It is no JSON, or cannot be read.
    """
    body, where = _read(given, option)
    if not body.strip():
        raise usage(f"{option} is empty{where}; null is written null")
    try:
        return read_json(body, None, _NO_LIMIT)
    except RequestError as error:
        hint = "" if where else "; text stands in quotes: '\"text\"'"
        reason = str(error).removeprefix("the body ")
        raise usage(f"{option}{where} {reason}{hint}") from error


def _read(given: str, option: str) -> tuple[bytes, str]:
    if given == "-":
        return sys.stdin.buffer.read(), " from standard input"
    if not given.startswith("@"):
        return given.encode(errors="surrogateescape"), ""
    path = Path(given[1:])
    try:
        return path.read_bytes(), f" from {path}"
    except OSError as error:
        raise usage(f"{option}: {path} cannot be read: {error.strerror}") from error
