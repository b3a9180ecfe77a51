"""Decide whether a caller who has been verified may make a call.

The authorizer has told API Gateway already which calls a key allows. What it cannot know is looked
at here, where the call arrives: which workflow a run belongs to, and how many calls there were. Its
own decision is made once more, so that nothing depends on patterns of paths alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.access import suffices
from everstep.core.denials import MissingScopeError, RateExceededError, WorkflowNotAllowedError
from everstep.core.durations import MINUTE, SECOND
from everstep.core.errors import InvalidRequestError, RunNotFoundError
from everstep.core.records import dataclass

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.core.access import Scope
    from everstep.ports import Clock, KeyStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, as the authorizer has verified.

    Attributes:
        key_id: The key.
        name: What people call it.
        scopes: What it is good for.
        workflows: The workflows that it is limited to; none for no limit.
        rate: Calls that it may make in a minute; None for no limit of its own.
    """

    key_id: str
    name: str
    scopes: frozenset[Scope]
    workflows: frozenset[str]
    rate: int | None = None

    @property
    def who(self) -> str:
        """Return what the audit says of who asked."""
        return f"{self.name} ({self.key_id})"

    def may_use(self, workflow: str) -> bool:
        """Say whether the key is good for a workflow."""
        return not self.workflows or workflow in self.workflows


def check_scope(caller: Caller, scope: Scope) -> None:
    """Refuse a call that needs a scope which the key does not have.

    Raises:
        MissingScopeError: It has not.
    """
    if not suffices(caller.scopes, scope):
        raise MissingScopeError(scope, sorted(caller.scopes))


def check_workflow(caller: Caller, workflow: str) -> None:
    """Refuse a call on a workflow that the key is not good for.

    Raises:
        WorkflowNotAllowedError: It is not.
    """
    if not caller.may_use(workflow):
        raise WorkflowNotAllowedError(sorted(caller.workflows))


def only_workflow(caller: Caller) -> str:
    """Return the workflow that a key is limited to, for a list that names none.

    Raises:
        InvalidRequestError: There are several.
    """
    if len(caller.workflows) > 1:
        several = ", ".join(sorted(caller.workflows))
        raise InvalidRequestError(f"name the workflow, the key is limited to: {several}")
    (only,) = caller.workflows
    return only


def check_run(engine: Engine, caller: Caller, run_id: str) -> None:
    """Refuse a call on a run of a workflow that the key is not good for.

    Raises:
        RunNotFoundError: There is no such run, or none that this caller is to know of.
    """
    head = engine.runs.head(run_id)
    if head is None or not caller.may_use(head.workflow):
        raise RunNotFoundError(run_id)


def count_call(store: KeyStore, clock: Clock, key_id: str, rate: int) -> None:
    """Count a call of a key in the minute that it is made in.

    Raises:
        RateExceededError: There were as many as it may make.
        UnavailableError: Nothing is known.
    """
    now = clock.now()
    if not store.count(key_id, now // MINUTE, rate):
        left = MINUTE - now % MINUTE
        raise RateExceededError(rate, -(-left // SECOND))
