"""A real HTTP server on loopback that counts the effects of steps."""

from __future__ import annotations

from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Self

from typing_extensions import override


class EffectCounter:
    """Count requests by path: `/<run>/<number of the step>`."""

    def __init__(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        self._lock = Lock()
        self._counts: Counter[str] = Counter()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
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

    def counts(self) -> Counter[str]:
        """Return how often each path was asked for."""
        with self._lock:
            return Counter(self._counts)

    def add(self, path: str) -> None:
        """Count one effect."""
        with self._lock:
            self._counts[path] += 1


def _handler(counter: EffectCounter) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            counter.add(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        @override
        def log_message(self, *_: object) -> None:
            """Print nothing: there are thousands of requests."""

    return Handler
