"""Invoke built functions without any container: the runtime interface emulator and this Python.

The emulator is the program that AWS's own images answer invocations with; the SAM CLI brings it
along. The function gets its artifact, its layers and what Lambda's runtime has, and nothing else of
this machine's packages.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tools.sam.cli import SamError, emulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tools.sam.runtime import Interpreter

_PATH: Final = "/2015-03-31/functions/function/invocations"
_START_SECONDS: Final = 10.0
_LAYERS: Final = ("WorkflowsLayer", "EngineLayer")
"""In the order in which Python looks: the later layer lies above the earlier one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulated:
    """Invokes built functions by the emulator.

    Attributes:
        build: Folder of the built artifacts.
        runtime: Folder of what Lambda brings along.
        interpreter: Runs the functions; the artifacts were built for its version.
        variables: Environment of every function.
        work: For the logs of the functions.
    """

    build: Path
    runtime: Path
    interpreter: Interpreter
    variables: Mapping[str, str]
    work: Path

    name = "runtime emulator, no containers"

    def invoke(self, function: str, event: Mapping[str, Any], seconds: float = 60) -> Any:  # noqa: ANN401 - JSON
        """Start a function, hand it one event, end it, and return its answer.

        Raises:
            SamError: It did not start or did not answer; with its log.
        """
        log = self.work / f"{function}.log"
        with self._running(function, log) as port:
            try:
                return _post(port, event, seconds)
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise SamError(f"{function} did not answer: {error}\n{_text(log)}") from error

    @contextmanager
    def _running(self, function: str, log: Path) -> Iterator[int]:
        api, port = _free_ports()
        with log.open("wb") as output:
            process = subprocess.Popen(
                self._command(api, port),
                cwd=self.build / function,
                env=self._environment(function),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait_for(port, process, log)
            yield port
        finally:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _command(self, api: int, port: int) -> list[str]:
        # -P and -S: neither this folder's modules nor this Python's packages.
        handler = [str(self.interpreter.program), "-P", "-s", "-S", "-m", "awslambdaric"]
        return [
            str(emulator()),
            *("--runtime-api-address", f"127.0.0.1:{api}"),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *handler,
            "handler.handler",
        ]

    def _environment(self, function: str) -> dict[str, str]:
        task = self.build / function
        layers = [self.build / layer / "python" for layer in _LAYERS]
        return {
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join(map(str, (task, *layers, self.runtime))),
            "LAMBDA_TASK_ROOT": str(task),
            "AWS_LAMBDA_FUNCTION_NAME": function,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": "60",
            **self.variables,
        }


def _post(port: int, event: Mapping[str, Any], seconds: float) -> Any:  # noqa: ANN401 - JSON
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("POST", _PATH, json.dumps(event))
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def _free_ports() -> tuple[int, int]:
    """Return two ports of this machine that nobody listens on."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise SamError(f"the emulator did not start\n{_text(log)}")
        time.sleep(0.02)


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")
