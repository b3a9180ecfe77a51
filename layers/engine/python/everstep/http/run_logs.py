"""What a run's code has said, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from everstep.app.run_logs import LARGEST_PAGE, LogQuery, read_logs
from everstep.core.durations import instant, to_iso
from everstep.core.errors import InvalidRequestError
from everstep.core.run_logs import LogSource
from everstep.http.application import Reply, Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from everstep.app.engine import Engine
    from everstep.app.run_logs import LogPage, ShownLine
    from everstep.http.requests import Request

_QUERY: Final = frozenset({"level", "since", "until", "step", "source", "grep", "limit", "after"})
_DEFAULT_PAGE: Final = 100
_SHOWN: Final = 40


def log_routes(engine: Engine) -> Sequence[Route]:
    """Return the route of a run's lines."""

    def call(request: Request) -> Reply:
        return Reply(body=shown_page(read_logs(engine, request.run_id, _query(request))))

    return (Route(method="GET", rule="/runs/<run_id>/logs", call=call, query=_QUERY),)


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
    return LogQuery(
        level=(request.one("level") or "").upper() or None,
        since=_time(request, "since"),
        until=_time(request, "until"),
        step=request.one("step"),
        source=_source(request),
        grep=request.one("grep"),
        limit=request.number("limit", _DEFAULT_PAGE, LARGEST_PAGE),
        after=request.one("after"),
    )


def _source(request: Request) -> LogSource | None:
    text = request.one("source")
    if text is None:
        return None
    try:
        return LogSource(text)
    except ValueError as error:
        raise InvalidRequestError(
            f"source must be one of {', '.join(LogSource)}, not {text[:_SHOWN]!r}"
        ) from error


def _time(request: Request, name: str) -> int | None:
    text = request.one(name)
    if text is None:
        return None
    try:
        return instant(datetime.fromisoformat(text), name)
    except (ValueError, TypeError) as error:
        example = "2026-01-31T12:00:00Z"
        raise InvalidRequestError(
            f"{name} must be a time with its zone such as {example}, not {text[:_SHOWN]!r}"
        ) from error
