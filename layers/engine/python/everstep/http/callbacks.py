"""Answers to callbacks over HTTP: whoever has the token in the path may give one.

The token is as good as a password. It stands in no answer, no error and no line of a log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from everstep.app.callbacks import complete_callback, fail_callback, heartbeat_callback
from everstep.core.errors import InvalidRequestError
from everstep.http.application import Reply, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.app.engine import Engine
    from everstep.http.requests import Request

_LONGEST_TYPE: Final = 200


def callback_routes(engine: Engine) -> Sequence[Route]:
    """Return the routes by which callbacks are answered."""
    calls = _Calls(engine)
    return (
        Route(method="POST", rule="/callbacks/<token>/complete", call=calls.complete),
        Route(method="POST", rule="/callbacks/<token>/fail", call=calls.fail),
        Route(method="POST", rule="/callbacks/<token>/heartbeat", call=calls.heartbeat),
    )


@dataclass(frozen=True, slots=True)
class _Calls:
    engine: Engine

    def complete(self, request: Request) -> Reply:
        """Keep the value: 202, or 200 if the same one was kept before."""
        value = request.json(self.engine.limits.payload)
        created = complete_callback(self.engine, request.parameters["token"], value)
        return _kept("completed", created=created)

    def fail(self, request: Request) -> Reply:
        """Keep the failure: 202, or 200 if the same one was kept before."""
        kind, message = _failure(request.json(self.engine.limits.payload))
        created = fail_callback(self.engine, request.parameters["token"], kind, message)
        return _kept("failed", created=created)

    def heartbeat(self, request: Request) -> Reply:
        if request.json(self.engine.limits.payload) not in (None, {}):
            raise InvalidRequestError("a sign of life has no body")
        heartbeat_callback(self.engine, request.parameters["token"])
        return Reply(body={"status": "alive"})


def _kept(status: str, *, created: bool) -> Reply:
    return Reply(status=202 if created else 200, body={"status": status})


def _failure(body: object) -> tuple[str, str]:
    fields: dict[str, Any] = body if isinstance(body, dict) else {}
    kind, message = fields.get("type"), fields.get("message", "")
    if not fields.keys() <= {"type", "message"} or not isinstance(kind, str):
        raise InvalidRequestError("the body must be an object with type and, if any, message")
    if not (0 < len(kind) <= _LONGEST_TYPE and kind.isprintable()):
        raise InvalidRequestError(f"type must be 1 to {_LONGEST_TYPE} printable characters")
    if not isinstance(message, str):
        raise InvalidRequestError("message must be text")
    return kind, message
