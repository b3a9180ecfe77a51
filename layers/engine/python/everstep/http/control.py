"""What people ask of a run over HTTP, who asks, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from everstep.app.audit import LARGEST_AUDIT_PAGE, audit_page, verify_audit
from everstep.app.cancel import cancel
from everstep.app.control import pause, resume
from everstep.app.fork import UNCHANGED, fork, retry
from everstep.core.errors import InvalidRequestError
from everstep.http import rendering
from everstep.http.application import Reply, Route

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from everstep.app.engine import Engine
    from everstep.app.fork import Made
    from everstep.core.model import RunStatus
    from everstep.http.requests import Request

_KEY: Final = "idempotency-key"
_OF_A_FORK: Final = frozenset({"from_step", "input"})
_SAID: Final = frozenset({"reason", "by"})
_PAGE: Final = 100
_LAST: Final = 99_999_999
_FORCE: Final = frozenset({"force"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a request says beside what it asks: who asks, why, and the other fields of its body."""

    who: str | None
    why: str | None
    others: dict[str, Any]


def control_routes(engine: Engine) -> Sequence[Route]:
    """Return the routes by which people control runs, and see who did."""
    calls = _Calls(engine)
    return (
        Route(method="POST", rule="/runs/<run_id>/pause", call=calls.pause),
        Route(method="POST", rule="/runs/<run_id>/resume", call=calls.resume),
        Route(method="POST", rule="/runs/<run_id>/cancel", call=calls.cancel),
        Route(method="POST", rule="/runs/<run_id>/retry", call=calls.retry),
        Route(method="POST", rule="/runs/<run_id>/fork", call=calls.fork),
        Route(
            method="GET",
            rule="/runs/<run_id>/audit",
            call=calls.audit,
            query=frozenset({"after", "limit", "verify"}),
        ),
    )


def said(request: Request, limit: int, others: frozenset[str] = frozenset()) -> Said:
    """Read the body of a request that controls a run.

    Args:
        request: The request.
        limit: Most bytes of its body.
        others: Fields that the call knows beside ``reason`` and ``by``.

    Raises:
        InvalidRequestError: A field is unknown, of a wrong type, or contradicts the header.
    """
    body = request.json(limit)
    fields = {} if body is None else body
    allowed = _SAID | others
    if not isinstance(fields, dict) or not fields.keys() <= allowed:
        raise InvalidRequestError(
            f"the body may be an object with {', '.join(sorted(allowed))}, or empty"
        )
    who, header = _text(fields, "by"), request.actor
    if who is not None and header is not None and who != header:
        raise InvalidRequestError(
            "the field by and the header Everstep-Actor name different people"
        )
    if request.caller is not None:
        # A key is proof, a header is not: nobody acts in the name of another.
        who = request.caller.who
    return Said(
        who=header if who is None else who,
        why=_text(fields, "reason"),
        others={name: value for name, value in fields.items() if name in others},
    )


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequestError(f"{name} must be text")
    return value


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
        return self._controlled(request, resume)

    def _controlled(self, request: Request, control: Callable[..., RunStatus]) -> Reply:
        told = said(request, self.engine.limits.payload)
        status = control(self.engine, request.run_id, who=told.who, why=told.why)
        return Reply(body={"run_id": request.run_id, "status": status})

    def cancel(self, request: Request) -> Reply:
        """Have a run end: 202, because its code may undo what was done first."""
        told = said(request, self.engine.limits.payload, _FORCE)
        force = told.others.get("force", False)
        if not isinstance(force, bool):
            raise InvalidRequestError("force must be true or false")
        run_id = request.run_id
        status = cancel(self.engine, run_id, who=told.who, why=told.why, force=force)
        return Reply(status=202, body={"run_id": run_id, "status": status})

    def retry(self, request: Request) -> Reply:
        """Make a run that goes on from where this one failed: 202, or 200 for a repeat."""
        told = said(request, self.engine.limits.payload)
        key = request.headers.get(_KEY)
        made = retry(self.engine, request.run_id, who=told.who, why=told.why, idempotency_key=key)
        return _made(made)

    def fork(self, request: Request) -> Reply:
        """Make a run that goes on from a step of this one: 202, or 200 for a repeat."""
        told = said(request, self.engine.limits.payload, _OF_A_FORK)
        from_step = told.others.get("from_step")
        if not isinstance(from_step, str):
            raise InvalidRequestError("from_step must be the key of an operation, like charge#1")
        made = fork(
            self.engine,
            request.run_id,
            from_step=from_step,
            input=told.others.get("input", UNCHANGED),
            who=told.who,
            why=told.why,
            idempotency_key=request.headers.get(_KEY),
        )
        return _made(made)

    def audit(self, request: Request) -> Reply:
        """Return a page of the audit and, if that is asked for, what is wrong with the whole."""
        after = request.number("after", 0, _LAST) if request.one("after") else None
        limit = request.number("limit", _PAGE, LARGEST_AUDIT_PAGE)
        page = audit_page(self.engine, request.run_id, after=after, limit=limit)
        body = rendering.audit(page)
        if request.one("verify") not in (None, "true", "false"):
            raise InvalidRequestError("verify must be true or false")
        if request.one("verify") == "true":
            verdict = verify_audit(self.engine, request.run_id)
            body["verified"] = rendering.verdict(verdict)
        return Reply(body=body)
