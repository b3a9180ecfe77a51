"""The API's own routes, called in this process: no network but that of AWS itself."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from everstep.client.transport import Answer, shown
from everstep.core.codec import dumps
from everstep.http.api import api_routes
from everstep.http.faults import NoSuchRouteError
from everstep.http.requests import Request, unquoted
from everstep.http.trigger import trigger_routes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from everstep.app.engine import Engine
    from everstep.client.transport import Call
    from everstep.http.routes import Route

_VARIABLE: Final = re.compile(r"<(\w+)>")
_NO_LIMIT: Final = 2**31


@dataclass(frozen=True, slots=True)
class _Here:
    """Stands for Lambda's context: this process has all the time in the world."""

    aws_request_id: str = "direct"

    def get_remaining_time_in_millis(self) -> int:
        return _NO_LIMIT


class DirectTransport:
    """Do what the API would do, with the caller's own credentials.

    Requests are checked, and answers written, by the same code as there. So nothing is different
    but who does it; and what the API keeps to itself, such as a refusal of AWS, is told.
    """

    def __init__(
        self,
        engine: Callable[[], Engine],
        headers: Mapping[str, str],
        sleep: Callable[[float], None],
    ) -> None:
        """Prepare for calls.

        Args:
            engine: Gives the ports; asked for each call.
            headers: What every call says.
            sleep: Waits for so many seconds.
        """
        self._engine = engine
        self._headers = headers
        self._sleep = sleep

    def send(self, call: Call) -> Answer:
        """Return the answer to a call, see ``Transport``."""
        engine = self._engine()
        routes = [*trigger_routes(engine), *api_routes(engine, self._sleep)]
        route, parameters = _found(routes, call)
        reply = route.answer(self._request(call, parameters))
        # As it would be read by a caller far away.
        return Answer(status=reply.status, body=json.loads(dumps(reply.body or {})))

    def close(self) -> None:
        """Do nothing: AWS clients hold what others may use."""

    def _request(self, call: Call, parameters: Mapping[str, str]) -> Request:
        query: dict[str, list[str]] = {}
        for name, value in call.query:
            query.setdefault(name, []).append(value)
        headers = {"content-type": "application/json", **self._headers, **call.headers}
        return Request(
            path=call.path,
            parameters=unquoted(parameters),
            query=query,
            headers={name.lower(): value for name, value in headers.items()},
            body=b"" if call.body is None else dumps(call.body).encode(),
            context=_Here(),
        )


def _found(routes: Sequence[Route], call: Call) -> tuple[Route, Mapping[str, str]]:
    for route in routes:
        pattern = _VARIABLE.sub(r"(?P<\1>[^/]+)", route.rule)
        found = re.fullmatch(pattern, call.path)
        if found is not None and route.method == call.method:
            return route, found.groupdict()
    raise NoSuchRouteError(f"there is nothing at {shown(call.path)[:200]}")
