"""The trigger's application: ``POST /triggers/{workflow}`` accepts a run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from everstep.app.capacity import TooManyRunsError
from everstep.app.start import start
from everstep.core.errors import (
    IdempotencyConflictError,
    InvalidInputError,
    InvalidOptionError,
    ReferenceConflictError,
    RunNotFoundError,
    UnknownWorkflowError,
)
from everstep.core.meter import called
from everstep.core.model import RunStatus
from everstep.http.application import Application
from everstep.http.contract import Payload
from everstep.http.cors import NO_CORS, Cors
from everstep.http.options import StartHeaders, StartQuery, start_options
from everstep.http.routes import Reply, Route

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.http.admission import Gate
    from everstep.http.requests import Request


def trigger_app(engine: Engine, gate: Gate | None = None, cors: Cors = NO_CORS) -> Application:
    """Return the application of the trigger function, which the gate lets calls in to."""
    return Application(trigger_routes(engine), gate, cors, engine.masking)


def trigger_routes(engine: Engine) -> list[Route]:
    """Return the routes of the trigger function."""
    return [
        Route(
            method="POST",
            rule="/triggers/<workflow>",
            call=lambda request: _start(engine, request),
            summary="Start a run; the body is the workflow's input.",
            answers={200: "Accepted", 202: "Accepted"},
            query=StartQuery,
            headers=StartHeaders,
            body=Payload,
            largest=engine.limits.payload,
            problems=(
                UnknownWorkflowError,
                RunNotFoundError,
                TooManyRunsError,
                IdempotencyConflictError,
                ReferenceConflictError,
                InvalidInputError,
                InvalidOptionError,
            ),
        )
    ]


def _start(engine: Engine, request: Request) -> Reply:
    value = request.given(Payload).root
    said = request.given(StartHeaders).everstep_actor
    who = said if request.caller is None else request.caller.who
    with called(engine.memory, engine.clock.ticks()):
        accepted = start(engine, request.workflow, value, start_options(request), who=who)
    status = RunStatus.PENDING if accepted.created else _recorded(engine, accepted.run_id)
    return Reply(
        status=202 if accepted.created else 200,
        body={"run_id": accepted.run_id, "status": status},
        headers={"Location": _location(request.path, accepted.run_id)},
    )


def _recorded(engine: Engine, run_id: str) -> RunStatus:
    """Return the status as it is recorded: one read, where looking closely would be a replay."""
    head = engine.runs.head(run_id)
    if head is None:
        raise RunNotFoundError(run_id)
    return head.status


def _location(path: str, run_id: str) -> str:
    """Return where the run is, relative to this call: stage and domain are not known here."""
    up = len(path) - len(path.rstrip("/")) + 1
    return f"{'../' * up}runs/{quote(run_id)}"
