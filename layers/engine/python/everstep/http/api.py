"""The api function's application: questions about runs, and what people ask of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from everstep.app.events import send_event
from everstep.app.query import LARGEST_PAGE, inspect, list_runs, outcome
from everstep.core.errors import DefinitionError, InvalidRequestError
from everstep.core.keys import check_name
from everstep.core.model import RunStatus
from everstep.http import rendering
from everstep.http.application import Application, Reply, Route
from everstep.http.callbacks import callback_routes
from everstep.http.control import control_routes
from everstep.http.keys import key_routes
from everstep.http.options import TAG, read_tags
from everstep.http.workflows import workflows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from everstep.app.engine import Engine
    from everstep.app.keys import Keys
    from everstep.http.admission import Gate
    from everstep.http.requests import Request

VERSION: Final = "0.1.0"
LONGEST_WAIT: Final = 20
"""Seconds; API Gateway hangs up after 29."""
_RESERVE_MILLIS: Final = 4000
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0
_DEFAULT_PAGE: Final = 20
_INCLUDABLE: Final = frozenset({"steps"})


def api_app(
    engine: Engine,
    sleep: Callable[[float], None],
    gate: Gate | None = None,
    keys: Callable[[], Keys] | None = None,
) -> Application:
    """Return the application of the api function.

    Args:
        engine: The ports.
        sleep: See ``api_routes``.
        gate: Lets calls in; None lets in everybody.
        keys: Makes what the use cases of API keys need; None to have no calls for them.
    """
    managing = () if keys is None else key_routes(keys)
    return Application([*api_routes(engine, sleep), *managing], gate)


def api_routes(engine: Engine, sleep: Callable[[float], None]) -> list[Route]:
    """Return the routes of the api function.

    Args:
        engine: The ports.
        sleep: Waits for so many seconds; a caller may ask to wait for a result.
    """
    calls = _Calls(engine, sleep)
    listing = frozenset({"workflow", "status", TAG, "reference_id", "cursor", "limit"})
    return [
        Route(
            method="GET",
            rule="/runs",
            call=calls.runs,
            query=listing,
            repeatable=frozenset({TAG}),
        ),
        _get("/runs/<run_id>", calls.inspect, frozenset({"include"})),
        _get("/runs/<run_id>/result", calls.result, frozenset({"wait", "form"})),
        *control_routes(engine),
        *callback_routes(engine),
        Route(method="POST", rule="/runs/<run_id>/events/<name>", call=calls.send_event),
        _get("/workflows", calls.workflows),
        _get("/health", calls.health, frozenset({"deep"})),
    ]


def _get(rule: str, call: Callable[[Request], Reply], query: frozenset[str] = frozenset()) -> Route:
    return Route(method="GET", rule=rule, call=call, query=query)


@dataclass(frozen=True, slots=True)
class _Calls:
    engine: Engine
    sleep: Callable[[float], None]

    def runs(self, request: Request) -> Reply:
        limit = request.number("limit", _DEFAULT_PAGE, LARGEST_PAGE)
        found = list_runs(
            self.engine,
            workflow=_workflow(request),
            status=_status(request),
            tags=read_tags(request.all(TAG)),
            reference_id=request.one("reference_id"),
            cursor=request.one("cursor"),
            limit=limit,
        )
        return Reply(body=rendering.page(found))

    def inspect(self, request: Request) -> Reply:
        included = _included(request)
        view = inspect(self.engine, request.run_id)
        return Reply(body=rendering.run(view, steps="steps" in included))

    def result(self, request: Request) -> Reply:
        """Answer 200 once the run has ended; 202 if it has not within the time to wait."""
        run_id = request.run_id
        wait = request.number("wait", 0, LONGEST_WAIT)
        recorded = _is_recorded(request)
        head = outcome(self.engine, run_id)
        for pause in _pauses(wait):
            left = request.context.get_remaining_time_in_millis() - _RESERVE_MILLIS
            if head.status.terminal or pause * 1000 > left:
                break
            self.sleep(pause)
            head = outcome(self.engine, run_id)
        if head.status.terminal:
            return Reply(body=rendering.ended(head, recorded=recorded))
        # Looked at closely, once; by now the run may have ended after all.
        view = inspect(self.engine, run_id)
        if view.head.status.terminal:
            return Reply(body=rendering.ended(view.head, recorded=recorded))
        return Reply(status=202, body={"run_id": run_id, "status": view.progress.status})

    def send_event(self, request: Request) -> Reply:
        """Keep an event for a run: 202, or 200 for a repeat with the same idempotency key."""
        kept = send_event(
            self.engine,
            request.run_id,
            request.parameters["name"],
            request.json(self.engine.limits.payload),
            idempotency_key=request.headers.get("idempotency-key"),
        )
        body = {
            "run_id": kept.run_id,
            "event": request.parameters["name"],
            "number": kept.number,
        }
        return Reply(status=202 if kept.created else 200, body=body)

    def workflows(self, request: Request) -> Reply:
        caller = request.caller
        return Reply(
            body=workflows(
                self.engine.registry, lambda name: caller is None or caller.may_use(name)
            )
        )

    def health(self, request: Request) -> Reply:
        """Say that the function runs; with ``deep=1``, that it reaches the table, too."""
        if request.number("deep", 0, 1):
            self.engine.runs.head("health")
        return Reply(body={"status": "ok", "version": VERSION})


def _workflow(request: Request) -> str | None:
    name = request.one("workflow")
    if name is None:
        return None
    try:
        return check_name(name, "workflow")
    except DefinitionError as error:
        raise InvalidRequestError(str(error)) from error


def _status(request: Request) -> RunStatus | None:
    text = request.one("status")
    if text is None:
        return None
    try:
        return RunStatus(text)
    except ValueError as error:
        raise InvalidRequestError(
            f"status must be one of {', '.join(RunStatus)}, not {text[:40]!r}"
        ) from error


def _is_recorded(request: Request) -> bool:
    form = request.one("form")
    if form not in {None, "plain", "recorded"}:
        raise InvalidRequestError(f"form must be plain or recorded, not {form[:40]!r}")
    return form == "recorded"


def _included(request: Request) -> frozenset[str]:
    text = request.one("include")
    if text is None:
        return _INCLUDABLE
    asked = frozenset(filter(None, text.split(",")))
    if not asked <= _INCLUDABLE:
        raise InvalidRequestError(
            f"include may name {', '.join(sorted(_INCLUDABLE))} or nothing, not {text[:40]!r}"
        )
    return asked


def _pauses(wait: float) -> Iterator[float]:
    """Yield pauses that grow, and add up to the time to wait."""
    pause = _FIRST_PAUSE
    while wait > 0:
        yield min(pause, wait)
        wait -= pause
        pause = min(pause * 1.5, _LONGEST_PAUSE)
