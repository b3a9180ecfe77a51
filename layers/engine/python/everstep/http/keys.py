"""API keys over HTTP: whoever has the scope admin makes, lists, rotates and revokes them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from everstep.app.keys import KeyRequest, create_key, list_keys, revoke_key, rotate_key
from everstep.app.pages import page_of
from everstep.core.denials import KeyNotFoundError
from everstep.core.durations import DAY, SECOND, to_iso
from everstep.core.errors import IllegalStateError
from everstep.core.records import dataclass
from everstep.http.queries import KeyBody, PageQuery, RotationBody
from everstep.http.routes import Reply, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from everstep.app.keys import Issued, Keys
    from everstep.core.api_keys import ApiKey
    from everstep.http.requests import Request

OVERLAP: Final = DAY
"""For how long the present secret stays good at a rotation, unless the caller says."""


def key_routes(keys: Callable[[], Keys]) -> Sequence[Route]:
    """Return the routes by which API keys are managed.

    Args:
        keys: Makes what the use cases need, at the first call.
    """
    calls = _Calls(keys)
    of_key = partial(Route, problems=(KeyNotFoundError, IllegalStateError))
    return (
        Route(
            method="GET",
            rule="/keys",
            call=calls.every,
            summary="List API keys, without their secrets.",
            answers={200: "KeyPage"},
            query=PageQuery,
        ),
        Route(
            method="POST",
            rule="/keys",
            call=calls.create,
            summary="Make an API key: it is shown this once.",
            answers={201: "KeyIssued"},
            body=KeyBody,
        ),
        of_key(
            method="DELETE",
            rule="/keys/<key_id>",
            call=calls.revoke,
            summary="Revoke an API key.",
            answers={200: "KeyShown"},
        ),
        of_key(
            method="POST",
            rule="/keys/<key_id>/rotate",
            call=calls.rotate,
            summary="Give an API key another secret: it is shown this once.",
            answers={200: "KeyIssued"},
            body=RotationBody,
        ),
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

    def every(self, request: Request) -> Reply:
        keys, asked = self.keys(), request.given(PageQuery)
        now = keys.clock.now()
        found = page_of(
            list_keys(keys), lambda each: each.key_id, limit=asked.limit, cursor=asked.cursor
        )
        shown_keys = [shown(each, now) for each in found.items]
        return Reply(body={"keys": shown_keys, "cursor": found.cursor})

    def create(self, request: Request) -> Reply:
        """Make a key: 201, and the only time that it is shown."""
        keys, said = self.keys(), request.given(KeyBody)
        asked = KeyRequest(
            name=said.name,
            scopes=said.scopes,
            workflows=said.workflows,
            lifetime=_millis(said.expires_in),
            rate=said.rate,
        )
        return _issued(keys, create_key(keys, asked), 201)

    def revoke(self, request: Request) -> Reply:
        keys = self.keys()
        revoked = revoke_key(keys, request.parameters["key_id"])
        return Reply(body=shown(revoked, keys.clock.now()))

    def rotate(self, request: Request) -> Reply:
        """Give a key another secret: 200, and the only time that it is shown."""
        keys, said = self.keys(), request.given(RotationBody)
        overlap = _millis(said.overlap)
        issued = rotate_key(
            keys,
            request.parameters["key_id"],
            overlap=OVERLAP if overlap is None else overlap,
            lifetime=_millis(said.expires_in),
        )
        return _issued(keys, issued, 200)


def _issued(keys: Keys, issued: Issued, status: int) -> Reply:
    body = {**shown(issued.key, keys.clock.now()), "key": issued.text}
    return Reply(status=status, body=body)


def _millis(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * SECOND
