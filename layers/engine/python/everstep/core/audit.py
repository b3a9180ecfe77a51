"""Who asked what of a run: entries of a chain, in which nothing is changed or left out unnoticed.

Every entry holds the hash of the one before it. The first that is recorded holds the hash of the
run's acceptance, which is made from the head and never changes; the head counts the entries. So
an entry that was altered, removed or put in between shows, the last one included.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.core.model import Head


class Action(StrEnum):
    """What was asked of a run."""

    CREATED = "created"
    PAUSED = "paused"
    RESUMED = "resumed"
    RECOVERED = "recovered"
    CANCELLED = "cancelled"
    RETRIED = "retried"
    FORKED = "forked"


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
    """What was asked of a run, and done.

    Attributes:
        number: Counts the entries of the run from 1; 0 is its acceptance.
        at: When it was done.
        action: What was done.
        previous: Hash of the entry before it, see ``seal``.
        who: Who asked for it, if they said.
        why: What for, if they said.
    """

    number: int
    at: int
    action: Action
    previous: str
    who: str | None = None
    why: str | None = None


def seal(entry: AuditEntry) -> str:
    """Return the SHA-256 of everything that an entry says, as 64 hexadecimal digits."""
    return _sha256([entry.number, entry.at, entry.action, entry.who, entry.why, entry.previous])


def acceptance(head: Head) -> AuditEntry:
    """Return the entry that stands before the first one: that the run was accepted."""
    given = head.input.recorded
    identity = [head.run_id, head.workflow, head.version, given.text, given.ref]
    return AuditEntry(
        number=0, at=head.created_at, action=Action.CREATED, previous=_sha256(identity)
    )


def following(last: AuditEntry, asked: Asked, at: int) -> AuditEntry:
    """Return the entry that follows the last one."""
    return AuditEntry(
        number=last.number + 1,
        at=at,
        action=asked.action,
        previous=seal(last),
        who=asked.who,
        why=asked.why,
    )


def first_break(head: Head, entries: Sequence[AuditEntry]) -> int | None:
    """Return the number of the first entry that does not fit; None if the chain is whole.

    Args:
        head: The run's head, read after the entries or together with them.
        entries: Every entry from number 1, in order.
    """
    last = acceptance(head)
    for entry in entries:
        if entry.number != last.number + 1 or entry.previous != seal(last):
            return last.number + 1
        last = entry
    return None if last.number == head.generation else last.number + 1


def _sha256(values: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
