"""What lies between a client and a deployment: one call out, one answer back.

There are two transports. Over both the same call has the same answer, and what is refused
raises the same error: ``RequestError`` for what the caller did wrong, ``UnavailableError`` when
nothing is known, ``AdapterError`` when repeating would not help.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from everstep.core.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NO_NAMES: Final = ("", ".", "..")
_TOKEN: Final = re.compile(r"(?<=/callbacks/)[^/]+")
"""As good as a password: it is not repeated to anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the API.

    Attributes:
        method: GET or POST.
        path: The path, its variable parts quoted; see ``path``.
        query: The query parameters.
        headers: What this call says beside them.
        body: JSON data; None for no body.
        patience: Seconds for which the other side may keep the answer back.
        repeatable: Whether the same call again is harmless.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    patience: float = 0
    repeatable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the status of HTTP, and the body's data."""

    status: int
    body: Mapping[str, Any]


class Transport(Protocol):
    """Carries calls to a deployment; may be used by several threads."""

    def send(self, call: Call) -> Answer:
        """Return the answer to a call.

        Raises:
            RequestError: The deployment refused; nothing was changed.
            UnavailableError: Nothing is known, however often it was tried.
            AdapterError: It failed, and the same call again would.
        """

    def close(self) -> None:
        """Let go of connections."""


def path(*segments: str) -> str:
    """Return a path of names and ids, whatever characters they are made of.

    Raises:
        InvalidRequestError: One of them cannot be a name or an id.
    """
    for each in segments:
        if each in _NO_NAMES:
            raise InvalidRequestError(f"{each!r} cannot be a name or an id")
    return "".join(f"/{quote(each, safe='')}" for each in segments)


def shown(path: str) -> str:
    """Return a path as errors name it."""
    return _TOKEN.sub("…", path)
