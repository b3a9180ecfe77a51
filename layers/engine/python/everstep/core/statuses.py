"""What a run and an operation can be, and what an operation does."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class RunStatus(StrEnum):
    """Where a run is; the second group is terminal.

    Recorded are RUNNING, PAUSED, STALLED and the terminal ones; PENDING, SLEEPING and WAITING
    are RUNNING looked at closely and are derived from the history when somebody asks.
    """

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SLEEPING = "SLEEPING"
    WAITING = "WAITING"
    PAUSED = "PAUSED"
    STALLED = "STALLED"

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    TIMED_OUT = "TIMED_OUT"
    CONTINUED = "CONTINUED"

    @property
    def terminal(self) -> bool:
        """Say whether the status is final."""
        return self in _TERMINAL


_TERMINAL: Final = frozenset(
    {
        RunStatus.COMPLETED,
        RunStatus.FAILED,
        RunStatus.CANCELLED,
        RunStatus.TIMED_OUT,
        RunStatus.CONTINUED,
    }
)


class OpKind(StrEnum):
    """What an operation does."""

    STEP = "step"
    SLEEP = "sleep"
    JOIN = "join"
    WAIT = "wait"
    CALLBACK = "callback"
    START = "start"
    CHILD = "child"
    SEND = "send"
    CANCEL = "cancel"
    CONTINUE = "continue"


class OpStatus(StrEnum):
    """What is recorded of an operation; no record at all means not attempted or in flight.

    STARTED says that an attempt has begun. It stands where an attempt may not begin twice, and
    where one has probably died before; most attempts begin without it.
    """

    WAITING = "WAITING"
    STARTED = "STARTED"
    RETRY = "RETRY"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def final(self) -> bool:
        """Say whether the operation has its one result."""
        return self in _FINAL


_FINAL: Final = (OpStatus.DONE, OpStatus.FAILED, OpStatus.CANCELLED)
