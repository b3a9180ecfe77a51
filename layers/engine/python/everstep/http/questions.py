"""What people ask about runs: lists and single runs, with their operations, audit and events."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from everstep.adapters.errors import MissingBlobError
from everstep.app.audit import audit, began, verify_audit
from everstep.app.cost import cost_of
from everstep.app.pages import page_of
from everstep.app.query import inspect, list_events, list_runs, with_payloads
from everstep.app.run_logs import LogQuery, read_logs
from everstep.core.durations import instant
from everstep.core.errors import (
    DefinitionError,
    InvalidOptionError,
    InvalidRequestError,
    RunNotFoundError,
)
from everstep.core.keys import check_name
from everstep.core.records import dataclass
from everstep.http import costs, rendering
from everstep.http.options import read_tags
from everstep.http.queries import AuditQuery, IfNoneMatch, PageQuery, RunQuery, RunsQuery
from everstep.http.routes import Reply, Route
from everstep.http.run_logs import shown_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from everstep.app.engine import Engine
    from everstep.http.requests import Request


def question_routes(engine: Engine) -> Sequence[Route]:
    """Return the routes by which people look at runs."""
    calls = _Calls(engine)
    of_run = partial(Route, method="GET", problems=(RunNotFoundError, MissingBlobError))
    return (
        Route(
            method="GET",
            rule="/runs",
            call=calls.runs,
            summary="List runs, newest first.",
            answers={200: "RunPage"},
            query=RunsQuery,
            problems=(InvalidOptionError,),
        ),
        of_run(
            rule="/runs/<run_id>",
            call=calls.inspect,
            summary="Look at a run.",
            answers={200: "RunShown", 304: ""},
            query=RunQuery,
            headers=IfNoneMatch,
        ),
        of_run(
            rule="/runs/<run_id>/history",
            call=calls.history,
            summary="List a run's operations in the order in which its code asked for them.",
            answers={200: "HistoryPage"},
            query=PageQuery,
        ),
        of_run(
            rule="/runs/<run_id>/events",
            call=calls.events,
            summary="List the events that were sent to a run.",
            answers={200: "EventPage"},
            query=PageQuery,
        ),
        of_run(
            rule="/runs/<run_id>/audit",
            call=calls.audit,
            summary="See who did what to a run, and check that it is all there.",
            answers={200: "AuditPage"},
            query=AuditQuery,
        ),
    )


@dataclass(frozen=True, slots=True)
class _Calls:
    engine: Engine

    def runs(self, request: Request) -> Reply:
        asked = request.given(RunsQuery)
        found = list_runs(
            self.engine,
            workflow=_workflow(asked.workflow),
            status=asked.status,
            tags=read_tags(asked.tag),
            reference_id=asked.reference_id,
            since=_millis(asked.since, "since"),
            until=_millis(asked.until, "until"),
            cursor=asked.cursor,
            limit=asked.limit,
        )
        return Reply(body=rendering.page(found))

    def inspect(self, request: Request) -> Reply:
        """Answer with an entity tag: whoever asks again is told when nothing has changed."""
        included = request.given(RunQuery).include
        view = inspect(self.engine, request.run_id)
        shown = rendering.run(view)
        if "steps" in included:
            shown["steps"] = rendering.steps(view)
        if "logs" in included:
            lines = read_logs(self.engine, request.run_id, LogQuery())
            shown["logs"] = [shown_line(each) for each in lines.lines]
        if "audit" in included:
            shown["audit"] = self._trail(request.run_id)
        if "events" in included:
            events = with_payloads(self.engine, view.head.run_id, view.events)
            shown["events"] = [rendering.event(each, view.masking) for each in events]
        if "cost" in included:
            shown["cost"] = costs.cost(cost_of(view), self.engine.architecture)
        return Reply(body=shown, tagged=True)

    def history(self, request: Request) -> Reply:
        asked = request.given(PageQuery)
        steps = rendering.steps(inspect(self.engine, request.run_id))
        found = page_of(
            steps, lambda each: str(each["key"]), limit=asked.limit, cursor=asked.cursor
        )
        return Reply(
            body={"run_id": request.run_id, "history": found.items, "cursor": found.cursor}
        )

    def events(self, request: Request) -> Reply:
        asked = request.given(PageQuery)
        found = list_events(self.engine, request.run_id, limit=asked.limit, cursor=asked.cursor)
        return Reply(
            body={
                "run_id": request.run_id,
                "events": [rendering.event(each, found.masking) for each in found.items],
                "cursor": found.cursor,
            }
        )

    def audit(self, request: Request) -> Reply:
        asked = request.given(AuditQuery)
        found = page_of(
            self._trail(request.run_id),
            lambda each: str(each["number"]),
            limit=asked.limit,
            cursor=asked.cursor,
        )
        body: dict[str, object] = {"audit": found.items, "cursor": found.cursor}
        if asked.verify:
            body["verified"] = rendering.verdict(verify_audit(self.engine, request.run_id))
        return Reply(body=body)

    def _trail(self, run_id: str) -> list[dict[str, object]]:
        return rendering.trail(audit(self.engine, run_id), began(self.engine, run_id))


def _workflow(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        return check_name(name, "workflow")
    except DefinitionError as error:
        raise InvalidRequestError(str(error)) from error


def _millis(when: datetime | None, name: str) -> int | None:
    return None if when is None else instant(when, name)
