"""An HTTP server on loopback that hands requests to a plain Python object."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asked for.

    Attributes:
        method: HTTP method.
        path: The segments of the path, decoded.
        query: The parameters.
        key: The ``Idempotency-Key``.
        body: The JSON body, if there was one.
    """

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    key: str
    body: Any

    @property
    def line(self) -> str:
        """Return method and path, as logs show them."""
        return f"{self.method} /{'/'.join(self.path)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service says: a status, a JSON body, further headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Service(Protocol):
    """A service as the server sees it; called by one thread at a time."""

    def answer(self, request: Request) -> Answer:
        """Carry out a request."""


class Loopback:
    """Serves a service on a port of loopback."""

    def __init__(self, service: Service, port: int = 0) -> None:
        """Listen; on any free port if none is given."""
        self._service = service
        self._lock = Lock()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Return the base address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self) -> None:
        """Answer until the process is interrupted."""
        self._server.serve_forever()

    def take(self, request: Request) -> Answer:
        """Have a request answered, one at a time."""
        with self._lock:
            return self._service.answer(request)


def request_of(method: str, target: str, key: str, body: object) -> Request:
    """Return the request for a path with a query."""
    parts = urlsplit(target)
    return Request(
        method=method,
        path=tuple(unquote(part) for part in parts.path.lstrip("/").split("/")),
        query=dict(parse_qsl(parts.query)),
        key=key,
        body=body,
    )


class _Server(ThreadingHTTPServer):
    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing if the client was killed while it was connected."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # as they came


def _handler(server: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            key = self.headers.get("Idempotency-Key", "")
            body = json.loads(text) if text else None
            answer = server.take(request_of(self.command, self.path, key, body))
            payload = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server calls

        @override
        def log_message(self, *_: object) -> None:
            """Leave the terminal to whoever started the server."""

    return Handler
