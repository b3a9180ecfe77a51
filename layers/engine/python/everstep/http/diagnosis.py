"""Why a run does not move, over HTTP, and what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everstep.adapters.errors import MissingBlobError
from everstep.app.diagnosis import examine, repair
from everstep.core.durations import to_iso
from everstep.core.errors import IllegalStateError, RunNotFoundError
from everstep.http.control import actor
from everstep.http.queries import ActorHeaders, ControlBody
from everstep.http.routes import Reply, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.app.engine import Engine
    from everstep.core.diagnosis import Awaited, Diagnosis
    from everstep.http.requests import Request


def diagnosis_routes(engine: Engine) -> Sequence[Route]:
    """Return the routes that tell why a run does not move, and have it go on."""

    def diagnosis(request: Request) -> Reply:
        return Reply(body=_diagnosis(examine(engine, request.run_id)))

    def mend(request: Request) -> Reply:
        """Do what helps: 202, or 200 if nothing was done."""
        why = request.given(ControlBody).reason
        done = repair(engine, request.run_id, who=actor(request), why=why)
        body = {"run_id": request.run_id, "done": done.done, "found": _diagnosis(done.found)}
        return Reply(status=200 if done.done is None else 202, body=body)

    return (
        Route(
            method="GET",
            rule="/runs/<run_id>/diagnosis",
            call=diagnosis,
            summary="See why a run does not move, and what would help.",
            answers={200: "DiagnosisShown"},
            problems=(RunNotFoundError, MissingBlobError),
        ),
        Route(
            method="POST",
            rule="/runs/<run_id>/repair",
            call=mend,
            summary="Do what helps a run that does not move, if anything does.",
            answers={200: "Repaired", 202: "Repaired"},
            headers=ActorHeaders,
            body=ControlBody,
            problems=(RunNotFoundError, IllegalStateError, MissingBlobError),
        ),
    )


def _diagnosis(found: Diagnosis) -> dict[str, Any]:
    foreseen = found.foreseen
    return {
        "run_id": found.run_id,
        "status": found.status,
        "cause": found.cause,
        "says": found.says,
        "since": _time(found.since),
        "until": _time(found.until),
        "window": found.window,
        "awaited": [_awaited(each) for each in found.awaited],
        "foreseen": None
        if foreseen is None
        else {"message": foreseen.kind, "at": to_iso(foreseen.at)},
        "repair": found.repair,
        "advice": found.advice or None,
    }


def _awaited(each: Awaited) -> dict[str, Any]:
    return {
        "key": each.key,
        "kind": each.kind,
        "state": each.state,
        "says": each.says,
        "since": _time(each.since),
        "until": _time(each.until),
        "window": each.window,
    }


def _time(millis: int | None) -> str | None:
    return None if millis is None else to_iso(millis)
