"""``Context``: the ``ctx`` that workflow code does everything durable with."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from everstep.authoring.loggers import ContextLogger
from everstep.authoring.steps import Step, as_step
from everstep.core.durations import instant, to_datetime, to_millis
from everstep.core.keys import check_name
from everstep.core.operations import Operation, SleepCall
from everstep.core.session import Phase, Session
from everstep.core.shapes import call_digest

if TYPE_CHECKING:
    import random
    import uuid
    from collections.abc import Callable, Coroutine
    from datetime import datetime, timedelta

P = ParamSpec("P")
R = TypeVar("R")


class Context:
    """The durable side of a workflow; one per pass over its code.

    Attributes:
        logger: Logs with the run's id, and only where code runs for the first time.
    """

    def __init__(self, session: Session) -> None:
        """Bind the context to a pass."""
        self._session = session
        self.logger: ContextLogger = _WorkflowLogger(session)

    @overload
    def step(self, fn: Step[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Operation[R]: ...
    @overload
    def step(
        self, fn: Callable[P, Coroutine[Any, Any, R]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Operation[R]: ...
    @overload
    def step(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Operation[R]: ...
    def step(self, fn: Any, /, *args: Any, **kwargs: Any) -> Operation[Any]:
        """Run a step; ``await`` the operation for its result.

        Args:
            fn: A step, or any named function (it gets the default retry policy).
            *args: Its arguments; their hash is recorded, to notice when they change.
            **kwargs: The same, by name.

        Raises:
            StepFailed: At the ``await``, when the step used up its attempts.
            SerializationError: An argument has no stable recorded form.
            DefinitionError: The arguments do not fit the function.
        """
        chosen = as_step(fn)
        call = chosen.call(args, kwargs)
        return Operation(self._session, chosen.name, call, call_digest(call.arguments))

    def sleep(self, duration: float | timedelta, name: str = "sleep") -> Operation[None]:
        """Sleep durably for a time; it never ends early and holds no compute.

        Args:
            duration: Seconds or ``timedelta``, up to thousands of years.
            name: Name in keys and history.
        """
        millis = to_millis(duration, "ctx.sleep(duration)")
        return self._sleep(name, SleepCall(duration=millis), f"for={millis}")

    def sleep_until(self, when: datetime, name: str = "sleep") -> Operation[None]:
        """Sleep durably until an instant; one that has passed ends the sleep at once.

        Args:
            when: A timezone-aware datetime.
            name: Name in keys and history.
        """
        until = instant(when, "ctx.sleep_until(when)")
        return self._sleep(name, SleepCall(until=until), f"until={until}")

    def _sleep(self, name: str, call: SleepCall, input_hash: str) -> Operation[None]:
        return Operation(self._session, check_name(name, "the name of a sleep"), call, input_hash)

    def now(self) -> datetime:
        """Return the workflow's time in UTC: when the operation awaited last ended."""
        return to_datetime(self._session.now)

    def random(self) -> random.Random:
        """Return the run's random stream, which gives the same numbers in every replay."""
        return self._session.stream("random")

    def uuid(self) -> uuid.UUID:
        """Return a new UUID, the same in every replay."""
        return self._session.uuid()

    @property
    def run_id(self) -> str:
        """Return the id of the run."""
        return self._session.run.run_id

    @property
    def workflow(self) -> str:
        """Return the name of the workflow."""
        return self._session.run.workflow

    @property
    def version(self) -> str:
        """Return the version that the run is pinned to."""
        return self._session.run.version


class _WorkflowLogger(ContextLogger):
    """Logs only where workflow code runs for the first time."""

    def __init__(self, session: Session) -> None:
        run = session.run
        self._session = session
        extra = {"run_id": run.run_id, "workflow": run.workflow, "workflow_version": run.version}
        super().__init__(logging.getLogger(f"everstep.workflow.{run.workflow}"), extra)

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name that logging calls
        """Say no while history is replayed, and while a suspended pass is let go."""
        live = self._session.live and self._session.phase is Phase.DRIVING
        return live and super().isEnabledFor(level)
