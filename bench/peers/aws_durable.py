"""AWS Lambda durable functions: the SDK for Python with its local runner, all in one process.

The runner is the service, and keeps what it knows in memory. So figures are those of the SDK and
of the emulator of its service, and say nothing of Lambda. What is killed is the function, which
then runs in a process of its own beside the runner's server (SQLite).
"""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from aws_durable_execution_sdk_python.config import Duration, MapConfig
from aws_durable_execution_sdk_python.context import DurableContext, durable_step
from aws_durable_execution_sdk_python.execution import durable_execution
from aws_durable_execution_sdk_python_testing.invoker import create_test_lambda_context
from aws_durable_execution_sdk_python_testing.runner import DurableFunctionTestRunner

from bench.peers import protocol
from bench.peers.protocol import Item, Task

PACKAGES: Final = (
    "aws-durable-execution-sdk-python",
    "aws-durable-execution-sdk-python-testing",
)
PATIENCE: Final = 600
ACCOUNT: Final = "123456789012"


@durable_step
def work(_: object, path: str, run: int, number: int, millis: int = 0) -> int:
    """Do what a step does."""
    return protocol.work(path, run, number, millis)


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> int:
    """Run what the event asks for."""
    shapes = {"sequence": _sequence, "crash": _sequence, "naps": _naps, "fan": _fan}
    return shapes[event["shape"]](event, context)


def _sequence(event: dict[str, Any], context: DurableContext) -> int:
    total = 0
    for number in range(event["steps"]):
        step = work(event["marks"], event["run"], number, event["millis"])
        total += context.step(step, name=f"step-{number}")
    return total


def _naps(event: dict[str, Any], context: DurableContext) -> int:
    context.step(work(event["marks"], event["run"], 0), name="step-0")
    for number in range(event["steps"]):
        context.wait(Duration.from_seconds(int(event["seconds"])), name=f"nap-{number}")
        context.step(work(event["marks"], event["run"], number + 1), name=f"step-{number + 1}")
    return int(event["steps"])


def _fan(event: dict[str, Any], context: DurableContext) -> int:
    def one(inner: DurableContext, item: int, *_: object) -> int:
        return int(inner.step(work(event["marks"], event["run"], item), name="step"))

    mapped = context.map(list(range(event["steps"])), one, name="fan", config=MapConfig())
    return sum(mapped.get_results())


def play(item: Item, task: Task) -> float | None:
    """Play one item."""
    if item.shape == "crash":
        return _crash(item, task.state)
    with DurableFunctionTestRunner(
        handler=handler, poll_interval=0.02, skip_time=False, execution_timeout=PATIENCE
    ) as runner:
        began = time.monotonic()
        names = [
            runner.run_async(
                input=json.dumps({"shape": item.shape, **protocol.arguments(item, number)}),
                execution_name=f"run-{number}",
                execution_timeout=PATIENCE,
            )
            for number in range(item.runs)
        ]
        protocol.tell_when_asleep(item)
        results = [runner.wait_for_result(name, timeout=PATIENCE) for name in names]
        seconds = time.monotonic() - began
    failed = [each for each in results if each.status.value != "SUCCEEDED"]
    if failed:
        raise RuntimeError(f"{len(failed)} runs failed: {failed[0].error}")
    return seconds


class _Invocations(BaseHTTPRequestHandler):
    """Answers Lambda's Invoke: what a function process is, as the runner sees it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Invoke the function."""
        event = json.loads(self.rfile.read(int(self.headers["content-length"])))
        body = json.dumps(handler(event, create_test_lambda_context())).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _crash(item: Item, state: Path) -> float:
    service, function = _free_port(), _free_port()
    base, log = f"http://127.0.0.1:{service}", state / "crash.log"
    os.environ["AWS_ENDPOINT_URL_LAMBDA"] = base
    with (
        _service(service, function, state),
        protocol.child("aws_durable", "--serve", str(function), quiet=log) as first,
    ):
        protocol.wait_for(lambda: all(map(_listens, (service, function))), 20, "no server")
        run = _start_over_http(base, {"shape": "crash", **protocol.arguments(item, 0)})
        protocol.wait_until_killable(item)
        protocol.kill(first)
        killed = time.monotonic()
        with protocol.child("aws_durable", "--serve", str(function), quiet=log):
            status = _status_address(base, run)
            protocol.wait_for(
                lambda: _get(status)["Status"] == "SUCCEEDED", protocol.CRASH_SECONDS, "still runs"
            )
            return time.monotonic() - killed


class _service:  # noqa: N801 - used as a context only
    """The runner's server, with a database in a file."""

    def __init__(self, port: int, function: int, state: Path) -> None:
        program = Path(sys.executable).with_name("dex-local-runner")
        where = ["--host", "127.0.0.1", "--port", str(port), "--log-level", "ERROR"]
        lambdas = ["--lambda-endpoint", f"http://127.0.0.1:{function}"]
        itself = ["--local-runner-endpoint", f"http://127.0.0.1:{port}"]
        store = ["--store-type", "sqlite", "--store-path", str(state / "runs.db")]
        self._command = [str(program), "start-server", *where, *lambdas, *itself, *store]
        self._log = state / "service.log"

    def __enter__(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def __exit__(self, *_: object) -> None:
        protocol.kill(self._process)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 0.2).close()
    except OSError:
        return False
    return True


def _start_over_http(base: str, event: dict[str, Any]) -> str:
    body = {
        "AccountId": ACCOUNT,
        "FunctionName": "bench",
        "FunctionQualifier": "$LATEST",
        "ExecutionName": "crash",
        "ExecutionTimeoutSeconds": PATIENCE,
        "ExecutionRetentionPeriodDays": 1,
        "InvocationId": "crash",
        "Input": json.dumps(event),
    }
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{base}/start-durable-execution",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    return str(_get(request)["ExecutionArn"])


def _status_address(base: str, run: str) -> str:
    return f"{base}/2025-12-01/durable-executions/{quote(run, safe='')}"


def _get(what: str | urllib.request.Request) -> dict[str, Any]:
    with urllib.request.urlopen(what, timeout=30) as answer:  # noqa: S310 - loopback
        found: dict[str, Any] = json.loads(answer.read())
    return found


def main() -> None:
    """Play a task, or be the function's process."""
    logging.disable(logging.CRITICAL)
    os.environ.update(
        AWS_ACCESS_KEY_ID="x",
        AWS_SECRET_ACCESS_KEY="x",  # noqa: S106 - nobody's
        AWS_DEFAULT_REGION="us-west-2",
    )
    if sys.argv[1] == "--serve":
        ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), _Invocations).serve_forever()
    task = Task.read(sys.argv[1])
    warm = Item(number=-1, workload="W1", shape="sequence", steps=3, marks=os.devnull)
    play(warm, task)
    protocol.play_all(task, PACKAGES, lambda item: play(item, task))
    # Threads of the runner outlive it.
    os._exit(0)


if __name__ == "__main__":
    main()
