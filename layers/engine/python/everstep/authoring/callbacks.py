"""``Callback``: a wait for somebody who was handed a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from everstep.core.operations import CallbackCall, Operation

if TYPE_CHECKING:
    from collections.abc import Generator

    from everstep.core.session import Session
    from everstep.core.shapes import Shape

T = TypeVar("T")


class Callback(Generic[T]):
    """A callback; ``await`` it for what it is completed with.

    ::

        approval = ctx.callback(Approval, timeout=timedelta(days=3))
        await ctx.step(ask_for_approval, order, approval.token)
        decision = await approval

    Attributes:
        token: Who holds it may complete the callback, fail it, or show that it is worked on.
    """

    def __init__(
        self,
        session: Session,
        name: str,
        result: Shape[T],
        *,
        timeout: int | None,
        heartbeat: int | None,
    ) -> None:
        """Make the token; the callback's time counts from now on."""
        frame = session.frame
        self._key = frame.next_key(name)
        self._session = session
        self._name = name
        self._call = CallbackCall(
            created_at=max(frame.now, session.run.began),
            timeout=timeout,
            heartbeat=heartbeat,
            result=result,
        )
        self._awaited = False
        session.claim(self._key)
        self.token = session.token(self._key)

    def __await__(self) -> Generator[Any, Any, T]:
        """Wait until the callback is completed.

        Raises:
            CallbackFailed: Whoever holds the token could not do it.
            CallbackTimeout: It took too long, or no sign of life came.
            InvalidInputError: What it was completed with does not fit.
            AwaitedTwiceError: Something else waits for it at this moment.
        """
        hashed = f"timeout={self._call.timeout} heartbeat={self._call.heartbeat}"
        operation: Operation[T] = Operation(
            self._session, self._name, self._call, hashed, key=self._key
        )
        if self._awaited:
            operation.adopt()
            self._session.refuse_again(operation)
        self._awaited = True
        try:
            return (yield from operation.__await__())
        finally:
            self._awaited = False

    def __repr__(self) -> str:
        return f"<callback {self._key}>"
