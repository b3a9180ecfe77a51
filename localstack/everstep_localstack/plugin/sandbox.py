"""One Lambda execution environment: processes come and go, and every end has AWS's answer.

| What happens                        | Answer (`errorType`)                  | The process  |
|-------------------------------------|---------------------------------------|--------------|
| the handler returns                 | its result                            | is kept      |
| the handler raises                  | the exception's type                  | is kept      |
| it takes longer than the time-out   | `Sandbox.Timedout`                    | is killed    |
| the process ends                    | `Runtime.ExitError`                   | has ended    |
| it uses more than its memory size   | `Runtime.ExitError`, "signal: killed" | is killed    |
| the handler cannot be imported      | `Runtime.ImportModuleError`, …        | has ended    |
| loading it takes over 10 s          | loaded anew, within the time-out      | is killed    |

Where there is no process left, the next invocation starts one.
"""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from everstep_localstack.plugin.function_process import (
    FunctionProcess,
    FunctionSpec,
    OutOfMemory,
    TimedOut,
)
from everstep_localstack.plugin.runtime_api import (
    Answered,
    Exited,
    InitFailed,
    Invocation,
    Started,
)

if TYPE_CHECKING:
    from everstep_localstack.plugin.memory_watch import MemoryWatch
    from everstep_localstack.plugin.spawner import Spawner

# Time for an answer that was sent just in time to arrive.
GRACE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What LocalStack wants a function to handle."""

    request_id: str
    function_arn: str
    trace_id: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How an invocation ended, with the log lines that CloudWatch gets."""

    payload: bytes
    is_error: bool
    log: str


Outcome = Answered | InitFailed | Exited | OutOfMemory | TimedOut


class Sandbox:
    """Run invocations one after another, in one process as long as it lives."""

    def __init__(self, spec: FunctionSpec, spawner: Spawner, watch: MemoryWatch) -> None:
        self._spec = spec
        self._spawner = spawner
        self._watch = watch
        self._lock = threading.Lock()
        self._stopped = False
        self._process: FunctionProcess | None = None
        self._init_failure: InitFailed | Exited | OutOfMemory | None = None
        self._init_ms: float | None = None
        self._init_log = ""

    def start(self) -> None:
        """Load the handler. A failure is kept: the first invocation reports it, as on AWS."""
        outcome = self._launch(self._spec.init_timeout_seconds)
        if isinstance(outcome, TimedOut):
            # AWS starts again with the first invocation, and lets it take the function's time.
            self._init_log += (
                f"INIT_REPORT Init Duration: {self._init_ms:.2f} ms\tStatus: timeout\n"
            )
        elif not isinstance(outcome, Started):
            self._init_failure = outcome

    def invoke(self, event: Event) -> Result:
        """Handle one event, whatever may happen to the process meanwhile."""
        began = time.monotonic()
        outcome = self._run(event, began)
        milliseconds = (time.monotonic() - began) * 1000
        payload, is_error = _answer(outcome, event.request_id, self._spec.timeout_seconds)
        log = self._take_log(event, outcome, milliseconds)
        return Result(payload=payload, is_error=is_error, log=log)

    def stop(self) -> None:
        """End the process, even in the middle of an invocation. It is never started again."""
        with self._lock:
            self._stopped = True
            process = self._process
        if process is not None:
            process.kill()

    def _launch(self, timeout: float) -> Started | InitFailed | Exited | TimedOut | OutOfMemory:
        began = time.monotonic()
        with self._lock:
            if self._stopped:
                return Exited(status=-signal.SIGKILL)
            self._init_log += self._process.take_log() if self._process else ""
            process = FunctionProcess(self._spec, self._spawner, self._watch)
            self._process = process
        outcome = process.wait_started(timeout)
        self._init_ms = (time.monotonic() - began) * 1000
        self._init_log += process.take_log()
        return outcome

    def _run(self, event: Event, began: float) -> Outcome:
        failure, self._init_failure = self._init_failure, None
        if failure is not None:
            return failure
        process = self._process
        if process is None or not process.alive:
            outcome = self._launch(self._spec.timeout_seconds)
            if not isinstance(outcome, Started):
                return outcome
            process = self._process
        if process is None:
            raise AssertionError("a launch that started has a process")
        left = max(self._spec.timeout_seconds - (time.monotonic() - began), 0.0)
        return process.invoke(_invocation(event, left), left + GRACE_SECONDS)

    def _take_log(self, event: Event, outcome: Outcome, milliseconds: float) -> str:
        process, init_ms = self._process, self._init_ms
        init_log, self._init_log, self._init_ms = self._init_log, "", None
        return "".join(
            (
                init_log,
                f"START RequestId: {event.request_id} Version: {self._spec.version}\n",
                _whole_lines(process.take_log() if process else ""),
                _complaint(outcome, event.request_id, self._spec.timeout_seconds),
                f"END RequestId: {event.request_id}\n",
                _report(
                    request_id=event.request_id,
                    milliseconds=milliseconds,
                    memory_mb=self._spec.memory_mb,
                    peak_mb=_peak_mb(outcome, process, self._spec.memory_mb),
                    init_ms=init_ms,
                    status=_status(outcome),
                ),
            )
        )


def _invocation(event: Event, seconds_left: float) -> Invocation:
    return Invocation(
        request_id=event.request_id,
        function_arn=event.function_arn,
        trace_id=event.trace_id,
        payload=event.payload,
        deadline_ms=int((time.time() + seconds_left) * 1000),
    )


def _answer(outcome: Outcome, request_id: str, timeout: float) -> tuple[bytes, bool]:
    match outcome:
        case Answered(payload=payload, is_error=is_error):
            return payload, is_error
        case InitFailed(payload=payload):
            return payload, True
        case Exited() | OutOfMemory():
            message = f"RequestId: {request_id} Error: {_exit_reason(outcome)}"
            return _error("Runtime.ExitError", message), True
        case TimedOut():
            message = f"RequestId: {request_id} Error: Task timed out after {timeout:.2f} seconds"
            return _error("Sandbox.Timedout", message), True
        case _:
            assert_never(outcome)


def _exit_reason(outcome: Exited | OutOfMemory) -> str:
    match outcome:
        case OutOfMemory():
            return "Runtime exited with error: signal: killed"
        case Exited(status=0):
            return "Runtime exited without providing a reason"
        case Exited(status=status) if status < 0:
            # Go's wording, in which AWS reports: "killed", "segmentation fault", "terminated".
            name = (signal.strsignal(-status) or f"signal {-status}").lower()
            return f"Runtime exited with error: signal: {name}"
        case Exited(status=status):
            return f"Runtime exited with error: exit status {status}"
        case _:
            assert_never(outcome)


def _complaint(outcome: Outcome, request_id: str, timeout: float) -> str:
    match outcome:
        case Answered() | InitFailed():
            return ""
        case Exited() | OutOfMemory():
            return f"RequestId: {request_id} Error: {_exit_reason(outcome)}\nRuntime.ExitError\n"
        case TimedOut():
            return f"{request_id} Task timed out after {timeout:.2f} seconds\n"
        case _:
            assert_never(outcome)


def _status(outcome: Outcome) -> str:
    match outcome:
        case Answered():
            return ""
        case TimedOut():
            return "Status: timeout\t"
        case InitFailed():
            return "Status: error\t"
        case Exited() | OutOfMemory():
            return "Status: error\tError Type: Runtime.ExitError\t"
        case _:
            assert_never(outcome)


def _peak_mb(outcome: Outcome, process: FunctionProcess | None, memory_mb: int) -> int:
    if isinstance(outcome, OutOfMemory):
        return memory_mb
    return process.peak_mb() if process else 0


def _report(
    *,
    request_id: str,
    milliseconds: float,
    memory_mb: int,
    peak_mb: int,
    init_ms: float | None,
    status: str,
) -> str:
    init = "" if init_ms is None else f"Init Duration: {init_ms:.2f} ms\t"
    return (
        f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
        f"Billed Duration: {math.ceil(milliseconds)} ms\tMemory Size: {memory_mb} MB\t"
        f"Max Memory Used: {peak_mb} MB\t{init}{status}\n"
    )


def _whole_lines(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()
