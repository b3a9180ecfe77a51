"""Who calls, as API Gateway's authorizer has verified, and whether he may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from everstep.app.admission import Caller, check_run, check_scope, check_workflow, count_call
from everstep.core.access import OPEN, Scope, needed
from everstep.core.denials import NoKeyError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from everstep.app.engine import Engine
    from everstep.ports import KeyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Lets calls in where API keys are on.

    Attributes:
        engine: The ports.
        store: Makes the store of keys, which only a key with a rate needs.
    """

    engine: Engine
    store: Callable[[], KeyStore]

    def admit(
        self, event: Mapping[str, Any], method: str, rule: str, parameters: Mapping[str, str]
    ) -> Caller | None:
        """Return who calls; None for a call that needs no key.

        Args:
            event: Of API Gateway.
            method: The method of the route, GET for HEAD.
            rule: Its path.
            parameters: The variable parts of the path, decoded.

        Raises:
            NoKeyError: The authorizer did not see this call.
            MissingScopeError: The key lacks a scope.
            WorkflowNotAllowedError: It is limited to other workflows.
            RunNotFoundError: It is limited to other workflows than this run's.
            RateExceededError: It has made as many calls in this minute as it may.
        """
        scope = needed(method, rule)
        if scope is OPEN:
            return None
        caller = caller_of(event)
        if caller is None:
            raise NoKeyError
        check_scope(caller, scope)
        if caller.rate is not None:
            count_call(self.store(), self.engine.clock, caller)
        if "workflow" in parameters:
            check_workflow(caller, parameters["workflow"])
        if "run_id" in parameters:
            check_run(self.engine, caller, parameters["run_id"])
        return caller


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
