"""``ctx.saga``: what was done is undone, last first, when what follows fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from everstep.core.errors import CompensationFailed, StepFailed

if TYPE_CHECKING:
    from types import TracebackType

    from everstep.authoring.context import Context


class Saga:
    """A block of work with a way back.

    ::

        async with ctx.saga() as saga:
            flight = await ctx.step(book_flight, trip)
            saga.compensate(cancel_flight, flight)
            hotel = await ctx.step(book_hotel, trip)
            saga.compensate(cancel_hotel, hotel)

    When the block raises, the compensations run as steps, the last first, each with its own retry
    policy; then the error goes on. One that fails for good does not keep the others from running.
    """

    def __init__(self, context: Context) -> None:
        """Begin with nothing to undo."""
        self._context = context
        self._steps: list[tuple[Any, tuple[object, ...], dict[str, object]]] = []

    def compensate(self, fn: Any, /, *args: object, **kwargs: object) -> None:  # noqa: ANN401 - a step or a named function
        """Say how to undo what was just done.

        Args:
            fn: A step, or any named function.
            *args: Its arguments.
            **kwargs: The same, by name.
        """
        self._steps.append((fn, args, kwargs))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        # What lets a suspended workflow go undoes nothing.
        if error is None or isinstance(error, GeneratorExit):
            return
        undone, failed = await self._undo()
        if failed:
            raise CompensationFailed(error, undone, failed) from error

    async def _undo(self) -> tuple[list[str], list[StepFailed]]:
        undone: list[str] = []
        failed: list[StepFailed] = []
        while self._steps:
            fn, args, kwargs = self._steps.pop()
            operation = self._context.step(fn, *args, **kwargs)
            try:
                await operation
            except StepFailed as failure:
                failed.append(failure)
            else:
                undone.append(operation.name)
        return undone, failed
