"""What workflow code can ask for: operations, as awaitable values.

An operation does nothing by itself. ``await`` hands it to the pass that drives the workflow
(see ``session``), which answers with what is recorded or suspends the workflow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from everstep.core.durations import LAST_INSTANT
from everstep.core.model import OpKind

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from everstep.core.retry import Retry
    from everstep.core.session import Session
    from everstep.core.shapes import Shape

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCall:
    """One call of a step: the function, what it is called with, and how it is tried.

    ``arguments`` names what ``args`` and ``kwargs`` hold, so that it does not matter which way
    an argument is given.
    """

    fn: Callable[..., object]
    args: tuple[object, ...]
    kwargs: dict[str, object]
    arguments: dict[str, object]
    retry: Retry
    timeout: int | None
    result: Shape[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepCall:
    """One durable sleep: for so many milliseconds, or until an instant."""

    duration: int | None = None
    until: int | None = None

    def wake_at(self, now: int) -> int:
        """Return when a sleep that begins now ends."""
        until = self.until if self.until is not None else now + (self.duration or 0)
        # What has passed ends at once, and no datetime can express what comes after the last.
        return max(now, min(until, LAST_INSTANT))


Call = StepCall | SleepCall


class Operation(Generic[T]):
    """A durable operation; ``await`` it for its result.

    Attributes:
        name: Name within its scope.
        call: What is asked for.
        input_hash: Hash of what is asked for.
    """

    __slots__ = ("__weakref__", "awaited", "call", "input_hash", "name", "session")

    def __init__(self, session: Session, name: str, call: Call, input_hash: str) -> None:
        """Bind the operation to the pass that it was created in."""
        self.session = session
        self.name = name
        self.call = call
        self.input_hash = input_hash
        self.awaited = False
        session.created(self)

    @property
    def kind(self) -> OpKind:
        """Return the kind under which the operation is recorded."""
        return OpKind.STEP if isinstance(self.call, StepCall) else OpKind.SLEEP

    def __await__(self) -> Generator[Any, Any, T]:
        """Ask the driving pass for the result; once only, as with any coroutine."""
        again, self.awaited = self.awaited, True
        self.session.settled(self)
        self.session.refuse_outside_the_workflow(self)
        if again:
            self.session.refuse_again(self)
        return cast("T", (yield self))

    def __del__(self) -> None:
        """Tell the pass when nobody awaited the operation: nothing is silently skipped."""
        if not self.awaited:
            self.session.dropped(self)

    def __repr__(self) -> str:
        """Name the operation."""
        return f"<{self.kind} {self.name}>"
