"""Who did what to a run, and why: entries of a chain, in which nothing is changed unnoticed.

Every entry holds the hash of the one before it. Number 0 is the run's birth; it and the run's end
stand in the head and are written with it, so that an ordinary run pays no write for its audit
(see ``trail``). The others are items of their own. The head counts the entries, and holds the
hash of the last one. So an entry that was altered, removed or put in between shows, also the last
one, and also if all are gone (see ``audit_check``).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from everstep.core.model import Head

ENGINE: Final = "everstep"
"""Who did what nobody asked for."""


class Action(StrEnum):
    """What was done to a run.

    Entries of earlier releases say CANCELLED where it was asked for.
    """

    CREATED = "created"
    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    RECOVERED = "recovered"
    STALLED = "stalled"
    CANCEL_REQUESTED = "cancel_requested"
    TIME_UP = "time_up"
    RETRIED = "retried"
    FORKED = "forked"

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    CONTINUED = "continued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody asks of a run.

    Attributes:
        action: What is asked.
        who: Who asks, as they call themselves.
        why: What for.
    """

    action: Action
    who: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """What was done to a run.

    Attributes:
        number: Counts the entries of the run from 1; 0 is its birth.
        at: When it was done.
        action: What was done.
        previous: Hash of the entry before it, see ``seal``; empty of a birth.
        who: Who asked for it, if they said.
        why: What for, if they said.
        details: What else is said, by name.
    """

    number: int
    at: int
    action: Action
    previous: str
    who: str | None = None
    why: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """An entry that is written for a run together with another run that comes of it."""

    run_id: str
    entry: AuditEntry


def seal(entry: AuditEntry) -> str:
    """Return the SHA-256 of everything that an entry says, as 64 hexadecimal digits.

    It is that of a JSON array: number, at, action, who, why, previous and, unless there are none,
    the details as an object with sorted keys.
    """
    said: list[object] = [entry.number, entry.at, entry.action, entry.who, entry.why]
    return sha256([*said, entry.previous, *filter(None, [dict(entry.details)])])


def acceptance(head: Head) -> AuditEntry:
    """Return the birth of a run that an earlier release has accepted, which said less of it."""
    given = head.input.recorded
    identity = [head.run_id, head.workflow, head.version, given.text, given.ref]
    return AuditEntry(
        number=0, at=head.created_at, action=Action.CREATED, previous=sha256(identity)
    )


def following(
    number: int, link: str, asked: Asked, at: int, details: Mapping[str, str] | None = None
) -> AuditEntry:
    """Return the entry that follows one.

    Args:
        number: The number of that one.
        link: Its hash.
        asked: What was asked.
        at: When it is done.
        details: What else is said.
    """
    return AuditEntry(
        number=number + 1,
        at=at,
        action=asked.action,
        previous=link,
        who=asked.who,
        why=asked.why,
        details=details or {},
    )


def sha256(values: Sequence[object]) -> str:
    """Return the hash of JSON values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
