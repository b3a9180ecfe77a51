"""``Context``: the ``ctx`` that workflow code does everything durable with."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from everstep.authoring.groups import (
    completion_of,
    gathered,
    lanes_of,
    mapped,
    parallel,
    raced,
    scoped,
)
from everstep.authoring.loggers import ContextLogger
from everstep.authoring.polling import NO_STATE, check_limit, poll
from everstep.authoring.sagas import Saga
from everstep.authoring.steps import Step, as_step
from everstep.core.durations import instant, to_datetime, to_millis
from everstep.core.keys import check_name
from everstep.core.operations import Operation, SleepCall, WaitCall
from everstep.core.session import Phase, Session
from everstep.core.shapes import call_digest, shape_of

if TYPE_CHECKING:
    import random
    import uuid
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from everstep.authoring.batches import Batch
    from everstep.core.operations import GroupCall

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


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

    @overload
    def wait_for_event(
        self, name: str, type_: type[R], timeout: float | timedelta | None = None
    ) -> Operation[R]: ...
    @overload
    def wait_for_event(
        self, name: str, type_: object = Any, timeout: float | timedelta | None = None
    ) -> Operation[Any]: ...
    def wait_for_event(
        self,
        name: str,
        type_: Any = Any,
        timeout: float | timedelta | None = None,
    ) -> Operation[Any]:
        """Wait for an event, buffered or still to come; the earliest that no other wait has taken.

        Args:
            name: What the event is called.
            type_: What its payload is validated as.
            timeout: How long at most, in seconds or as ``timedelta``; for ever if not given.

        Raises:
            EventTimeout: At the ``await``, when none came in time.
            InvalidInputError: At the ``await``, when its payload does not fit.
        """
        millis = None if timeout is None else to_millis(timeout, "ctx.wait_for_event(timeout)")
        shape = shape_of(type_)
        shape.check()
        call = WaitCall(event=name, timeout=millis, result=shape)
        checked = check_name(name, "the name of an event")
        return Operation(self._session, checked, call, f"timeout={millis}")

    def wait_for_condition(
        self,
        fn: Any,  # noqa: ANN401 - a step or a named function
        /,
        *args: object,
        until: Callable[[Any], bool],
        every: float | timedelta | Callable[[int], float | timedelta],
        max_attempts: int | None = None,
        initial: object = NO_STATE,
        name: str = "condition",
    ) -> Operation[Any]:
        """Run a step until its result is what is waited for, sleeping durably in between.

        Args:
            fn: The step that looks.
            *args: Its arguments.
            until: Says of a result whether it is.
            every: How long to sleep between two looks, or a function of the number of looks.
            max_attempts: How often to look at most.
            initial: If given, the step gets it as a last argument at the first look, and at each
                later one what the look before has returned.
            name: Name in keys and history.

        Raises:
            ConditionNotMet: At the ``await``, when it was looked at as often as it may be.
        """
        check_limit(max_attempts)
        options: dict[str, Any] = {
            "until": until,
            "every": every,
            "max_attempts": max_attempts,
            "initial": initial,
        }
        call = scoped(lambda: poll(self, fn, args, **options), "wait_for_condition")
        return self._group(name, call)

    def saga(self) -> Saga:
        """Return a block of work with a way back: ``async with ctx.saga() as saga: …``."""
        return Saga(self)

    def _sleep(self, name: str, call: SleepCall, input_hash: str) -> Operation[None]:
        return Operation(self._session, check_name(name, "the name of a sleep"), call, input_hash)

    # --- Side by side

    @overload
    def gather(self, first: Awaitable[A], second: Awaitable[B], /) -> Operation[tuple[A, B]]: ...
    @overload
    def gather(
        self, first: Awaitable[A], second: Awaitable[B], third: Awaitable[C], /
    ) -> Operation[tuple[A, B, C]]: ...
    @overload
    def gather(self, *awaitables: Awaitable[R]) -> Operation[list[R]]: ...
    def gather(self, *awaitables: Awaitable[Any]) -> Operation[Any]:
        """Run operations and coroutines side by side; ``await`` all results, in their order.

        Each has a key space of its own. As with ``asyncio.gather`` the first error is raised at
        once; what the others come to is ignored.
        """
        return self._group("gather", gathered(self._session, awaitables))

    def race(self, *awaitables: Awaitable[R]) -> Operation[tuple[int, R]]:
        """Run operations and coroutines side by side; ``await`` the first to end, and its index.

        Raises:
            Exception: At the ``await``, whatever the first to end has raised.
        """
        return self._group("race", raced(self._session, awaitables))

    @overload
    def map(
        self,
        fn: Step[[T], R],
        items: Iterable[T],
        *,
        max_concurrency: int | None = None,
        min_successful: int | None = None,
        tolerated_failures: int | None = None,
        tolerated_failure_ratio: float | None = None,
        name: str | None = None,
    ) -> Operation[Batch[list[R]]]: ...
    @overload
    def map(
        self,
        fn: Callable[[Context, T], Coroutine[Any, Any, R]],
        items: Iterable[T],
        *,
        max_concurrency: int | None = None,
        min_successful: int | None = None,
        tolerated_failures: int | None = None,
        tolerated_failure_ratio: float | None = None,
        name: str | None = None,
    ) -> Operation[Batch[list[R]]]: ...
    def map(  # noqa: PLR0913 - options by name
        self,
        fn: Any,
        items: Iterable[Any],
        *,
        max_concurrency: int | None = None,
        min_successful: int | None = None,
        tolerated_failures: int | None = None,
        tolerated_failure_ratio: float | None = None,
        name: str | None = None,
    ) -> Operation[Any]:
        """Run a step, or an ``async def (ctx, item)``, for each item; ``await`` a ``Batch``.

        Args:
            fn: What to run.
            items: What to run it for; the same in every pass.
            max_concurrency: How many run at the same time at most.
            min_successful: So many successes are enough; the rest is ignored.
            tolerated_failures: More failures than this end it; 0 if no tolerance is given.
            tolerated_failure_ratio: More failures than this part of all items end it.
            name: Name in keys and history; that of ``fn`` if not given.

        Raises:
            DefinitionError: An option that makes no sense, or ``fn`` is neither.
        """
        completion = completion_of(
            "ctx.map",
            min_successful=min_successful,
            tolerated_failures=tolerated_failures,
            tolerated_failure_ratio=tolerated_failure_ratio,
        )
        call = mapped(self, fn, items, completion, lanes_of("ctx.map", max_concurrency))
        return self._group(name or getattr(fn, "name", None) or fn.__name__, call)

    @overload
    def parallel(
        self,
        branches: Mapping[str, Callable[[Context], Coroutine[Any, Any, R]]],
        *,
        max_concurrency: int | None = None,
        min_successful: int | None = None,
        tolerated_failures: int | None = None,
        tolerated_failure_ratio: float | None = None,
        name: str = "parallel",
    ) -> Operation[Batch[dict[str, R]]]: ...
    @overload
    def parallel(
        self,
        branches: Sequence[Callable[[Context], Coroutine[Any, Any, R]]],
        *,
        max_concurrency: int | None = None,
        min_successful: int | None = None,
        tolerated_failures: int | None = None,
        tolerated_failure_ratio: float | None = None,
        name: str = "parallel",
    ) -> Operation[Batch[list[R]]]: ...
    def parallel(
        self,
        branches: Any,
        *,
        max_concurrency: int | None = None,
        min_successful: int | None = None,
        tolerated_failures: int | None = None,
        tolerated_failure_ratio: float | None = None,
        name: str = "parallel",
    ) -> Operation[Any]:
        """Run branches side by side, each an ``async def (ctx)``; ``await`` a ``Batch``.

        Args:
            branches: A list, or a dict by name.
            max_concurrency: How many run at the same time at most.
            min_successful: So many successes are enough; the rest is ignored.
            tolerated_failures: More failures than this end it; 0 if no tolerance is given.
            tolerated_failure_ratio: More failures than this part of all branches end it.
            name: Name in keys and history.

        Raises:
            DefinitionError: An option that makes no sense, or a branch that is no ``async def``.
        """
        completion = completion_of(
            "ctx.parallel",
            min_successful=min_successful,
            tolerated_failures=tolerated_failures,
            tolerated_failure_ratio=tolerated_failure_ratio,
        )
        call = parallel(self, branches, completion, lanes_of("ctx.parallel", max_concurrency))
        return self._group(name, call)

    def scope(
        self,
        name: str,
        fn: Callable[Concatenate[Context, P], Coroutine[Any, Any, R]],
        /,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Operation[R]:
        """Run an ``async def (ctx, …)`` with a key space of its own.

        Args:
            name: Name in keys and history.
            fn: The function.
            *args: Its further arguments.
            **kwargs: The same, by name.
        """
        return self._group(name, scoped(lambda: fn(self, *args, **kwargs)))

    def _group(self, name: str, call: GroupCall) -> Operation[Any]:
        checked = check_name(name, f"the name of ctx.{call.verb}")
        return Operation(self._session, checked, call, f"{call.verb}={call.total}")

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
