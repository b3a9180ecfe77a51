"""A step queue whose every freedom is in the hands of the simulation.

SQS promises to deliver at least once, at some time, in some order. ``MemoryQueue`` delivers in
order; here whoever drives the world picks which visible message comes next, and may deliver it
twice, early, late, while somebody works on it, or lose all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from everstep.core import messages
from everstep.core.durations import SECOND
from everstep.core.meter import meter
from everstep.core.spending import sends_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.core.model import Message, Outgoing
    from everstep.ports import Clock


@dataclass(slots=True, kw_only=True, eq=False)
class Letter:
    """A message in a queue; it may be received from ``visible_at`` on.

    Attributes:
        number: Its place in the order of sending.
        body: The message as text.
        visible_at: When it may be received, or received again.
        receives: How often it was received.
        gone: Whether it was deleted.
    """

    number: int
    body: str
    visible_at: int
    receives: int = 0
    gone: bool = False

    @property
    def message(self) -> Message:
        """Return what the body says."""
        return messages.decode(self.body)

    def __str__(self) -> str:
        return f"message {self.number}"


class StepQueue:
    """Messages in flight, and every message that ever was."""

    def __init__(self, clock: Clock, numbers: count[int] | None = None) -> None:
        """Start empty; queues that share their numbers name their messages apart."""
        self._clock = clock
        self._numbers = numbers or count(1)
        self.letters: list[Letter] = []
        self.sent: list[Letter] = []
        self.requests = 0

    def send(self, outgoing: Sequence[Outgoing]) -> None:
        """Send every message."""
        requests = sends_for(len(outgoing))
        meter().send(requests)
        self.requests += requests
        for item in outgoing:
            self.take_in(messages.encode(item.message, item.cost), item.delay * SECOND)

    def take_in(self, body: str, delay: int = 0) -> Letter:
        """Add a message with this body."""
        letter = Letter(number=next(self._numbers), body=body, visible_at=self._clock.now() + delay)
        self.letters.append(letter)
        self.sent.append(letter)
        return letter

    def visible(self) -> list[Letter]:
        """Return what may be received now, longest visible first."""
        now = self._clock.now()
        found = [letter for letter in self.letters if letter.visible_at <= now]
        return sorted(found, key=lambda letter: (letter.visible_at, letter.number))

    def receive(self, letter: Letter, visibility: int) -> None:
        """Hide a message for some milliseconds, while somebody works on it."""
        letter.receives += 1
        letter.visible_at = self._clock.now() + visibility

    def delete(self, letter: Letter) -> None:
        """Remove a message; doing so twice changes nothing."""
        letter.gone = True
        self.letters = [kept for kept in self.letters if kept is not letter]

    def show(self, letter: Letter) -> None:
        """Make a message visible although it is hidden or delayed."""
        letter.visible_at = self._clock.now()

    def purge(self) -> None:
        """Lose every message."""
        for letter in self.letters:
            letter.gone = True
        self.letters = []

    def next_visible_at(self) -> int | None:
        """Return when a message is visible next, which may have been before; None if empty."""
        return min((letter.visible_at for letter in self.letters), default=None)
