"""What a workflow would cost: played once in memory, by the rules and prices of the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from everstep.app.start import start
from everstep.core.errors import InvalidRequestError
from everstep.core.model import OpKind, RunStatus
from everstep.core.spending import INVOCATION, USUAL_MEMORY, Spent
from everstep.testing.engine import TestEngine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.authoring.registry import Registry

DEFAULT_MS: Final = 30
"""Billed milliseconds per message that are assumed at 256 MB, without the step's own work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What cannot be counted before a run is deployed.

    Attributes:
        batch: Messages of a batch; all of them are taken to be full.
        memory: Megabytes of the functions.
        millis: Billed milliseconds per message.
        by_api: Whether runs are started by the API.
    """

    batch: int = 1
    memory: int = USUAL_MEMORY
    millis: int = DEFAULT_MS
    by_api: bool = True

    def applied(self, spent: Spent) -> Spent:
        """Return what was taken as it would be in a deployment."""
        messages = spent.share / INVOCATION
        millis = round(messages * self.millis)
        return replace(
            spent,
            share=round(spent.share / self.batch),
            millis=millis,
            extra=millis * (self.memory - USUAL_MEMORY),
        )

    @property
    def call(self) -> Spent:
        """Return what the call of the API takes that starts a run."""
        if not self.by_api:
            return Spent()
        extra = self.millis * (self.memory - USUAL_MEMORY)
        return Spent(calls=1, share=INVOCATION, millis=self.millis, extra=extra)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What one run takes.

    Attributes:
        spent: All of it.
        steps: What each operation takes.
        attempts: Attempts of steps: what others charge for.
        assumed: What was assumed.
    """

    spent: Spent
    steps: Mapping[str, Spent] = field(default_factory=dict)
    attempts: int = 0
    assumed: Assumed = field(default_factory=Assumed)


def estimate(
    registry: Registry,
    name: str,
    value: object,
    assumed: Assumed,
    mocks: Mapping[str, Any] | None = None,
) -> Estimate:
    """Play a workflow once, whatever time it takes, and return what that would take on AWS.

    Args:
        registry: The workflows at hand.
        name: Which of them.
        value: Its input, as JSON data.
        assumed: What cannot be counted.
        mocks: Results, by the names of the steps that are not to be executed.

    Raises:
        InvalidRequestError: It did not complete: for what it waited, or why it failed.
        RequestError: As the HTTP trigger would answer.
    """
    engine = TestEngine(registry)
    for step, result in (mocks or {}).items():
        engine.mock(step, returns=result)
    run = engine.get(start(engine.ports, name, value).run_id)
    engine.run_to_rest()
    if run.status is not RunStatus.COMPLETED:
        raise InvalidRequestError(_why(name, run.status, run.error, run.history))
    found = run.cost
    steps = {key: assumed.applied(each) for key, each in found.steps.items()}
    return Estimate(
        spent=assumed.applied(found.spent) + assumed.call,
        steps=steps,
        attempts=sum(each.attempt for each in run.history if each.kind is OpKind.STEP),
        assumed=assumed,
    )


def _why(name: str, status: RunStatus, error: Any, history: list[Any]) -> str:  # noqa: ANN401
    if error is not None:
        return f"{name} is {status} when it is played: {error.type}: {error.message}"
    waits = ", ".join(each.key for each in history if each.ended_at is None)
    return f"{name} is {status} when it is played: nobody tells it of {waits}; try --from-runs"
