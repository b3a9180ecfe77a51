"""What differs between one simulated deployment and another."""

from __future__ import annotations

from dataclasses import dataclass, field

from everstep.app.engine import Limits
from everstep.core.durations import MINUTE


@dataclass(slots=True, kw_only=True)
class Settings:
    """How the world is made.

    Attributes:
        executors: How many messages are processed at the same time.
        visibility: How long a received message stays hidden.
        receives: How often a message is received before it is a dead letter.
        limits: The engine's limits.
        skew: How far clocks of different tasks are apart, at most.
        resumes: How often the operator resumes a stalled run before giving up.
        reuses_ids: Whether a run id that was drawn but came to nothing is drawn again: chance and
            UUIDs of a run depend on its id, so that outcomes can be compared.
        actions: How many actions may happen before a world must have come to rest.
        threads: Whether a task that stands still is left standing while whoever drives the world
            goes on, as opposed to everything happening before its next call returns.
        removes: Whether time goes on until runs are removed whose retention is over.
        keeps: Whether processes keep suspended passes from one message to the next.
        fresh: For how long they do not read again what they have read, in milliseconds.
        oddities: How many odd actions may happen: duplicates, expired time-outs, early messages.
        cancels: Whether somebody may cancel a run as one of them, which changes how it ends.
    """

    executors: int = 1
    visibility: int = 6 * MINUTE
    receives: int = 5
    limits: Limits = field(default_factory=Limits)
    skew: int = 0
    resumes: int = 0
    oddities: int = 0
    cancels: bool = False
    reuses_ids: bool = False
    threads: bool = False
    removes: bool = False
    keeps: bool = False
    fresh: int = 0
    actions: int = 5_000
