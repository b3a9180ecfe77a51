"""Messages that belong to no run, in memory."""

from __future__ import annotations

from everstep.core.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that belongs to no run, and why it could not be processed."""

    message_id: str
    body: str
    reason: str
    at: int
