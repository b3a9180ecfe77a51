"""API keys over HTTP: whoever has the scope admin makes, lists, rotates and revokes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from everstep.app.keys import KeyRequest, create_key, list_keys, revoke_key, rotate_key
from everstep.core.durations import DAY, SECOND, to_iso
from everstep.core.errors import InvalidRequestError
from everstep.http.application import Reply, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from everstep.app.keys import Issued, Keys
    from everstep.core.api_keys import ApiKey
    from everstep.http.requests import Request

OVERLAP: Final = DAY
"""For how long the present secret stays good at a rotation, unless the caller says."""
LONGEST: Final = 100 * 365 * DAY
_LARGEST_BODY: Final = 16_384
_ROTATION: Final = frozenset({"overlap", "expires_in"})
_KEY: Final = frozenset({"name", "scopes", "workflows", "expires_in", "rate"})


def key_routes(keys: Callable[[], Keys]) -> Sequence[Route]:
    """Return the routes by which API keys are managed.

    Args:
        keys: Makes what the use cases need, at the first call.
    """
    calls = _Calls(keys)
    return (
        Route(method="GET", rule="/keys", call=calls.every),
        Route(method="POST", rule="/keys", call=calls.create),
        Route(method="DELETE", rule="/keys/<key_id>", call=calls.revoke),
        Route(method="POST", rule="/keys/<key_id>/rotate", call=calls.rotate),
    )


def shown(key: ApiKey, now: int) -> dict[str, Any]:
    """Return a key as JSON: nothing of its secret, nor of what is kept of it."""
    return {
        "key_id": key.key_id,
        "name": key.name,
        "status": key.state(now),
        "scopes": sorted(key.scopes),
        "workflows": sorted(key.workflows),
        "rate": key.rate,
        "created_at": to_iso(key.created_at),
        "expires_at": _time(key.expires_at),
        "revoked_at": _time(key.revoked_at),
        "last_used_at": _time(key.last_used_at),
        "former_secret_until": None if key.former is None else to_iso(key.former.until),
    }


def _time(millis: int | None) -> str | None:
    return None if millis is None else to_iso(millis)


@dataclass(frozen=True, slots=True)
class _Calls:
    keys: Callable[[], Keys]

    def every(self, _request: Request) -> Reply:
        keys = self.keys()
        now = keys.clock.now()
        return Reply(body={"keys": [shown(each, now) for each in list_keys(keys)]})

    def create(self, request: Request) -> Reply:
        """Make a key: 201, and the only time that it is shown."""
        keys, fields = self.keys(), _fields(request, _KEY)
        asked = KeyRequest(
            name=_text(fields, "name"),
            scopes=_texts(fields, "scopes"),
            workflows=_texts(fields, "workflows"),
            lifetime=_duration(fields, "expires_in"),
            rate=_number(fields, "rate"),
        )
        return _issued(keys, create_key(keys, asked), 201)

    def revoke(self, request: Request) -> Reply:
        keys = self.keys()
        revoked = revoke_key(keys, request.parameters["key_id"])
        return Reply(body=shown(revoked, keys.clock.now()))

    def rotate(self, request: Request) -> Reply:
        """Give a key another secret: 200, and the only time that it is shown."""
        keys, fields = self.keys(), _fields(request, _ROTATION)
        overlap = _duration(fields, "overlap")
        issued = rotate_key(
            keys,
            request.parameters["key_id"],
            overlap=OVERLAP if overlap is None else overlap,
            lifetime=_duration(fields, "expires_in"),
        )
        return _issued(keys, issued, 200)


def _issued(keys: Keys, issued: Issued, status: int) -> Reply:
    body = {**shown(issued.key, keys.clock.now()), "key": issued.text}
    return Reply(status=status, body=body)


def _fields(request: Request, allowed: frozenset[str]) -> Mapping[str, Any]:
    body = request.json(_LARGEST_BODY)
    fields = {} if body is None else body
    if not isinstance(fields, dict) or not fields.keys() <= allowed:
        raise InvalidRequestError(f"the body may be an object with {', '.join(sorted(allowed))}")
    return fields


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise InvalidRequestError(f"{name} must be text")
    return value


def _texts(fields: Mapping[str, Any], name: str) -> list[str]:
    value = fields.get(name, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidRequestError(f"{name} must be a list of texts")
    return value


def _number(fields: Mapping[str, Any], name: str) -> int | None:
    value = fields.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise InvalidRequestError(f"{name} must be a whole number")
    return value


def _duration(fields: Mapping[str, Any], name: str) -> int | None:
    seconds = _number(fields, name)
    if seconds is not None and not 0 <= seconds * SECOND <= LONGEST:
        raise InvalidRequestError(f"{name} must be 0 to {LONGEST // SECOND} seconds")
    return None if seconds is None else seconds * SECOND
