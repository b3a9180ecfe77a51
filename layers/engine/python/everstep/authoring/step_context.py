"""``step_context()``: what the code of a step may know about the attempt it runs in."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import field
from typing import TYPE_CHECKING

from everstep.authoring.loggers import ContextLogger, named
from everstep.core.errors import EverstepError, RunCancelled
from everstep.core.records import dataclass
from everstep.core.scoped import scoped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContext:
    """The attempt that is being made.

    Attributes:
        idempotency_key: The same for every attempt and repeat of this step in this run, and in
            its retries; hand it to the services that the step calls.
        attempt: Number of the attempt, from 1.
        run_id: The run.
        operation: Key of the operation, for example ``charge#1``.
        deadline: When the attempt is cut off; None without any limit.
        logger: Logs with run, operation and attempt.
        ends: Reads whether the run is to end; see ``cancelled``.
        joins: Makes the headers of ``trace``.
    """

    idempotency_key: str
    attempt: int
    run_id: str
    operation: str
    deadline: datetime | None
    logger: ContextLogger
    ends: Callable[[], bool] = field(default=bool, repr=False)
    joins: Callable[[], Mapping[str, str]] = field(default=dict, repr=False)
    _headers: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    @property
    def trace(self) -> dict[str, str]:
        """Return the headers that join with the run what the step calls.

        They are ``traceparent``, ``X-Correlation-Id`` and, where X-Ray records the run,
        ``X-Amzn-Trace-Id``.
        """
        if not self._headers:
            self._headers.update(self.joins())
        return self._headers

    @property
    def cancelled(self) -> bool:
        """Say whether the run is to end: somebody cancelled it, or its time is up.

        Each look is one read of the run. A step that does not look finishes as ever.
        """
        return self.ends()

    def heartbeat(self) -> None:
        """Go on, unless the run is to end; for steps that take long.

        Raises:
            RunCancelled: It is to end; let it go on from the step, and its workflow hears of it.
        """
        if self.cancelled:
            raise RunCancelled("the run is to end")


_current: ContextVar[StepContext] = ContextVar("everstep_step_context")


def step_context() -> StepContext:
    """Return the attempt that is being made.

    Raises:
        EverstepError: Called outside a step.
    """
    try:
        return _current.get()
    except LookupError:
        raise EverstepError("step_context() was called outside a step") from None


def attempt_context(  # noqa: PLR0913 - all that an attempt knows
    run_id: str,
    operation: str,
    attempt: int,
    deadline: datetime | None,
    effects: str | None = None,
    ends: Callable[[], bool] = bool,
    *,
    joins: Callable[[], Mapping[str, str]] = dict,
) -> scoped[StepContext]:
    """Make an attempt known to ``step_context`` while it runs.

    Args:
        run_id: The run.
        operation: The operation.
        attempt: Number of the attempt.
        deadline: When it is cut off.
        effects: The run whose idempotency keys the step has, if that is another one.
        ends: Reads whether the run is to end.
        joins: Makes the headers that join it with its run.
    """
    extra = {"run_id": run_id, "operation": operation, "attempt": attempt}
    context = StepContext(
        idempotency_key=f"{effects or run_id}:{operation}",
        attempt=attempt,
        run_id=run_id,
        operation=operation,
        deadline=deadline,
        logger=ContextLogger(named("everstep.step"), extra),
        ends=ends,
        joins=joins,
    )
    return scoped(_current, context)
