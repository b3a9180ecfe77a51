"""What can come of a message of the step queue."""

from __future__ import annotations

from enum import StrEnum


class Done(StrEnum):
    """What came of a message, for the log."""

    ADVANCED = "advanced"
    REPEATED = "repeated"
    EARLY = "early"
    SUPERSEDED = "superseded"
    ENDED_BEFORE = "run ended before"
    STANDS_STILL = "run stands still"
    STALLED = "run stalled"
    UNKNOWN_RUN = "unknown run"
    MALFORMED = "malformed message"
