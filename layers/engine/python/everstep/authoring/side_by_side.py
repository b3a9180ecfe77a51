"""The part of ``ctx`` that runs work side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast, overload

from everstep.authoring.groups import (
    completion_of,
    gathered,
    lanes_of,
    limited,
    mapped,
    parallel,
    raced,
    scoped,
)
from everstep.core.keys import check_name
from everstep.core.operations import Operation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
    from datetime import timedelta

    from everstep.authoring.batches import Batch
    from everstep.authoring.context import Context
    from everstep.authoring.steps import Step
    from everstep.core.operations import GroupCall
    from everstep.core.session import Session

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


class SideBySide:
    """Groups of branches, each with a key space of its own."""

    _session: Session

    @property
    def _context(self) -> Context:
        """Return the whole that this is a part of."""
        return cast("Context", self)

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
        call = mapped(self._context, fn, items, completion, lanes_of("ctx.map", max_concurrency))
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
        lanes = lanes_of("ctx.parallel", max_concurrency)
        call = parallel(self._context, branches, completion, lanes)
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
        return self._group(name, scoped(lambda: fn(self._context, *args, **kwargs)))

    def wait_for(
        self, awaitable: Awaitable[R], timeout: float | timedelta, name: str = "wait_for"
    ) -> Operation[R]:
        """Wait for an operation or a coroutine, but not for ever; ``await`` its result.

        Args:
            awaitable: What to wait for; when its time is up nothing waits for it any more.
            timeout: How long at most, in seconds or as ``timedelta``.
            name: Name in keys and history.

        Raises:
            OperationTimeout: At the ``await``, when time was up first.
        """
        return self._group(name, limited(self._context, awaitable, timeout))

    def _group(self, name: str, call: GroupCall) -> Operation[Any]:
        checked = check_name(name, f"the name of ctx.{call.verb}")
        return Operation(self._session, checked, call, f"{call.verb}={call.total}")
