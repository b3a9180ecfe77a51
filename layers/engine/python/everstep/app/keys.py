"""Make, list, change and verify API keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from everstep.core.access import Scope
from everstep.core.api_keys import (
    ID_LENGTH,
    ApiKey,
    KeyState,
    Refusal,
    digest,
    is_key_id,
    parse,
    refusal,
    written,
)
from everstep.core.denials import KeyNotFoundError
from everstep.core.errors import (
    IllegalStateError,
    InvalidRequestError,
    UnavailableError,
)
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from everstep.ports import Clock, Ids, KeyStore

LONGEST_NAME: Final = 100
MOST_WORKFLOWS: Final = 16
"""API Gateway takes 8 KB of an authorizer, in which each workflow stands twice."""
HIGHEST_RATE: Final = 100_000
_CONTENTION: Final = 20
# What could stand for something else in a policy, or be written in several ways in a path.
_PLAIN: Final = re.compile(r"[0-9A-Za-z._-]{1,100}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What the use cases of keys need."""

    store: KeyStore
    clock: Clock
    ids: Ids


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRequest:
    """A key that somebody asks for.

    Attributes:
        name: What people will call it.
        scopes: What it is to be good for, by name.
        workflows: The workflows that it is limited to; none for no limit.
        lifetime: For how many milliseconds it is good; None for ever.
        rate: Calls that it may make in a minute; None for no limit of its own.
    """

    name: str
    scopes: Iterable[str]
    workflows: Iterable[str] = ()
    lifetime: int | None = None
    rate: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A key with its secret, which is nowhere else.

    Attributes:
        key: What is kept.
        text: What its owner presents; shown once.
    """

    key: ApiKey
    text: str

    def __repr__(self) -> str:
        """Show which key it is, and never the secret."""
        return f"Issued(key_id={self.key.key_id!r})"


def create_key(keys: Keys, request: KeyRequest) -> Issued:
    """Make a key.

    Raises:
        InvalidRequestError: Something of it makes no sense.
        UnavailableError: It may or may not have been made; nobody has its secret.
    """
    now = keys.clock.now()
    scopes = _scopes(request.scopes)
    workflows = _workflows(request.workflows)
    if Scope.ADMIN in scopes and workflows:
        raise InvalidRequestError("a key with the scope admin cannot be limited to workflows")
    expires_at = _expiry(now, request.lifetime)
    _check_name(request.name)
    _check_rate(request.rate)
    for _ in range(_CONTENTION):
        key_id, secret = keys.ids.secret()[:ID_LENGTH], keys.ids.secret()
        key = ApiKey(
            key_id=key_id,
            name=request.name,
            scopes=scopes,
            workflows=workflows,
            hash=digest(key_id, secret),
            created_at=now,
            expires_at=expires_at,
            rate=request.rate,
        )
        if keys.store.add(key):
            return Issued(key=key, text=written(key_id, secret))
    raise UnavailableError("no free id was found for the key: try again")


def list_keys(keys: Keys) -> Sequence[ApiKey]:
    """Return every key, oldest first."""
    return sorted(keys.store.every(), key=lambda key: (key.created_at, key.key_id))


def revoke_key(keys: Keys, key_id: str) -> ApiKey:
    """Let a key be good no more; revoking it again changes nothing.

    What was verified before may be remembered for as long as the authorizer's answers are.

    Raises:
        KeyNotFoundError: There is no such key.
        UnavailableError: Nothing is known; the same call again is harmless.
    """
    for _ in range(_CONTENTION):
        key = _get(keys, key_id)
        if key.revoked_at is not None:
            return key
        changed = key.revoked(keys.clock.now())
        if keys.store.replace(changed):
            return changed
    raise UnavailableError(f"key {key_id} is changed by many at the same time: try again")


def rotate_key(keys: Keys, key_id: str, *, overlap: int, lifetime: int | None = None) -> Issued:
    """Give a key another secret; the present one stays good for a while.

    Args:
        keys: The ports.
        key_id: The key.
        overlap: For how many milliseconds the present secret stays good. One from before an
            earlier rotation does not.
        lifetime: For how many milliseconds from now the key is good; None for as long as it
            was to be.

    Raises:
        KeyNotFoundError: There is no such key.
        IllegalStateError: It is revoked, or has expired and is given no new lifetime.
        UnavailableError: It may or may not have been rotated; the present secret is good either
            way, for the overlap at least.
    """
    now = keys.clock.now()
    for _ in range(_CONTENTION):
        key = _get(keys, key_id)
        if key.state(now) is KeyState.REVOKED:
            raise IllegalStateError(f"key {key_id} is revoked: make a new one")
        expires_at = key.expires_at if lifetime is None else _expiry(now, lifetime)
        if expires_at is not None and expires_at <= now:
            raise IllegalStateError(f"key {key_id} has expired: say for how long it is to be good")
        secret = keys.ids.secret()
        until = now + overlap if overlap > 0 else None
        changed = key.rotated(secret, former_until=until, expires_at=expires_at)
        if keys.store.replace(changed):
            return Issued(key=changed, text=written(key_id, secret))
    raise UnavailableError(f"key {key_id} is changed by many at the same time: try again")


def verify(keys: Keys, text: str) -> ApiKey | Refusal:
    """Return the key that a caller presents, or why he is refused.

    Its use is recorded if that was not done for an hour: no verification but the first of an hour
    writes.

    Raises:
        UnavailableError: Nothing is known.
    """
    presented = parse(text)
    if presented is None:
        return Refusal.MALFORMED
    now = keys.clock.now()
    key = keys.store.get(presented.key_id)
    refused = refusal(presented, key, now)
    if key is None or refused is not None:
        return refused or Refusal.UNKNOWN
    if key.use_is_news(now):
        _record_use(keys, key, now)
    return key


def _record_use(keys: Keys, key: ApiKey, now: int) -> None:
    try:
        keys.store.touch(key.key_id, now, key.last_used_at)
    except UnavailableError:
        # Nobody is refused for that: the next verification records its own.
        return


def _get(keys: Keys, key_id: str) -> ApiKey:
    key = keys.store.get(key_id) if is_key_id(key_id) else None
    if key is None:
        raise KeyNotFoundError(key_id)
    return key


def _scopes(names: Iterable[str]) -> frozenset[Scope]:
    given = list(names)
    known = {scope.value for scope in Scope}
    wrong = [name for name in given if name not in known]
    if wrong or not given:
        said = repr(wrong[0][:40]) if wrong else "none"
        raise InvalidRequestError(f"scopes must be some of {', '.join(Scope)}, not {said}")
    return frozenset(map(Scope, given))


def _workflows(names: Iterable[str]) -> frozenset[str]:
    given = frozenset(names)
    wrong = sorted(name for name in given if _PLAIN.fullmatch(name) is None)
    if wrong:
        raise InvalidRequestError(
            "a key can be limited to workflows whose names are 1 to 100 letters, digits, dots, "
            f"hyphens and underscores, not to {wrong[0][:40]!r}"
        )
    if len(given) > MOST_WORKFLOWS:
        raise InvalidRequestError(
            f"a key can be limited to at most {MOST_WORKFLOWS} workflows, not to {len(given)}"
        )
    return given


def _expiry(now: int, lifetime: int | None) -> int | None:
    if lifetime is None:
        return None
    if lifetime <= 0:
        raise InvalidRequestError("a key must be good for more than no time")
    return now + lifetime


def _check_name(name: str) -> None:
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        raise InvalidRequestError(f"the name must be 1 to {LONGEST_NAME} printable characters")


def _check_rate(rate: int | None) -> None:
    if rate is not None and not 1 <= rate <= HIGHEST_RATE:
        raise InvalidRequestError(f"the rate must be 1 to {HIGHEST_RATE} calls a minute")
