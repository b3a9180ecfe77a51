"""The step queue in memory, in virtual time.

It does what SQS promises and no more: a message is delivered again unless it was deleted before
its visibility time-out ran out, and it goes to the dead-letter queue once it was received too
often. ``duplicate`` does what SQS does now and then.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from threading import RLock
from typing import TYPE_CHECKING, Final

from everstep.core import messages
from everstep.core.meter import meter
from everstep.core.records import dataclass
from everstep.core.spending import sends_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.core.model import Message, Outgoing
    from everstep.ports import Clock

LONGEST_DELAY: Final = 900
_MILLIS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One receipt of a message.

    Attributes:
        message_id: The message's id, the same for every delivery and duplicate of it.
        receipt: Names this delivery to ``delete`` and ``release``.
        body: The message as it was sent.
        receives: How often it was received, this time included.
    """

    message_id: str
    receipt: int
    body: str
    receives: int

    @property
    def message(self) -> Message:
        """Return what the body says.

        Raises:
            MalformedMessageError: It says nothing usable.
        """
        return messages.decode(self.body)


@dataclass(slots=True, kw_only=True)
class _Kept:
    """A message in the queue; it is visible from an instant on."""

    message_id: str
    body: str
    order: int
    visible_at: int
    receives: int = 0
    receipt: int = 0


class MemoryQueue:
    """Deliver messages at least once, ordered by the time they become visible, then as sent."""

    def __init__(
        self, clock: Clock, max_receives: int = 5, dead_letters: MemoryQueue | None = None
    ) -> None:
        """Start empty.

        Args:
            clock: Says which messages are visible.
            max_receives: How often a message is received before it is given up.
            dead_letters: Where it goes then; without one it is received for ever.
        """
        self._clock = clock
        self._max_receives = max_receives
        self._dead_letters = dead_letters
        self._lock = RLock()
        self._numbers = count(1)
        # By the order in which they came; and when each is visible, some of which was before.
        self._kept: dict[int, _Kept] = {}
        self._turns: list[tuple[int, int]] = []
        self._receipts: dict[int, int] = {}

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send every message.

        Raises:
            ValueError: A delay is not one that the queue can hold; nothing was sent.
        """
        wrong = [each.delay for each in outgoing if not 0 <= each.delay <= LONGEST_DELAY]
        if wrong:
            raise ValueError(f"a delay is 0 to {LONGEST_DELAY} seconds, not {wrong[0]}")
        meter().send(sends_for(len(outgoing)))
        for each in outgoing:
            self.send_body(messages.encode(each.message, each.cost), each.delay)

    def send_body(self, body: str, delay: int = 0) -> None:
        """Send a body as it is, also one that no message has, after a delay in seconds."""
        with self._lock:
            number = next(self._numbers)
            self._keep(f"message-{number}", body, self._clock.now() + delay * _MILLIS)

    def receive(self, visibility: int) -> Delivery | None:
        """Return the next visible message and hide it for ``visibility`` seconds, or None."""
        with self._lock:
            now = self._clock.now()
            while True:
                found = self._next()
                if found is None or found.visible_at > now:
                    return None
                if self._dead_letters is None or found.receives < self._max_receives:
                    return self._deliver(found, now + visibility * _MILLIS)
                self._remove(found)
                self._dead_letters.take_in(found.message_id, found.body)

    def delete(self, delivery: Delivery) -> None:
        """Remove a delivered message; a receipt that a later delivery replaced does nothing."""
        with self._lock:
            found = self._find(delivery)
            if found is not None:
                self._remove(found)

    def release(self, delivery: Delivery) -> None:
        """Make a delivered message visible again at once, as if its time-out had run out."""
        with self._lock:
            found = self._find(delivery)
            if found is not None:
                self._show(found, self._clock.now())

    def duplicate(self, delivery: Delivery) -> None:
        """Deliver a message once more, although it may be deleted or hidden."""
        self.take_in(delivery.message_id, delivery.body)

    def take_in(self, message_id: str, body: str) -> None:
        """Add a message that has its id already; visible at once, received never."""
        with self._lock:
            self._keep(message_id, body, self._clock.now())

    def next_visible_at(self) -> int | None:
        """Return when the next message is visible, which may have been before; None if empty."""
        with self._lock:
            found = self._next()
            return None if found is None else found.visible_at

    def depth(self) -> int:
        """Return how many messages there are: visible, delayed and hidden."""
        with self._lock:
            return len(self._kept)

    def _keep(self, message_id: str, body: str, visible_at: int) -> None:
        order = next(self._numbers)
        kept = _Kept(message_id=message_id, body=body, order=order, visible_at=visible_at)
        self._kept[order] = kept
        self._show(kept, visible_at)

    def _next(self) -> _Kept | None:
        """Return the message that is visible first."""
        turns = self._turns
        while turns:
            visible_at, order = turns[0]
            kept = self._kept.get(order)
            if kept is not None and kept.visible_at == visible_at:
                return kept
            heappop(turns)
        return None

    def _show(self, kept: _Kept, at: int) -> None:
        kept.visible_at = at
        heappush(self._turns, (at, kept.order))

    def _remove(self, kept: _Kept) -> None:
        del self._kept[kept.order]
        self._receipts.pop(kept.receipt, None)

    def _deliver(self, kept: _Kept, hidden_until: int) -> Delivery:
        kept.receives += 1
        self._show(kept, hidden_until)
        self._receipts.pop(kept.receipt, None)
        kept.receipt = next(self._numbers)
        self._receipts[kept.receipt] = kept.order
        return Delivery(
            message_id=kept.message_id,
            receipt=kept.receipt,
            body=kept.body,
            receives=kept.receives,
        )

    def _find(self, delivery: Delivery) -> _Kept | None:
        return self._kept.get(self._receipts.get(delivery.receipt, 0))
