"""Messages a second time: at once, a little later, and long after their work is done."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from random import Random
    from threading import Event

    from tests.e2e.stack import Stack

AT_ONCE: Final = 0.15
LATER: Final = 0.1
REPLAY_PAUSE: Final = (0.5, 2.0)
REPLAYED_AT_ONCE: Final = 3


class Duplicator:
    """Sends copies of what pollers received.

    Attributes:
        copies: How many copies were sent while the message was being processed, or soon after.
        replays: How many messages of any age were sent once more.
    """

    def __init__(self, stack: Stack, rng: Random) -> None:
        self.copies = self.replays = 0
        self._sqs = stack.sqs
        self._url = stack.outputs["QueueUrl"]
        self._rng = rng
        self._lock = Lock()
        self._seen: list[str] = []
        self._stopped = False

    def received(self, bodies: list[str]) -> None:
        """Remember what was received, and double some of it."""
        with self._lock:
            if self._stopped:
                return
            self._seen += bodies
            chances = [(body, self._rng.random(), self._rng.randint(1, 5)) for body in bodies]
        for body, chance, delay in chances:
            if chance < AT_ONCE + LATER:
                self._send(body, 0 if chance < AT_ONCE else delay)
                self.copies += 1

    def run(self, over: Event, rng: Random) -> None:
        """Send old messages once more from time to time, until it is over."""
        while not over.wait(rng.uniform(*REPLAY_PAUSE)):
            with self._lock:
                chosen = rng.sample(self._seen, min(REPLAYED_AT_ONCE, len(self._seen)))
            for body in chosen:
                self._send(body, 0)
                self.replays += 1
        with self._lock:
            self._stopped = True

    def _send(self, body: str, delay: int) -> None:
        self._sqs.send_message(QueueUrl=self._url, MessageBody=body, DelaySeconds=delay)
