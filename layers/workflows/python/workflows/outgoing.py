"""HTTP requests to addresses that come from outside: never to this network's own.

A workflow whose input holds a URL could be used to reach what only this function can reach:
metadata services, databases, neighbours. So the address that a connection really has is checked
after it was made and before a byte is sent, which no DNS trick can change; redirects are not
followed. Loopback is allowed only where the AWS services themselves are on loopback: LocalStack.
"""

from __future__ import annotations

import json
import os
import socket
from http.client import HTTPConnection, HTTPSConnection
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

_TIMEOUT: Final = 10.0
_LARGEST: Final = 1024 * 1024
_GOOD: Final = range(200, 300)
_TRY_AGAIN: Final = frozenset({408, 425, 429})
_SERVER_ERRORS: Final = 500


class ForbiddenAddressError(Exception):
    """The URL leads to an address that workflows may not call."""


class HttpStatusError(Exception):
    """The server answered with an error.

    Attributes:
        status: The HTTP status.
        final: Whether asking again is of no use.
        retry_after: After how many seconds the server wants to be asked again, if it says so.
    """

    def __init__(self, method: str, host: str, status: int, retry_after: int | None = None) -> None:
        """Name the call without its path, which may hold secrets."""
        self.status = status
        self.retry_after = retry_after
        self.final = status < _SERVER_ERRORS and status not in _TRY_AGAIN
        super().__init__(f"{method} {host} answered {status}")


def request_json(method: str, url: str, body: object = None, *, key: str) -> Any:  # noqa: ANN401 - JSON
    """Send a JSON request and return the JSON answer.

    Args:
        method: HTTP method.
        url: http or https.
        body: Sent as JSON, if given.
        key: Sent as ``Idempotency-Key``.

    Raises:
        ForbiddenAddressError: The URL is none, or leads to an internal address.
        HttpStatusError: The server answered with an error or a redirect.
        OSError: The server could not be reached.
        ValueError: The answer is too large or no JSON.
    """
    parts = urlsplit(url)
    connection = _connection(parts.scheme, parts.hostname, parts.port)
    headers = {"Accept": "application/json", "Idempotency-Key": key}
    payload = None
    if body is not None:
        payload = json.dumps(body)
        headers["Content-Type"] = "application/json"
    try:
        path = parts.path or "/"
        connection.request(
            method, f"{path}?{parts.query}" if parts.query else path, payload, headers
        )
        answer = connection.getresponse()
        text = answer.read(_LARGEST + 1)
    finally:
        connection.close()
    if answer.status not in _GOOD:
        after = _seconds(answer.getheader("Retry-After"))
        raise HttpStatusError(method, str(parts.hostname), answer.status, after)
    if len(text) > _LARGEST:
        raise ValueError(f"the answer of {parts.hostname} is larger than {_LARGEST} bytes")
    return json.loads(text) if text else None


def _seconds(header: str | None) -> int | None:
    """Return a delay; one given as a date is left to the retry policy."""
    return int(header) if header and header.isdecimal() else None


def _connection(scheme: str, host: str | None, port: int | None) -> HTTPConnection:
    if not host or scheme not in ("http", "https"):
        raise ForbiddenAddressError("the URL must be http or https, with a host")
    kind = HTTPSConnection if scheme == "https" else HTTPConnection
    connection = kind(host, port, timeout=_TIMEOUT)
    # Between the TCP connection and TLS: the one place where http.client lets somebody look.
    connection._create_connection = _connect  # type: ignore[attr-defined]  # noqa: SLF001
    return connection


def _connect(address: tuple[str, int], timeout: float, _source: object = None) -> socket.socket:
    connected = socket.create_connection(address, timeout)
    try:
        _check(str(connected.getpeername()[0]))
    except ForbiddenAddressError:
        connected.close()
        raise
    return connected


def _check(peer: str) -> None:
    address = ip_address(peer.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_global and not address.is_multicast:
        return
    if address.is_loopback and _runs_locally():
        return
    raise ForbiddenAddressError("the URL leads to an internal address")


def _runs_locally() -> bool:
    host = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname
    return host in {"127.0.0.1", "::1", "localhost"}
