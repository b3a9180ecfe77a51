"""Answers to callbacks over HTTP: whoever has the token in the path may give one.

The token is as good as a password. It stands in no answer, no error and no line of a log.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from everstep.app.callbacks import complete_callback, fail_callback, heartbeat_callback
from everstep.core.errors import (
    CallbackGoneError,
    CallbackNotFoundError,
    IllegalStateError,
    InvalidRequestError,
)
from everstep.core.meter import called
from everstep.core.records import dataclass
from everstep.http.contract import Nothing, Payload
from everstep.http.queries import LONGEST_TYPE, FailBody
from everstep.http.routes import Reply, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.app.engine import Engine
    from everstep.core.meter import Meter
    from everstep.core.scoped import scoped
    from everstep.http.requests import Request


def callback_routes(engine: Engine) -> Sequence[Route]:
    """Return the routes by which callbacks are answered."""
    calls = _Calls(engine)
    route = partial(
        Route, method="POST", problems=(CallbackNotFoundError, CallbackGoneError, IllegalStateError)
    )
    kept = {200: "CallbackAnswered", 202: "CallbackAnswered"}
    return (
        route(
            rule="/callbacks/<token>/complete",
            call=calls.complete,
            summary="Complete a callback with a value.",
            answers=kept,
            body=Payload,
            largest=engine.limits.payload,
        ),
        route(
            rule="/callbacks/<token>/fail",
            call=calls.fail,
            summary="Let a callback fail.",
            answers=kept,
            body=FailBody,
            largest=engine.limits.payload,
        ),
        route(
            rule="/callbacks/<token>/heartbeat",
            call=calls.heartbeat,
            summary="Give a sign of life of whoever works on a callback.",
            answers={200: "CallbackAnswered"},
            body=Nothing,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Calls:
    engine: Engine

    def complete(self, request: Request) -> Reply:
        """Keep the value: 202, or 200 if the same one was kept before."""
        value = request.given(Payload).root
        with self._called():
            created = complete_callback(self.engine, request.parameters["token"], value)
        return _kept("completed", created=created)

    def fail(self, request: Request) -> Reply:
        """Keep the failure: 202, or 200 if the same one was kept before."""
        failure = request.given(FailBody)
        if not failure.type.isprintable():
            raise InvalidRequestError(f"type must be 1 to {LONGEST_TYPE} printable characters")
        token = request.parameters["token"]
        with self._called():
            created = fail_callback(self.engine, token, failure.type, failure.message)
        return _kept("failed", created=created)

    def heartbeat(self, request: Request) -> Reply:
        with self._called():
            heartbeat_callback(self.engine, request.parameters["token"])
        return Reply(body={"status": "alive"})

    def _called(self) -> scoped[Meter]:
        return called(self.engine.memory, self.engine.clock.ticks())


def _kept(status: str, *, created: bool) -> Reply:
    return Reply(status=202 if created else 200, body={"status": status})
