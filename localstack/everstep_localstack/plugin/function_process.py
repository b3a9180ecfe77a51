"""One operating-system process that runs a handler, from start to end."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from everstep_localstack.plugin.log_pipe import LogPipe
from everstep_localstack.plugin.memory_watch import MemoryWatch, peak_bytes
from everstep_localstack.plugin.runtime_api import (
    Answered,
    Exited,
    InitFailed,
    Invocation,
    RuntimeApi,
    Started,
)
from everstep_localstack.plugin.spawner import Command, Spawner

if TYPE_CHECKING:
    from concurrent.futures import Future

LAUNCHER: Final = Path(__file__).with_name("launcher.py")
MEGABYTE: Final = 1024 * 1024

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """What a function process needs to know.

    `memory_mb` is the function's memory size. The process is killed above it; beside it, the kernel
    refuses private memory beyond `memory_mb + headroom_mb`, whatever the speed of the allocation.
    """

    interpreter: Path
    handler: str
    code: Path
    environment: dict[str, str]
    memory_mb: int
    headroom_mb: int
    version: str
    timeout_seconds: float
    init_timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """There was no answer in time, and the process was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfMemory:
    """The process used more than its memory size, and was killed."""


StartOutcome = Started | InitFailed | Exited | TimedOut | OutOfMemory
Outcome = Answered | Exited | TimedOut | OutOfMemory


class FunctionProcess:
    """A process of its own group, its Runtime API and its output.

    Not reusable: once it has ended, by itself or by `kill`, a new one must be made.
    """

    def __init__(self, spec: FunctionSpec, spawner: Spawner, watch: MemoryWatch) -> None:
        self._spec = spec
        self._watch = watch
        self._exceeded = threading.Event()
        self._api = RuntimeApi()
        self._process = spawner.start(_command(spec, self._api.address))
        if self._process.stdout is None:
            raise AssertionError("the spawner connects every output to a pipe")
        self._log = LogPipe(self._process.stdout)
        threading.Thread(target=self._reap, name="function-reaper", daemon=True).start()

    @property
    def pid(self) -> int:
        """Return the process id, which is also the id of its group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Say whether the process still runs."""
        return self._process.poll() is None

    def wait_started(self, timeout: float) -> StartOutcome:
        """Wait until the handler is loaded; anything but `Started` leaves no process behind."""
        outcome = self._await(self._api.started, timeout)
        if not isinstance(outcome, Started):
            self.kill()
        return outcome

    def invoke(self, invocation: Invocation, timeout: float) -> Outcome:
        """Run the handler once; anything but `Answered` leaves no process behind."""
        outcome = self._await(self._api.submit(invocation), timeout)
        if not isinstance(outcome, Answered):
            self.kill()
        return outcome

    def take_log(self) -> str:
        """Return what was printed since the last call."""
        return self._log.take()

    def peak_mb(self) -> int:
        """Return the largest resident memory so far, in MB; 0 if the process has ended."""
        return -(-peak_bytes(self.pid) // MEGABYTE)

    def kill(self) -> None:
        """End the process and everything it started, at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def _await(self, future: Future[_T], timeout: float) -> _T | Exited | TimedOut | OutOfMemory:
        limit = self._spec.memory_mb * MEGABYTE
        with self._watch.limit(self.pid, limit, self._exceed):
            try:
                outcome = future.result(timeout)
            except TimeoutError:
                return TimedOut()
        if isinstance(outcome, Exited) and self._exceeded.is_set():
            return OutOfMemory()
        return outcome

    def _exceed(self) -> None:
        self._exceeded.set()
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _reap(self) -> None:
        status = self._process.wait()
        # The listening thread ends first: nobody can ask for an invocation that will not come.
        self._api.exited(status)
        self._api.close()


def _command(spec: FunctionSpec, address: str) -> Command:
    limit = (spec.memory_mb + spec.headroom_mb) * MEGABYTE
    return Command(
        # -P: the launcher's folder must not be importable from the handler.
        arguments=(
            str(spec.interpreter),
            "-P",
            str(LAUNCHER),
            str(os.getpid()),
            str(limit),
            spec.handler,
        ),
        directory=spec.code,
        environment=spec.environment | {"AWS_LAMBDA_RUNTIME_API": address},
    )
