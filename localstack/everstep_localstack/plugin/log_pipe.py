"""Read what a process prints without losing or mixing up a line."""

from __future__ import annotations

import os
import select
import threading
from typing import IO, Final

CHUNK: Final = 65536


class LogPipe:
    """Collect the output of a process, to be taken one invocation at a time.

    A thread reads all the time, since a process that fills its pipe stops. `take` first reads what
    is still in the pipe: what the process printed before it answered is then part of that answer.
    """

    def __init__(self, output: IO[bytes]) -> None:
        self._output = output
        self._descriptor = output.fileno()
        self._lock = threading.Lock()
        self._chunks: list[bytes] = []
        self._open = True
        os.set_blocking(self._descriptor, False)
        threading.Thread(target=self._pump, name="function-output", daemon=True).start()

    def take(self) -> str:
        """Return what was printed since the last call, as text."""
        with self._lock:
            self._drain()
            output, self._chunks = b"".join(self._chunks), []
        return output.decode("utf-8", "replace")

    def _pump(self) -> None:
        poller = select.poll()
        poller.register(self._descriptor, select.POLLIN)
        while self._open:
            # With a limit: the other reader may have seen the end, and closed, meanwhile.
            poller.poll(1000)
            with self._lock:
                self._drain()

    def _drain(self) -> None:
        while self._open:
            try:
                chunk = os.read(self._descriptor, CHUNK)
            except BlockingIOError:
                return
            if not chunk:
                self._open = False
                self._output.close()
                return
            self._chunks.append(chunk)
