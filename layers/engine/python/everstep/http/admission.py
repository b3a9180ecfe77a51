"""Who calls, as API Gateway's authorizer has verified, and whether he may."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from everstep.app.admission import (
    Caller,
    check_run,
    check_scope,
    check_workflow,
    count_call,
    only_workflow,
)
from everstep.core.access import OPEN, Scope, needed
from everstep.core.denials import NoKeyError
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from everstep.app.engine import Engine
    from everstep.app.keys import Keys
    from everstep.http.requests import Request
    from everstep.ports import KeyStore

BY_KEY: Final = "KEY"
_LIST: Final = "/runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Lets calls in where API keys are on.

    Attributes:
        engine: The ports.
        store: Makes the store of keys, which only a key with a rate needs.
    """

    engine: Engine
    store: Callable[[], KeyStore]

    def admit(self, event: Mapping[str, Any], method: str, rule: str, request: Request) -> Request:
        """Return a request with who makes it, if he may.

        Args:
            event: Of API Gateway.
            method: The method of the route, GET for HEAD.
            rule: Its path.
            request: What the event says.

        Raises:
            NoKeyError: The authorizer did not see this call.
            MissingScopeError: The key lacks a scope.
            RateExceededError: It has made as many calls in this minute as it may.
            WorkflowNotAllowedError: It is limited to other workflows.
            RunNotFoundError: It is limited to other workflows than this run's.
            InvalidRequestError: It is limited to several workflows, and none is named.
        """
        scope = needed(method, rule)
        if scope is OPEN:
            return request
        caller = caller_of(event)
        if caller is None:
            raise NoKeyError
        check_scope(caller, scope)
        if caller.rate is not None:
            count_call(self.store(), self.engine.clock, caller.key_id, caller.rate)
        request = replace(request, caller=caller)
        return self._limited(request, caller, rule) if caller.workflows else request

    def _limited(self, request: Request, caller: Caller, rule: str) -> Request:
        """Keep a key to its workflows, whatever names one: the path, the run, the query."""
        if "workflow" in request.parameters:
            check_workflow(caller, request.parameters["workflow"])
        if "run_id" in request.parameters:
            check_run(self.engine, caller, request.parameters["run_id"])
        if rule != _LIST:
            return request
        if "workflow" not in request.query:
            name = only_workflow(caller)
            return replace(request, query={**request.query, "workflow": [name]})
        for name in request.query["workflow"]:
            check_workflow(caller, name)
        return request


def caller_of(event: Mapping[str, Any]) -> Caller | None:
    """Return who calls; None if no authorizer says so.

    API Gateway writes that part of an event, callers cannot.
    """
    told = (event.get("requestContext") or {}).get("authorizer") or {}
    if "key_id" not in told:
        return None
    return Caller(
        key_id=told["key_id"],
        name=told["name"],
        scopes=frozenset(map(Scope, _listed(told["scopes"]))),
        workflows=frozenset(_listed(told["workflows"])),
        rate=int(told["rate"]) if told["rate"] else None,
    )


def _listed(text: str) -> list[str]:
    return text.split(",") if text else []


def gate_of(engine: Engine, authorization: str, keys: Callable[[], Keys]) -> Gate | None:
    """Return what lets calls in; None where API keys are off.

    Args:
        engine: The ports.
        authorization: The setting of that name.
        keys: Makes what the use cases of keys need.
    """
    if authorization != BY_KEY:
        return None
    return Gate(engine=engine, store=lambda: keys().store)
