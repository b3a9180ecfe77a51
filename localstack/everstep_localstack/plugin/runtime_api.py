"""The Lambda Runtime API for one process, on a loopback port of its own.

See https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. A process first asks for the
next invocation (then it has started) or posts an initialisation error (then it never will).
"""

from __future__ import annotations

import json
import sys
import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Final, TypeVar

from typing_extensions import override

ROOT: Final = "/2018-06-01/runtime"
# The largest answer of a synchronous invocation on AWS: 6 MB and some room for the envelope.
MAX_RESPONSE_BYTES: Final = 6 * 1024 * 1024 + 100

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One event for a function."""

    request_id: str
    function_arn: str
    trace_id: str
    payload: bytes
    deadline_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The process asked for its first invocation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitFailed:
    """The process could not load its handler; `payload` is AWS's error document."""

    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exited:
    """The process ended. A negative status is the signal that ended it, as in `subprocess`."""

    status: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The handler returned, or raised; `payload` is its result or AWS's error document."""

    payload: bytes
    is_error: bool


class RuntimeApi:
    """Hand invocations to one process, and hear how they ended."""

    def __init__(self) -> None:
        self.started: Future[Started | InitFailed | Exited] = Future()
        self._queue: SimpleQueue[Invocation | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._current: tuple[str, Future[Answered | Exited]] | None = None
        self._server = _Server(self)
        threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="runtime-api",
            daemon=True,
        ).start()

    @property
    def address(self) -> str:
        """Return host:port, the value of `AWS_LAMBDA_RUNTIME_API`."""
        return f"127.0.0.1:{self._server.server_port}"

    def submit(self, invocation: Invocation) -> Future[Answered | Exited]:
        """Give the process its next event. One at a time: AWS sends no second before the answer."""
        answer: Future[Answered | Exited] = Future()
        with self._lock:
            self._current = (invocation.request_id, answer)
        self._queue.put(invocation)
        return answer

    def next(self) -> Invocation | None:
        """Wait for an invocation, on behalf of the process; None when the API was closed."""
        _resolve(self.started, Started())
        return self._queue.get()

    def init_failed(self, payload: bytes) -> None:
        """Note that the handler could not be loaded."""
        _resolve(self.started, InitFailed(payload=payload))

    def answer(self, request_id: str, payload: bytes, *, is_error: bool) -> None:
        """Note the answer to an invocation; one that nobody waits for is of no interest."""
        with self._lock:
            if self._current is None or self._current[0] != request_id:
                return
            waiting, self._current = self._current[1], None
        _resolve(waiting, Answered(payload=payload, is_error=is_error))

    def exited(self, status: int) -> None:
        """Note that the process has ended: whatever was awaited will not come."""
        _resolve(self.started, Exited(status=status))
        with self._lock:
            current, self._current = self._current, None
        if current is not None:
            _resolve(current[1], Exited(status=status))

    def close(self) -> None:
        """Stop listening and let go of the process's waiting request."""
        self._queue.put(None)
        self._server.shutdown()
        self._server.server_close()


def _resolve(future: Future[_T], value: _T) -> None:
    # The first outcome counts: a process that answered and then exits has answered.
    with suppress(InvalidStateError):
        future.set_result(value)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Threads that wait for an invocation end with the process, not with the server.
    block_on_close = False

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        super().__init__(("127.0.0.1", 0), _Handler)

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing if the process was killed while it was connected."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # as they came


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Small answers on a kept connection: without this each waits 40 ms for the other side's ACK.
    disable_nagle_algorithm = True
    server: _Server

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Print nothing: a request per invocation is no news."""

    def do_GET(self) -> None:
        """Answer `/invocation/next`, as soon as there is one."""
        invocation = self.server.api.next()
        if invocation is None:
            self.close_connection = True
            return
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
        }
        self._reply(HTTPStatus.OK, invocation.payload, headers)

    def do_POST(self) -> None:
        """Take a response, an error or an initialisation error."""
        payload = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        match self.path.removeprefix(ROOT).strip("/").split("/"):
            case ["init", "error"]:
                self.server.api.init_failed(payload)
                self._accept()
            case ["invocation", request_id, "response"] if len(payload) > MAX_RESPONSE_BYTES:
                self.server.api.answer(request_id, _too_large(len(payload)), is_error=True)
                # AWS answers 413, at which the runtime client gives up its process.
                self._accept()
            case ["invocation", request_id, ("response" | "error") as kind]:
                self.server.api.answer(request_id, payload, is_error=kind == "error")
                self._accept()
            case _:
                self._reply(HTTPStatus.NOT_FOUND, b"{}", {})

    def _accept(self) -> None:
        self._reply(HTTPStatus.ACCEPTED, b'{"status":"OK"}', {})

    def _reply(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _too_large(size: int) -> bytes:
    return json.dumps(
        {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": f"Response payload size ({size} bytes) exceeded maximum allowed"
            f" payload size ({MAX_RESPONSE_BYTES} bytes).",
        }
    ).encode()
