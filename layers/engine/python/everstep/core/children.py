"""The identity of child runs: it follows from the operation that starts them."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from everstep.core.ids import LATEST, letters

if TYPE_CHECKING:
    from everstep.core.model import Head

_LETTERS: Final = 26
_CHANCE_BYTES: Final = 10


def child_id(parent: str, key: str, at: int) -> str:
    """Return the id of the run that an operation starts: a ULID, the same for everybody.

    Args:
        parent: Id of the run that the operation belongs to.
        key: The operation.
        at: When the run's code asked for it.
    """
    chance = hashlib.sha256(f"{parent}/{key}".encode()).digest()[:_CHANCE_BYTES]
    return letters(int.from_bytes(min(at, LATEST).to_bytes(6) + chance), _LETTERS)


def child_secret(parent_secret: str, key: str) -> str:
    """Return what a child run's callback tokens are made of; nobody outside can know it."""
    return hmac.new(parent_secret.encode(), key.encode(), "sha256").hexdigest()[:32]


def is_same_run(stored: Head, head: Head) -> bool:
    """Say whether a head that is there was written by whoever wants to write this one.

    The operation that starts a child run does so again whenever nobody knows whether it did, also
    when the child has long gone on.
    """
    if head.parent is not None:
        return stored.parent == head.parent
    return stored.by == head.by
