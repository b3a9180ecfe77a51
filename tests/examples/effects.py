"""A real HTTP server on loopback that keeps what it received."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterable

ITEMS = [{"name": "tea", "amount": 3}, {"name": "cups", "amount": 8}, {"name": "milk", "amount": 5}]


class _Server(ThreadingHTTPServer):
    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing if the process was killed while it was connected."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # as they came


@dataclass(frozen=True, slots=True)
class Received:
    """One request."""

    method: str
    path: str
    key: str
    body: Any


class EffectServer:
    """Answers the pipeline example, counts effects, and fails on demand.

    ``POST /effects/<name>`` is one effect. ``refuse`` makes the next requests to a path answer
    with a status instead.
    """

    def __init__(self) -> None:
        """Listen on a free port of loopback."""
        self._lock = Lock()
        self._received: list[Received] = []
        self._refusals: dict[str, list[int]] = {}
        self._server = _Server(("127.0.0.1", 0), _handler(self))
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

    def refuse(self, path: str, statuses: Iterable[int]) -> None:
        """Answer the next requests to a path with these statuses, one each."""
        with self._lock:
            self._refusals.setdefault(path, []).extend(statuses)

    def received(self, path: str | None = None) -> list[Received]:
        """Return what was received, in order."""
        with self._lock:
            return [item for item in self._received if path is None or item.path == path]

    def take(self, request: Received) -> tuple[int, Any]:
        """Keep a request; return status and answer."""
        with self._lock:
            self._received.append(request)
            refusals = self._refusals.get(request.path)
            if refusals:
                return refusals.pop(0), {"error": "refused"}
        if request.method == "GET":
            return 200, ITEMS
        return 200, {"receipt": f"receipt for {request.path}"}


def _handler(server: EffectServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            text = self.rfile.read(length)
            status, body = server.take(
                Received(
                    self.command,
                    self.path,
                    self.headers.get("Idempotency-Key", ""),
                    json.loads(text) if text else None,
                )
            )
            payload = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_PUT = do_POST = answer  # noqa: N815 - the names that http.server calls

        @override
        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    return Handler
