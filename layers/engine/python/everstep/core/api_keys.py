"""API keys: how one is written, what is kept of it, and when it is good.

A key is ``evs_<id>_<secret>``. The id finds its record, the secret proves that it is the caller's.
Only a hash of the secret is kept. A plain SHA-256 does, because a secret is 128 random bits and no
password: there is nothing to try. The id is part of what is hashed, so a hash that is copied to the
record of another key opens nothing.

When a key is rotated, its former secret stays good for a while, so that nobody is locked out while
the new one is handed on.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from everstep.core.durations import MINUTE
from everstep.core.records import dataclass, replace

if TYPE_CHECKING:
    from everstep.core.access import Scope

PREFIX: Final = "evs"
ID_LENGTH: Final = 12
LAST_USE_EVERY: Final = 60 * MINUTE
"""How exactly the last use is known: it is recorded at most once in this time."""
_FORM: Final = re.compile(rf"{PREFIX}_([0-9a-f]{{{ID_LENGTH}}})_([0-9a-f]{{32}})")
_ID: Final = re.compile(rf"[0-9a-f]{{{ID_LENGTH}}}")
_NOBODYS: Final = hashlib.sha256(b"no key").hexdigest()


class KeyState(StrEnum):
    """Whether a key is good, or why not."""

    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


class Refusal(StrEnum):
    """Why a caller is refused; for the log, callers are told none of it."""

    MALFORMED = "malformed"
    UNKNOWN = "unknown key"
    WRONG_SECRET = "wrong secret"  # noqa: S105 - a reason
    EXPIRED = "expired"
    REVOKED = "revoked"


_REFUSED: Final = {KeyState.REVOKED: Refusal.REVOKED, KeyState.EXPIRED: Refusal.EXPIRED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """The secret that a key had before it was rotated."""

    hash: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is kept of a key. Times are milliseconds since 1970.

    Attributes:
        key_id: Names the key, in public.
        name: What people call it.
        scopes: What it is good for.
        workflows: The workflows that it is limited to; none for no limit.
        hash: Of its secret.
        created_at: When it was made.
        expires_at: From when on it is good no more; None for never.
        revoked_at: When it was revoked.
        rate: Calls that it may make in a minute; None for as many as the stage lets through.
        last_used_at: When it was used last, within an hour.
        former: The secret before, while that is still good.
        revision: Counts what was done to the record.
    """

    key_id: str
    name: str
    scopes: frozenset[Scope]
    workflows: frozenset[str]
    hash: str
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    rate: int | None = None
    last_used_at: int | None = None
    former: Former | None = None
    revision: int = 1

    def state(self, now: int) -> KeyState:
        """Return whether the key is good at a time."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        if self.expires_at is not None and now >= self.expires_at:
            return KeyState.EXPIRED
        return KeyState.ACTIVE

    def use_is_news(self, now: int) -> bool:
        """Say whether it is time to record that the key was used."""
        return self.last_used_at is None or now - self.last_used_at >= LAST_USE_EVERY

    def revoked(self, now: int) -> ApiKey:
        """Return the key as it is once it is revoked."""
        return replace(self, revoked_at=now, former=None, revision=self.revision + 1)

    def rotated(self, secret: str, *, former_until: int | None, expires_at: int | None) -> ApiKey:
        """Return the key with another secret.

        Args:
            secret: The new one.
            former_until: Until when the present one stays good; None for not at all.
            expires_at: From when on the key is good no more.
        """
        former = None if former_until is None else Former(hash=self.hash, until=former_until)
        return replace(
            self,
            hash=digest(self.key_id, secret),
            former=former,
            expires_at=expires_at,
            revision=self.revision + 1,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a caller presents."""

    key_id: str
    secret: str

    def __repr__(self) -> str:
        """Show whose it claims to be, and never the secret."""
        return f"Presented(key_id={self.key_id!r})"


def written(key_id: str, secret: str) -> str:
    """Return a key as its owner gets it, once."""
    return f"{PREFIX}_{key_id}_{secret}"


def parse(text: str) -> Presented | None:
    """Return the parts of a key; None if it is none."""
    found = _FORM.fullmatch(text)
    return None if found is None else Presented(key_id=found[1], secret=found[2])


def is_key_id(text: str) -> bool:
    """Say whether this can be the id of a key."""
    return _ID.fullmatch(text) is not None


def digest(key_id: str, secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(f"{PREFIX}:{key_id}:{secret}".encode()).hexdigest()


def refusal(presented: Presented, key: ApiKey | None, now: int) -> Refusal | None:
    """Return why a caller is refused; None if the key is good.

    An unknown key costs as much as a wrong secret: the same hash, the same two comparisons, which
    take as long whatever they find.

    Args:
        presented: What the caller presents.
        key: The record of that id; None if there is none.
        now: Milliseconds since 1970.
    """
    given = digest(presented.key_id, presented.secret)
    current = _NOBODYS if key is None else key.hash
    former = _NOBODYS if key is None or key.former is None else key.former.hash
    is_current = hmac.compare_digest(given, current)
    is_former = hmac.compare_digest(given, former)
    if key is None:
        return Refusal.UNKNOWN
    if not is_current and not (is_former and key.former is not None and now < key.former.until):
        return Refusal.WRONG_SECRET
    return _REFUSED.get(key.state(now))
