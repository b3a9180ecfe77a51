"""``Context``: the ``ctx`` that workflow code does everything durable with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from everstep.authoring import capture
from everstep.authoring.callbacks import Callback
from everstep.authoring.groups import scoped
from everstep.authoring.loggers import ContextLogger, named
from everstep.authoring.other_runs import OtherRuns
from everstep.authoring.polling import NO_STATE, check_limit, poll
from everstep.authoring.sagas import Saga
from everstep.authoring.side_by_side import SideBySide
from everstep.authoring.steps import Step, as_step
from everstep.core import codec
from everstep.core.durations import instant, to_datetime, to_millis
from everstep.core.keys import check_name
from everstep.core.operations import Operation, SleepCall, WaitCall
from everstep.core.session import Phase, Session
from everstep.core.shapes import call_digest, shape_of

if TYPE_CHECKING:
    import random
    import uuid
    from collections.abc import Callable, Coroutine
    from datetime import datetime, timedelta


P = ParamSpec("P")
R = TypeVar("R")
In = TypeVar("In")
T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


class Context(SideBySide, OtherRuns):
    """The durable side of a workflow; one per pass over its code.

    Attributes:
        logger: Logs with the run's id, and only where code runs for the first time.
    """

    def __init__(
        self, session: Session, encode_input: Callable[[object], str] = codec.encode
    ) -> None:
        """Bind the context to a pass of a workflow whose input is recorded like this."""
        self._session = session
        self._encode_input = encode_input
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

    @overload
    def callback(
        self,
        type_: type[R],
        timeout: float | timedelta | None = None,
        heartbeat: float | timedelta | None = None,
        name: str = "callback",
    ) -> Callback[R]: ...
    @overload
    def callback(
        self,
        type_: object = Any,
        timeout: float | timedelta | None = None,
        heartbeat: float | timedelta | None = None,
        name: str = "callback",
    ) -> Callback[Any]: ...
    def callback(
        self,
        type_: Any = Any,
        timeout: float | timedelta | None = None,
        heartbeat: float | timedelta | None = None,
        name: str = "callback",
    ) -> Callback[Any]:
        """Make a token for somebody outside; ``await`` the callback for what that one answers.

        A plain call: the token is there at once, and can be used from then on.

        Args:
            type_: What the answer is validated as.
            timeout: How long at most from now, in seconds or as ``timedelta``.
            heartbeat: How long at most without a sign of life.
            name: Name in keys and history.
        """
        limits = [
            None if each is None else to_millis(each, f"ctx.callback({of})")
            for of, each in (("timeout", timeout), ("heartbeat", heartbeat))
        ]
        shape = shape_of(type_)
        shape.check()
        checked = check_name(name, "the name of a callback")
        return Callback(self._session, checked, shape, timeout=limits[0], heartbeat=limits[1])

    def saga(self) -> Saga:
        """Return a block of work with a way back: ``async with ctx.saga() as saga: …``."""
        return Saga(self)

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

    def patched(self, change_id: str) -> bool:
        """Say whether this run comes by a change of the code as new code: a plain call.

        True for runs that first come here with the new code, false for those that had gone on
        from here before. A run always gets the same answer in the same place; within a loop the
        first one counts.

        Args:
            change_id: A name for the change, of the same form as names of operations.
        """
        return self._session.patched(check_name(change_id, "the id of a change"))

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
        super().__init__(named(f"everstep.workflow.{run.workflow}"), extra)

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name that logging calls
        """Say no while a suspended pass is let go, or while nobody keeps what a replay says."""
        if self._session.phase is not Phase.DRIVING:
            return False
        return capture.keeps(level) or (self._session.live and super().isEnabledFor(level))
