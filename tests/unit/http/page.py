"""Requests and responses shown on a page of the documentation, as text and as what they mean.

A block fenced as ``http`` is a request if its first line names a method, and the answer to the
request before it if it begins with the protocol. Of an answer's headers only those shown count.
A comment ``<!-- meanwhile: … -->`` says what happens before the next request.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PART: Final = re.compile(
    r"^```http\n(?P<http>.*?)^```$|^<!-- meanwhile: (?P<what>.*?) -->$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanwhile:
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRequest:
    method: str
    target: str
    headers: dict[str, str]
    body: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownAnswer:
    status: int
    headers: dict[str, str]
    body: Any


def parts_of(page: Path) -> Iterator[Meanwhile | ShownRequest | ShownAnswer]:
    """Yield what a page shows, in order."""
    for found in _PART.finditer(page.read_text(encoding="utf-8")):
        if found["what"]:
            yield Meanwhile(what=found["what"])
            continue
        head, _, body = found["http"].partition("\n\n")
        first, *lines = head.strip().splitlines()
        headers = dict(line.split(": ", 1) for line in lines)
        if first.startswith("HTTP/"):
            shown = json.loads(body) if body.strip() else None
            yield ShownAnswer(status=int(first.split()[1]), headers=headers, body=shown)
        else:
            method, target = first.split()
            yield ShownRequest(
                method=method, target=target, headers=headers, body=body.strip() or None
            )
