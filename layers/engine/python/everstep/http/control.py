"""What people ask of a run over HTTP, who asks, and why."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from everstep.adapters.errors import MissingBlobError
from everstep.app.cancel import cancel
from everstep.app.control import pause, resume
from everstep.app.fork import UNCHANGED, fork, retry
from everstep.core.errors import (
    IdempotencyConflictError,
    IllegalStateError,
    InvalidInputError,
    RunNotFoundError,
    UnknownWorkflowError,
)
from everstep.core.records import dataclass
from everstep.http import rendering
from everstep.http.faults import wrong_request
from everstep.http.queries import (
    ActorHeaders,
    ActorKeyHeaders,
    CancelBody,
    ControlBody,
    ForkBody,
    KeyHeaders,
    ResumeBody,
)
from everstep.http.routes import Reply, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from everstep.app.engine import Engine
    from everstep.app.fork import Made
    from everstep.core.model import RunStatus
    from everstep.http.requests import Request


def control_routes(engine: Engine) -> Sequence[Route]:
    """Return the routes by which people control runs."""
    calls = _Calls(engine)
    told = partial(Route, method="POST", problems=(RunNotFoundError, IllegalStateError))
    made = partial(
        Route,
        method="POST",
        headers=ActorKeyHeaders,
        answers={200: "Made", 202: "Made"},
        problems=(
            RunNotFoundError,
            UnknownWorkflowError,
            IllegalStateError,
            IdempotencyConflictError,
            InvalidInputError,
            MissingBlobError,
        ),
    )
    return (
        told(
            rule="/runs/<run_id>/pause",
            call=calls.pause,
            summary="Let a run go no further until it is resumed.",
            answers={200: "Accepted"},
            headers=ActorHeaders,
            body=ControlBody,
        ),
        told(
            rule="/runs/<run_id>/resume",
            call=calls.resume,
            summary="Let a run that stands still go on.",
            answers={200: "Accepted"},
            headers=ActorHeaders,
            body=ResumeBody,
        ),
        told(
            rule="/runs/<run_id>/cancel",
            call=calls.cancel,
            summary="Have a run end before its code does.",
            answers={202: "Accepted"},
            headers=ActorHeaders,
            body=CancelBody,
        ),
        made(
            rule="/runs/<run_id>/retry",
            call=calls.retry,
            summary="Make a run that goes on from where this one failed.",
            body=ControlBody,
        ),
        made(
            rule="/runs/<run_id>/fork",
            call=calls.fork,
            summary="Make a run that goes on from a step of this one.",
            body=ForkBody,
            largest=engine.limits.payload,
        ),
    )


def actor(request: Request) -> str | None:
    """Return who asks, as the body or the header says.

    Raises:
        InvalidRequestError: They name different people.
    """
    who, header = request.given(ControlBody).by, request.given(ActorHeaders).everstep_actor
    if who is not None and header is not None and who != header:
        said = "the field by and the header Everstep-Actor name different people"
        mistakes = [("body", "by"), ("header", "Everstep-Actor")]
        raise wrong_request(
            said, [{"loc": list(loc), "msg": said, "type": "differs"} for loc in mistakes]
        )
    if request.caller is not None:
        # A key is proof, a header is not: nobody acts in the name of another.
        return request.caller.who
    return header if who is None else who


def _made(made: Made) -> Reply:
    body = {
        "run_id": made.run_id,
        "status": made.status,
        "origin": rendering.origin(made.origin),
    }
    location = {"Location": f"../{made.run_id}"}
    return Reply(status=202 if made.created else 200, body=body, headers=location)


@dataclass(frozen=True, slots=True)
class _Calls:
    engine: Engine

    def pause(self, request: Request) -> Reply:
        return self._controlled(request, pause)

    def resume(self, request: Request) -> Reply:
        budget = request.given(ResumeBody).budget
        return self._controlled(request, partial(resume, budget=budget))

    def _controlled(self, request: Request, control: Callable[..., RunStatus]) -> Reply:
        why = request.given(ControlBody).reason
        status = control(self.engine, request.run_id, who=actor(request), why=why)
        return Reply(body={"run_id": request.run_id, "status": status})

    def cancel(self, request: Request) -> Reply:
        """Have a run end: 202, because its code may undo what was done first."""
        asked, run_id = request.given(CancelBody), request.run_id
        status = cancel(
            self.engine, run_id, who=actor(request), why=asked.reason, force=asked.force
        )
        return Reply(status=202, body={"run_id": run_id, "status": status})

    def retry(self, request: Request) -> Reply:
        """Make a run that goes on from where this one failed: 202, or 200 for a repeat."""
        made = retry(
            self.engine,
            request.run_id,
            who=actor(request),
            why=request.given(ControlBody).reason,
            idempotency_key=request.given(KeyHeaders).idempotency_key,
        )
        return _made(made)

    def fork(self, request: Request) -> Reply:
        """Make a run that goes on from a step of this one: 202, or 200 for a repeat."""
        asked = request.given(ForkBody)
        made = fork(
            self.engine,
            request.run_id,
            from_step=asked.from_step,
            input=asked.input if "input" in asked.model_fields_set else UNCHANGED,
            who=actor(request),
            why=asked.reason,
            idempotency_key=request.given(KeyHeaders).idempotency_key,
        )
        return _made(made)
