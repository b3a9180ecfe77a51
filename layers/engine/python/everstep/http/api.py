"""The api function's application: questions about runs, and what people ask of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from everstep.adapters.errors import MissingBlobError
from everstep.app.events import send_event
from everstep.app.query import inspect as look_at
from everstep.app.query import outcome
from everstep.core.errors import (
    IllegalStateError,
    RunNotFoundError,
)
from everstep.core.meter import called
from everstep.core.records import dataclass
from everstep.http import rendering
from everstep.http.application import Application
from everstep.http.callbacks import callback_routes
from everstep.http.contract import Payload
from everstep.http.control import control_routes
from everstep.http.cors import NO_CORS, Cors
from everstep.http.diagnosis import diagnosis_routes
from everstep.http.keys import key_routes
from everstep.http.queries import HealthQuery, IfNoneMatch, KeyHeaders, PageQuery, ResultQuery
from everstep.http.questions import question_routes
from everstep.http.removal import removal_routes
from everstep.http.routes import Reply, Route
from everstep.http.run_logs import log_routes
from everstep.http.workflows import workflows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from everstep.app.engine import Engine
    from everstep.app.keys import Keys
    from everstep.http.admission import Gate
    from everstep.http.requests import Request

VERSION: Final = "0.1.0"
_RESERVE_MILLIS: Final = 4000
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 1.0


def api_app(
    engine: Engine,
    sleep: Callable[[float], None],
    gate: Gate | None = None,
    keys: Callable[[], Keys] | None = None,
    cors: Cors = NO_CORS,
) -> Application:
    """Return the application of the api function.

    Args:
        engine: The ports.
        sleep: See ``api_routes``.
        gate: Lets calls in; None lets in everybody.
        keys: See ``api_routes``.
        cors: Whose pages may read the answers.
    """
    return Application(api_routes(engine, sleep, keys), gate, cors, engine.masking)


def api_routes(
    engine: Engine, sleep: Callable[[float], None], keys: Callable[[], Keys] | None = None
) -> list[Route]:
    """Return the routes of the api function.

    Args:
        engine: The ports.
        sleep: Waits for so many seconds; a caller may ask to wait for a result.
        keys: Makes what the use cases of API keys need; None to have no calls for them.
    """
    calls = _Calls(engine, sleep, keys)
    get = partial(Route, method="GET")
    return [
        *question_routes(engine),
        get(
            rule="/runs/<run_id>/result",
            call=calls.result,
            summary="Wait for a run's end, and see how it ended.",
            answers={200: "Ended", 202: "Accepted"},
            query=ResultQuery,
            problems=(RunNotFoundError, MissingBlobError),
        ),
        *control_routes(engine),
        *diagnosis_routes(engine),
        *callback_routes(engine),
        *log_routes(engine),
        *removal_routes(engine),
        *(() if keys is None else key_routes(keys)),
        Route(
            method="POST",
            rule="/runs/<run_id>/events/<name>",
            call=calls.send_event,
            summary="Send an event to a run; the body is its payload.",
            answers={200: "EventKept", 202: "EventKept"},
            headers=KeyHeaders,
            body=Payload,
            largest=engine.limits.payload,
            problems=(RunNotFoundError, IllegalStateError),
        ),
        get(
            rule="/workflows",
            call=calls.workflows,
            summary="See what is deployed.",
            answers={200: "WorkflowPage"},
            query=PageQuery,
        ),
        get(
            rule="/health",
            call=calls.health,
            summary="See whether the deployment works.",
            answers={200: "Health"},
            query=HealthQuery,
        ),
        get(
            rule="/openapi.json",
            call=calls.openapi,
            summary="Get this description.",
            answers={200: "Document", 304: ""},
            headers=IfNoneMatch,
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Calls:
    engine: Engine
    sleep: Callable[[float], None]
    keys: Callable[[], Keys] | None

    def result(self, request: Request) -> Reply:
        """Answer 200 once the run has ended; 202 if it has not within the time to wait."""
        run_id, asked = request.run_id, request.given(ResultQuery)
        recorded = asked.form == "recorded"
        found = outcome(self.engine, run_id)
        for pause in _pauses(asked.wait):
            left = request.context.get_remaining_time_in_millis() - _RESERVE_MILLIS
            if found.head.status.terminal or pause * 1000 > left:
                break
            self.sleep(pause)
            found = outcome(self.engine, run_id)
        if found.head.status.terminal:
            return Reply(body=rendering.ended(found, recorded=recorded))
        # Looked at closely, once; by now the run may have ended after all.
        view = look_at(self.engine, run_id)
        if view.head.status.terminal:
            return Reply(body=rendering.ended(view, recorded=recorded))
        return Reply(status=202, body={"run_id": run_id, "status": view.progress.status})

    def send_event(self, request: Request) -> Reply:
        """Keep an event for a run: 202, or 200 for a repeat with the same idempotency key."""
        with called(self.engine.memory, self.engine.clock.ticks()):
            kept = send_event(
                self.engine,
                request.run_id,
                request.parameters["name"],
                request.given(Payload).root,
                idempotency_key=request.given(KeyHeaders).idempotency_key,
            )
        body = {
            "run_id": kept.run_id,
            "event": request.parameters["name"],
            "number": kept.number,
        }
        return Reply(status=202 if kept.created else 200, body=body)

    def workflows(self, request: Request) -> Reply:
        asked, caller = request.given(PageQuery), request.caller
        body = workflows(
            self.engine.registry,
            lambda name: caller is None or caller.may_use(name),
            asked.limit,
            asked.cursor,
        )
        return Reply(body=body)

    def health(self, request: Request) -> Reply:
        """Say that the function runs; with ``deep=1``, that it reaches the table, too."""
        if request.given(HealthQuery).deep:
            self.engine.runs.head("health")
        return Reply(body={"status": "ok", "version": VERSION})

    def openapi(self, _request: Request) -> Reply:
        """Describe the calls of both functions; what that takes is loaded for nobody else."""
        from everstep.http.openapi import document
        from everstep.http.trigger import trigger_routes

        routes = [*trigger_routes(self.engine), *api_routes(self.engine, self.sleep, self.keys)]
        return Reply(body=document(routes, VERSION), tagged=True)


def _pauses(wait: float) -> Iterator[float]:
    """Yield pauses that grow, and add up to the time to wait."""
    pause = _FIRST_PAUSE
    while wait > 0:
        yield min(pause, wait)
        wait -= pause
        pause = min(pause * 1.5, _LONGEST_PAUSE)
