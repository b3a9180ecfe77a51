"""API keys as programs manage them: over HTTP with an admin's key, or at the table itself."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from everstep.app import keys as app
from everstep.client.transport import Call, path
from everstep.core.durations import DAY, SECOND
from everstep.http.keys import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from everstep.app.keys import Issued, KeyRequest, Keys
    from everstep.client.transport import Transport
    from everstep.core.api_keys import ApiKey

OVERLAP: Final = DAY
"""Milliseconds for which the present secret stays good at a rotation."""


class KeyInfo(BaseModel):
    """An API key, without its secret.

    Attributes:
        key_id: Names the key.
        name: What people call it.
        status: ``ACTIVE``, ``EXPIRED`` or ``REVOKED``.
        scopes: What it is good for.
        workflows: The workflows that it is limited to; none for no limit.
        rate: Calls that it may make in a minute; None for no limit of its own.
        created_at: When it was made.
        expires_at: From when on it is good no more; None for never.
        revoked_at: When it was revoked.
        last_used_at: When it was used last, within an hour.
        former_secret_until: Until when the secret before is good, after a rotation.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    key_id: str
    name: str
    status: str
    scopes: tuple[str, ...]
    workflows: tuple[str, ...] = ()
    rate: int | None = None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    former_secret_until: datetime | None = None


class IssuedKey(KeyInfo):
    """An API key that was just made or rotated.

    Attributes:
        key: What its owner presents; nobody can show it again.
    """

    key: str = Field(repr=False)


class KeyRing(Protocol):
    """Manages the API keys of a deployment."""

    def create(self, request: KeyRequest) -> IssuedKey:
        """Make a key.

        Raises:
            InvalidRequestError: Something of it makes no sense.
        """

    def list(self) -> tuple[KeyInfo, ...]:
        """Return every key, oldest first."""

    def revoke(self, key_id: str) -> KeyInfo:
        """Let a key be good no more.

        Raises:
            KeyNotFoundError: There is no such key.
        """

    def rotate(
        self, key_id: str, *, overlap: int = OVERLAP, lifetime: int | None = None
    ) -> IssuedKey:
        """Give a key another secret; the present one stays good for a while.

        Args:
            key_id: The key.
            overlap: For how many milliseconds the present secret stays good.
            lifetime: For how many milliseconds from now the key is good; None for as long as
                it was to be.

        Raises:
            KeyNotFoundError: There is no such key.
            IllegalStateError: It is revoked or has expired.
        """


class KeysOverHttp:
    """The keys of a deployment through its API; the client's own key has the scope admin."""

    def __init__(self, transport: Transport) -> None:
        """Use this transport."""
        self._transport = transport

    def create(self, request: KeyRequest) -> IssuedKey:
        """Make a key, see ``KeyRing``. It is not tried again if the answer is lost."""
        body = {
            "name": request.name,
            "scopes": list(request.scopes),
            "workflows": list(request.workflows),
            **_seconds("expires_in", request.lifetime),
            **({} if request.rate is None else {"rate": request.rate}),
        }
        call = Call(method="POST", path=path("keys"), body=body, repeatable=False)
        return IssuedKey.model_validate(self._transport.send(call).body)

    def list(self) -> tuple[KeyInfo, ...]:
        """Return every key, see ``KeyRing``."""
        found: list[KeyInfo] = []
        query: list[tuple[str, str]] = []
        while True:
            call = Call(method="GET", path=path("keys"), query=query)
            body = self._transport.send(call).body
            found += map(KeyInfo.model_validate, body["keys"])
            if body.get("cursor") is None:
                return tuple(found)
            query = [("cursor", body["cursor"])]

    def revoke(self, key_id: str) -> KeyInfo:
        """Let a key be good no more, see ``KeyRing``."""
        call = Call(method="DELETE", path=path("keys", key_id))
        return KeyInfo.model_validate(self._transport.send(call).body)

    def rotate(
        self, key_id: str, *, overlap: int = OVERLAP, lifetime: int | None = None
    ) -> IssuedKey:
        """Give a key another secret, see ``KeyRing``."""
        call = Call(
            method="POST",
            path=path("keys", key_id, "rotate"),
            body={**_seconds("overlap", overlap), **_seconds("expires_in", lifetime)},
            repeatable=False,
        )
        return IssuedKey.model_validate(self._transport.send(call).body)


class KeysAtTable:
    """The keys of a deployment in its table, for whoever may write to that."""

    def __init__(self, keys: Keys) -> None:
        """Use these ports."""
        self._keys = keys

    def create(self, request: KeyRequest) -> IssuedKey:
        """Make a key, see ``KeyRing``."""
        return self._issued(app.create_key(self._keys, request))

    def list(self) -> tuple[KeyInfo, ...]:
        """Return every key, see ``KeyRing``."""
        now = self._keys.clock.now()
        return tuple(KeyInfo.model_validate(shown(each, now)) for each in self._every())

    def revoke(self, key_id: str) -> KeyInfo:
        """Let a key be good no more, see ``KeyRing``."""
        revoked = app.revoke_key(self._keys, key_id)
        return KeyInfo.model_validate(shown(revoked, self._keys.clock.now()))

    def rotate(
        self, key_id: str, *, overlap: int = OVERLAP, lifetime: int | None = None
    ) -> IssuedKey:
        """Give a key another secret, see ``KeyRing``."""
        return self._issued(app.rotate_key(self._keys, key_id, overlap=overlap, lifetime=lifetime))

    def _every(self) -> Iterable[ApiKey]:
        return app.list_keys(self._keys)

    def _issued(self, issued: Issued) -> IssuedKey:
        known = shown(issued.key, self._keys.clock.now())
        return IssuedKey.model_validate({**known, "key": issued.text})


def _seconds(name: str, millis: int | None) -> Mapping[str, Any]:
    return {} if millis is None else {name: millis // SECOND}
