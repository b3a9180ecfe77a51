"""Run a route: match, check, call, answer; no exception leaves it."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.event_handler.api_gateway import APIGatewayRestResolver, Response

from everstep.adapters.errors import MissingBlobError
from everstep.core.masking import BY_NAME
from everstep.http.cors import NO_CORS, Cors
from everstep.http.faults import AnswerTooLargeError, MethodNotAllowedError, NoSuchRouteError
from everstep.http.problems import INTERNAL, MEDIA_TYPE, problem
from everstep.http.requests import check_sizes, headers_of, read_request
from everstep.http.routes import Reply, Route
from everstep.logs import described

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from everstep.core.masking import Masking
    from everstep.http.admission import Gate
    from everstep.http.requests import LambdaContext

__all__ = ["Application", "Reply", "Route"]

LARGEST_ANSWER: Final = 5_500_000
"""Bytes of JSON; Lambda lets 6 MB through, in which the answer is JSON once more."""
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_JSON: Final = "application/json"
_TOKEN: Final = re.compile(r"(?<=/callbacks/)[^/]+")
"""As good as a password: it is not repeated to anybody."""
_LOG: Final = logging.getLogger("everstep.http")


class Application:
    """The handler of a function behind API Gateway."""

    def __init__(
        self,
        routes: Iterable[Route],
        gate: Gate | None = None,
        cors: Cors = NO_CORS,
        masking: Masking = BY_NAME,
    ) -> None:
        """Register the routes, and for every other method of their paths what it is answered.

        Args:
            routes: What there is.
            gate: Lets calls in; None lets in everybody.
            cors: Whose pages may read the answers.
            masking: What is masked in what is told of errors.
        """
        self._masking = masking
        # Not its `enable_validation`, which would cost every cold start more than all else here:
        # requests are checked by the routes' own models.
        self._resolver = APIGatewayRestResolver(debug=False)
        self._gate = gate
        self._cors = cors
        by_rule: dict[str, dict[str, Route]] = {}
        for route in routes:
            by_rule.setdefault(route.rule, {})[route.method] = route
        for rule, found in by_rule.items():
            for method in _METHODS:
                self._resolver.route(rule, method=method)(self._endpoint(method, found))
        self._resolver.not_found(self._nothing_here)

    def __call__(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer an event of API Gateway (REST, proxy integration)."""
        # Typed as powertools' own class, of which it asks nothing at all.
        return self._resolver.resolve(event, context)  # type: ignore[arg-type]

    @property
    def _context(self) -> LambdaContext:
        return self._resolver.lambda_context

    @property
    def _headers(self) -> Mapping[str, str]:
        return headers_of(self._resolver.current_event.raw_event)

    def _endpoint(self, method: str, routes: Mapping[str, Route]) -> Callable[..., Response[str]]:
        offered = _offered(routes)
        route = routes.get("GET" if method == "HEAD" else method)

        def endpoint(**parameters: str) -> Response[str]:
            if route is not None:
                return self._answer(method, route.rule, lambda: self._call(route, parameters))
            rule = next(iter(routes.values())).rule
            return self._answer(method, rule, lambda: self._not_routed(method, offered))

        return endpoint

    def _call(self, route: Route, parameters: Mapping[str, str]) -> Reply:
        event = self._resolver.current_event.raw_event
        request = read_request(event, self._context, parameters)
        check_sizes(request)
        if self._gate is not None:
            request = self._gate.admit(event, route.method, route.rule, request)
        return route.answer(request)

    def _not_routed(self, method: str, offered: list[str]) -> Reply:
        if method != "OPTIONS":
            raise MethodNotAllowedError(method, offered)
        allow = ", ".join(offered)
        return Reply(
            status=204, headers={"Allow": allow, **self._cors.headers(self._headers, allow)}
        )

    def _nothing_here(self, _error: Exception) -> Response[str]:
        event = self._resolver.current_event

        def refuse() -> Reply:
            path = _TOKEN.sub("…", event.path)
            raise NoSuchRouteError(f"there is nothing at {path[:200]}")

        return self._answer(event.http_method, "", refuse)

    def _answer(self, method: str, rule: str, call: Callable[[], Reply]) -> Response[str]:
        request_id = self._context.aws_request_id
        media = _JSON
        try:
            reply = call()
            body = _dump(reply.body)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong is answered, and logged
            told = problem(error, request_id, self._masking)
            _log_fault(error, told.status)
            reply = Reply(status=told.status, body=told.body, headers=told.headers)
            body, media = _dump(told.body), MEDIA_TYPE
        if reply.tagged:
            reply, body = _tagged(reply, body, self._headers.get("if-none-match"))
        _LOG.info("answered", extra={"method": method, "route": rule, "status": reply.status})
        headers = {"Cache-Control": "no-store", "X-Request-Id": request_id}
        return Response(
            status_code=reply.status,
            content_type=media if body else None,
            body="" if method == "HEAD" else body,
            headers={**headers, **self._cors.headers(self._headers), **reply.headers},
        )


def _offered(routes: Iterable[str]) -> list[str]:
    """Return the methods of a path as the Allow header lists them."""
    found = {*routes, "OPTIONS"}
    return [each for each in _METHODS if each in found or (each == "HEAD" and "GET" in found)]


def _tagged(reply: Reply, body: str, known: str | None) -> tuple[Reply, str]:
    """Add the entity tag of exactly these bytes; leave them out for whoever has them."""
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:32]}"'
    # May be kept, but not used without asking.
    headers = {**reply.headers, "ETag": tag, "Cache-Control": "private, no-cache"}
    if known is None or not {"*", tag} & {_strong(each) for each in known.split(",")}:
        return Reply(status=reply.status, body=reply.body, headers=headers), body
    return Reply(status=304, headers=headers), ""


def _strong(tag: str) -> str:
    """Return a tag without the mark that proxies put before it when they compress."""
    return tag.strip().removeprefix("W/")


def _dump(body: Mapping[str, Any] | None) -> str:
    if body is None:
        return ""
    # Messages of errors may hold half a character, which cannot be sent.
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    if len(text) > LARGEST_ANSWER:
        raise AnswerTooLargeError(
            f"the answer has {len(text)} bytes, the limit is {LARGEST_ANSWER}; ask for less: a run "
            "without its steps (?include=), or fewer runs (?limit=)"
        )
    return text.decode()


def _log_fault(error: Exception, status: int) -> None:
    # Nobody who calls can mend a payload that is gone: whoever reads the log is to hear of it.
    if status >= INTERNAL.status or isinstance(error, MissingBlobError):
        _LOG.error("not answered", extra=described(error))
