"""Every key string of the table, one function per key.

Parts are joined by ``#``. No two things can have the same key: names of workflows and statuses
hold no ``#``, and what may hold one (an operation's key, an idempotency key) stands last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from everstep.core.model import RunStatus

DUE_INDEX: Final = "due"
LIST_INDEX: Final = "list"
SHARDS: Final = 8
"""Partitions of the due index for what is to wake up; as many after them are for runs that are to
be removed. For ever: entries of a shard that nobody reads are lost."""

ALONE: Final = "-"
"""Sort key of an item that is the only one of its partition."""

RUN_HEAD: Final = "#HEAD"
"""Sort key of a run's head; it sorts before everything else of the run."""

_RUN: Final = "RUN#"
_OPERATION: Final = "OP#"
_EVENT: Final = "EV#"
_AUDIT: Final = "AUD#"


def run(run_id: str) -> str:
    """Return the partition of a run: one query on it gives the head and the whole history."""
    return _RUN + run_id


def run_of(partition: str) -> str:
    """Return the run that a partition belongs to: the due index gives keys, not ids."""
    return partition[len(_RUN) :]


def operation(key: str) -> str:
    """Return the sort key of an operation's record: written and moved by its full key."""
    return _OPERATION + key


def is_operation(sort_key: str) -> bool:
    """Say whether a run's item is an operation's record; a run may have items of other kinds."""
    return sort_key.startswith(_OPERATION)


def operation_of(sort_key: str) -> str:
    """Return the operation's key of a record's item: the inverse of ``operation``."""
    return sort_key[len(_OPERATION) :]


def event(name: str, number: int) -> str:
    """Return the sort key of an event: events of one name sort as they came."""
    return f"{_EVENT}{name}#{number:08}"


def is_event(sort_key: str) -> bool:
    """Say whether a run's item is an event."""
    return sort_key.startswith(_EVENT)


def event_of(sort_key: str) -> tuple[str, int]:
    """Return the name and number of an event's item: the inverse of ``event``."""
    name, _, number = sort_key[len(_EVENT) :].rpartition("#")
    return name, int(number)


def audit(number: int) -> str:
    """Return the sort key of an audit entry: put if absent; entries are read by their range."""
    return f"{_AUDIT}{number:08}"


LAST_AUDIT: Final = audit(99_999_999)


def audit_of(sort_key: str) -> int:
    """Return the number of an audit entry's item: the inverse of ``audit``."""
    return int(sort_key[len(_AUDIT) :])


def claim(workflow: str, key: str) -> str:
    """Return the partition of an idempotency key: put if absent, read by its full key."""
    return f"IDEM#{workflow}#{key}"


def reference(workflow: str, reference_id: str) -> str:
    """Return the partition of a caller's own name for a run: read by its full key."""
    return f"REF#{workflow}#{reference_id}"


def dead_letter(message_id: str) -> str:
    """Return the partition of a dead letter: put if absent, read by its full key."""
    return f"DEAD#{message_id}"


API_KEYS: Final = "KEYS"
"""Partition of all API keys: one is read by its full key, all are listed by one query."""

_API_KEY: Final = "KEY#"


def api_key(key_id: str) -> str:
    """Return the sort key of an API key: put if absent."""
    return f"{_API_KEY}{key_id}"


def api_key_of(sort_key: str) -> str:
    """Return the id of an API key's item: the inverse of ``api_key``."""
    return sort_key[len(_API_KEY) :]


def rate(key_id: str) -> str:
    """Return the partition that counts the calls of an API key, minute by minute."""
    return f"RATE#{key_id}"


def minute(number: int) -> str:
    """Return the sort key of a minute's count: updated by its full key."""
    return f"{number:010}"


def due(shard: int) -> str:
    """Return a partition of the due index: queried by time, earliest first."""
    return f"DUE#{shard}"


def due_of(run_id: str) -> str:
    """Return the partition of the due index that holds everything of a run until it ends."""
    return due(crc32(run_id.encode()) % SHARDS)


def removal_of(run_id: str) -> str:
    """Return the partition of the due index that holds a run which is to be removed."""
    return due(SHARDS + crc32(run_id.encode()) % SHARDS)


def listed(workflow: str, status: RunStatus) -> str:
    """Return a partition of the list index: queried by run id, newest first."""
    return f"LIST#{workflow}#{status}"
