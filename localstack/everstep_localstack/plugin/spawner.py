"""Start processes from one thread that lives as long as LocalStack."""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A process to start."""

    arguments: tuple[str, ...]
    directory: Path
    environment: dict[str, str] = field(repr=False)


Process = subprocess.Popen[bytes]


class Spawner:
    """Start processes whose parent thread does not end before LocalStack does.

    The kernel's parent-death signal is sent when the *thread* that forked ends. Request threads
    come and go, so a process started from one of them would be killed at some random moment.
    """

    def __init__(self) -> None:
        self._requests: SimpleQueue[tuple[Command, Future[Process]]] = SimpleQueue()
        threading.Thread(target=self._serve, name="function-spawner", daemon=True).start()

    def start(self, command: Command) -> Process:
        """Start `command` in a process group of its own, with its output in one pipe.

        Raises:
            OSError: The program cannot be started.
        """
        started: Future[Process] = Future()
        self._requests.put((command, started))
        return started.result()

    def _serve(self) -> None:
        while True:
            command, started = self._requests.get()
            try:
                started.set_result(_spawn(command))
            except Exception as error:  # noqa: BLE001 - handed to the thread that asked
                started.set_exception(error)


def _spawn(command: Command) -> Process:
    return subprocess.Popen(
        command.arguments,
        cwd=command.directory,
        env=command.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
