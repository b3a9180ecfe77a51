"""The trigger's application: ``POST /triggers/{workflow}`` accepts a run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from everstep.app.start import start
from everstep.core.errors import RunNotFoundError
from everstep.core.model import RunStatus
from everstep.http.application import Application, Reply, Route
from everstep.http.options import OPTIONS, TAG, start_options

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.http.admission import Gate
    from everstep.http.requests import Request


def trigger_app(engine: Engine, gate: Gate | None = None) -> Application:
    """Return the application of the trigger function, which the gate lets calls in to."""
    return Application(trigger_routes(engine), gate)


def trigger_routes(engine: Engine) -> list[Route]:
    """Return the routes of the trigger function."""
    return [
        Route(
            method="POST",
            rule="/triggers/<workflow>",
            call=lambda request: _start(engine, request),
            query=OPTIONS,
            repeatable=frozenset({TAG}),
        )
    ]


def _start(engine: Engine, request: Request) -> Reply:
    value = request.json(engine.limits.payload)
    accepted = start(engine, request.workflow, value, start_options(request), who=request.who)
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
