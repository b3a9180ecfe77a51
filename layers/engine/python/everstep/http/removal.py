"""Have runs removed that nobody needs any more, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.app.discard import discard
from everstep.core.errors import IllegalStateError, RunNotFoundError
from everstep.http.routes import Reply, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.app.engine import Engine
    from everstep.http.requests import Request


def removal_routes(engine: Engine) -> Sequence[Route]:
    """Return the route by which a run is removed."""

    def call(request: Request) -> Reply:
        status = discard(engine, request.run_id)
        return Reply(status=202, body={"run_id": request.run_id, "status": status})

    return (
        Route(
            method="POST",
            rule="/runs/<run_id>/remove",
            call=call,
            summary="Have a run that has ended removed, with the next sweep.",
            answers={202: "Accepted"},
            problems=(RunNotFoundError, IllegalStateError),
        ),
    )
