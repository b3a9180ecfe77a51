"""What a run's code has said, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everstep.adapters.errors import MissingBlobError
from everstep.app.run_logs import LogQuery, read_logs
from everstep.core.durations import instant, to_iso
from everstep.core.errors import RunNotFoundError
from everstep.http.queries import LogsQuery
from everstep.http.routes import Reply, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.app.engine import Engine
    from everstep.app.run_logs import LogPage, ShownLine
    from everstep.http.requests import Request


def log_routes(engine: Engine) -> Sequence[Route]:
    """Return the route of a run's lines."""

    def call(request: Request) -> Reply:
        return Reply(body=shown_page(read_logs(engine, request.run_id, _query(request))))

    return (
        Route(
            method="GET",
            rule="/runs/<run_id>/logs",
            call=call,
            summary="Read what a run's code, and the engine about it, have said.",
            answers={200: "LogPage"},
            query=LogsQuery,
            problems=(RunNotFoundError, MissingBlobError),
        ),
    )


def shown_page(page: LogPage) -> dict[str, Any]:
    """Return a page of lines as JSON."""
    return {
        "logs": [shown_line(each) for each in page.lines],
        "next": page.next,
        "follow": page.follow,
    }


def shown_line(shown: ShownLine) -> dict[str, Any]:
    """Return a line as JSON."""
    line = shown.line
    return {
        "id": shown.id,
        "at": to_iso(line.at),
        "level": line.level,
        "source": line.source,
        "step": shown.step,
        "attempt": shown.attempt,
        "logger": line.logger,
        "message": line.message,
        "fields": dict(line.fields),
    }


def _query(request: Request) -> LogQuery:
    asked = request.given(LogsQuery)
    return LogQuery(
        level=asked.level,
        since=None if asked.since is None else instant(asked.since, "since"),
        until=None if asked.until is None else instant(asked.until, "until"),
        step=asked.step,
        source=asked.source,
        grep=asked.grep,
        limit=asked.limit,
        after=asked.after,
    )
