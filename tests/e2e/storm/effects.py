"""The server that counts effects, and knows which process has just had one."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tests.examples.effects import EffectServer

if TYPE_CHECKING:
    from tests.examples.effects import Received


class TellingEffectServer(EffectServer):
    """Tells at whose hands the next effect happens."""

    def __init__(self) -> None:
        super().__init__()
        self._pids: SimpleQueue[int] = SimpleQueue()

    @override
    def take(self, request: Received) -> tuple[int, Any]:
        answer = super().take(request)
        self._pids.put(request.body["pid"])
        return answer

    def next_process(self, seconds: float) -> int | None:
        """Wait for the next effect; return the id of the process that had it, None if none had."""
        while not self._pids.empty():
            self._pids.get()
        try:
            return self._pids.get(timeout=seconds)
        except Empty:
            return None
