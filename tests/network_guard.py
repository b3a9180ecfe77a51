"""Refuse network access below every library: no unit test depends on what is reachable."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Final

_NETWORK_EVENTS: Final = frozenset(
    {
        "socket.bind",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.sendmsg",
        "socket.sendto",
    }
)


class NetworkAccessDeniedError(RuntimeError):
    """A test without a network marker tried to open a connection."""


@dataclass(slots=True, kw_only=True)
class NetworkGuard:
    """Refuse or allow network access, process-wide.

    An audit hook sees what replaced classes do not: C extensions and references to `socket.socket`
    that were taken earlier. It cannot be removed, hence `allowed`. Socket pairs, which event loops
    need, connect to nothing and pass.
    """

    allowed: bool = True
    denied: list[str] = field(default_factory=list)
    installed: bool = False

    def install(self) -> None:
        """Start watching. A second call changes nothing."""
        if not self.installed:
            sys.addaudithook(self._on_event)
            self.installed = True

    def _on_event(self, event: str, arguments: tuple[object, ...]) -> None:
        if event not in _NETWORK_EVENTS or self.allowed:
            return
        target = next((each for each in arguments if isinstance(each, str | bytes | tuple)), "")
        attempt = f"{event} {target!r}"
        self.denied.append(attempt)
        message = f"no network in this test without a marker for it ({attempt})"
        raise NetworkAccessDeniedError(message)


GUARD: Final = NetworkGuard()
