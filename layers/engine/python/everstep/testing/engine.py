"""``TestEngine``: the real use cases on memory adapters, with a clock that the test moves."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic_core import to_jsonable_python

from everstep.app.engine import Limits
from everstep.app.events import send_event
from everstep.app.options import StartOptions
from everstep.app.query import inspect
from everstep.app.start import Accepted, start
from everstep.app.verify import verify
from everstep.authoring import capture
from everstep.core.durations import SECOND, to_datetime, to_millis
from everstep.core.errors import EverstepError, UnavailableError
from everstep.core.invariants import ViolationError
from everstep.core.run_logs import LogLimits
from everstep.testing.callers import Callers
from everstep.testing.handles import TestRun
from everstep.testing.logs import LogBook
from everstep.testing.operators import Operators
from everstep.testing.simulation.settings import Settings
from everstep.testing.simulation.world import World
from everstep.testing.stand_ins import StandIns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime, timedelta

    from everstep.app.engine import Engine
    from everstep.app.options import OnConflict
    from everstep.authoring.workflows import Workflow
    from everstep.core.observations import Observation
    from everstep.testing.stand_ins import Mock

In = TypeVar("In")
Out = TypeVar("Out")
T = TypeVar("T")

# More than any sensible test needs: a workflow that never comes to rest.
_RESTLESS: Final = 200_000
_PATIENCE: Final = 1_000
_OF_THE_CODE_AS_IT_WAS: Final = ("attempts_within_policy", "history_replays_to_its_outcome")
# Not given, where None has a meaning of its own.
_NOTHING: Any = object()


class TestEngine(Callers, Operators):
    """Runs workflows in memory: same core, same use cases, no network, no waiting.

    Nothing happens by itself: ``run_until_idle`` processes what is due now, ``advance`` moves
    the clock and fires every timer at its own time.

    Args:
        workflows: The workflows that are deployed.
        limits: Payload limits and the sweeper's patience, where the defaults do not fit.
        world: A world of one's own, in which things may go wrong.
    """

    __test__ = False  # not a test, whatever pytest thinks of the name

    def __init__(
        self,
        workflows: Iterable[Workflow[Any, Any]] = (),
        *,
        limits: Limits | None = None,
        world: World | None = None,
    ) -> None:
        """Deploy the workflows to an empty system on 1 January 2026."""
        self._world = world if world is not None else _calm(workflows, limits)
        self._stand_ins = StandIns()
        self._world.carry_out = self._stand_ins.execute
        self._logs = LogBook()
        capture.install(LogLimits())
        self._deployed = False
        # Where things go wrong a client needs a key, to call again without starting twice.
        self._keys = count(1) if world is not None else None

    @property
    def now(self) -> datetime:
        """Return the virtual time in UTC."""
        return to_datetime(self._world.time)

    @property
    def ports(self) -> Engine:
        """Return what use cases work on, for code that does what functions do."""
        return self._world.inside

    @property
    def observations(self) -> tuple[Observation, ...]:
        """Return what the engine has told of its work, as metrics are made of it, in order."""
        return tuple(self._world.facts.observations)

    def deploy(self, workflows: Iterable[Workflow[Any, Any]]) -> None:
        """Put new code in place of the old; runs stay as they are."""
        self._deployed = True
        self._world.deploy(workflows)

    def start(  # noqa: PLR0913 - options by name, each with a use of its own
        self,
        workflow: Workflow[In, Out],
        input: In | None = None,  # noqa: A002 - the name in workflows
        *,
        idempotency_key: str | None = None,
        reference_id: str | None = None,
        on_conflict: OnConflict = "error",
        delay: float | timedelta | None = None,
        at: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        timeout: float | timedelta | None = None,
        retention: float | timedelta | None = None,
        budget: float | None = None,
        correlation_id: str | None = None,
        traceparent: str | None = None,
    ) -> TestRun[Out]:
        """Start a run; it begins with the next ``run_until_idle`` or ``advance``.

        Args:
            workflow: A deployed workflow.
            input: Its input.
            idempotency_key: The same key gives the same run.
            reference_id: The caller's own name, for one run at a time.
            on_conflict: What to do if a run has it: ``error``, or give the ``existing`` one.
            delay: How much later it begins, in seconds or as a ``timedelta``.
            at: When it begins.
            tags: Marks on it.
            timeout: How long it may take; as the workflow says if not given.
            retention: How long it is kept after its end; as the workflow says if not given.
            budget: What it may cost, in dollars; as the workflow says if not given.
            correlation_id: A mark on everything that belongs together.
            traceparent: The trace that it belongs to, as W3C writes it.

        Raises:
            RequestError: As the HTTP trigger would answer.
        """
        key = idempotency_key
        if key is None and self._keys is not None:
            key = f"start {next(self._keys)}"

        options = StartOptions(
            version=workflow.version,
            idempotency_key=key,
            reference_id=reference_id,
            on_conflict=on_conflict,
            delay=delay,
            at=at,
            tags=tags or {},
            timeout=timeout,
            retention=retention,
            budget=budget,
            correlation_id=correlation_id,
            traceparent=traceparent,
        )

        def call() -> Accepted:
            answer = start(self._world.engine, workflow.name, input, options, from_json=False)
            self._world.facts.accepted.append((answer.run_id, key))
            return answer

        accepted = self._ask(f"trigger of {workflow.name}", call)
        return self._handle(accepted.run_id, workflow.output.decode)

    def get(self, run_id: str) -> TestRun[Any]:
        """Return the handle of a run.

        Raises:
            RunNotFoundError: There is no such run.
        """
        head = inspect(self._world.inside, run_id).head
        registry = self._world.inside.registry
        read = registry.to_continue(head.workflow, head.version).output.decode
        return self._handle(run_id, read)

    def send_event(
        self, run_id: str, name: str, payload: object = None, *, idempotency_key: str | None = None
    ) -> None:
        """Send an event to a run; it arrives with the next ``run_until_idle`` or ``advance``.

        Args:
            run_id: The run.
            name: What the event is called.
            payload: JSON data, or a model that gives it.
            idempotency_key: The same key sends one event only.

        Raises:
            RequestError: As the HTTP API would answer.
        """
        key = idempotency_key
        if key is None and self._keys is not None:
            key = f"event {next(self._keys)}"
        value = to_jsonable_python(payload)
        self._ask(
            f"client of {run_id}",
            lambda: send_event(self._world.engine, run_id, name, value, idempotency_key=key),
        )

    def verify(self) -> None:
        """Check that every run agrees with its code and with the engine's invariants.

        After ``deploy`` runs that have ended and attempts that were made are left out of this:
        other code brought them about.

        Raises:
            ViolationError: One does not.
        """
        for report in verify(self._world.inside):
            for violation in report.violations:
                if self._deployed and violation.invariant in _OF_THE_CODE_AS_IT_WAS:
                    continue
                detail = f"{violation.run_id} of {report.workflow}: {violation.detail}"
                raise ViolationError(violation.invariant, detail)

    # --- In place of steps

    def mock(
        self,
        step: object,
        *,
        returns: object = _NOTHING,
        calls: Callable[..., object] | None = None,
    ) -> Mock:
        """Put something in place of a step from now on; its retry policy stays.

        Args:
            step: The step, its name, or the key of one operation such as ``charge#2``.
            returns: The result of every execution.
            calls: A function with the step's parameters, if a fixed result will not do.

        Returns:
            The mock, which tells the calls so far.

        Raises:
            TypeError: Neither ``returns`` nor ``calls`` was given, or both.
        """
        if (returns is _NOTHING) is (calls is None):
            raise TypeError("mock needs one of returns=… and calls=…")
        instead = calls if calls is not None else lambda *_args, **_kwargs: returns
        return self._stand_ins.mock(step, instead)

    def fail(
        self,
        step: object,
        error: BaseException | type[BaseException],
        *,
        times: int = 1,
        after: bool = False,
    ) -> None:
        """Let the next attempts of a step fail; after them it is executed as usual.

        An attempt that is made again, because its process died, fails again in the same way.

        Args:
            step: The step, its name, or the key of one operation such as ``charge#2``.
            error: What is raised; ``Crash`` for the death of the process.
            times: How many attempts fail; of a ``Crash``, how many executions.
            after: Fail when the step's code has been executed, and not in place of it.
        """
        self._stand_ins.fail(step, error, times=times, after=after)

    # --- Time

    def run_until_idle(self) -> None:
        """Process every message that is due now; the clock does not move.

        Raises:
            EverstepError: A workflow never comes to rest.
        """
        with self._logs.open(), self._world.not_after(self._world.time):
            self._until_idle()

    def advance(self, duration: float | timedelta) -> None:
        """Move the clock on, firing each timer at its own time, in order.

        Args:
            duration: Seconds or ``timedelta``.
        """
        target = self._world.time + to_millis(duration, "advance(duration)")
        with self._logs.open(), self._world.not_after(target):
            self._until_idle()
            while (instant := self._world.next_instant()) <= target:
                self._world.pass_time(instant - self._world.time)
                self._until_idle()
            # What happened may have taken its time.
            self._world.pass_time(max(target - self._world.time, 0))

    def run_to_rest(self) -> None:
        """Let as much time pass as it takes until every run has ended or stands still.

        Raises:
            ViolationError: That does not happen within thousands of messages.
        """
        with self._logs.open():
            self._world.run()

    def _until_idle(self) -> None:
        if not self._world.until_idle(_RESTLESS):
            raise EverstepError(
                f"not idle after {_RESTLESS} turns: does a workflow loop without end?"
            )

    def _ask(self, name: str, call: Callable[[], T]) -> T:
        """Return the answer of a call over HTTP, by a client that calls until it has one."""
        answers: list[T] = []
        refusals: list[Exception] = []

        def ask() -> None:
            try:
                answers.append(call())
            except UnavailableError:
                raise
            except Exception as error:  # noqa: BLE001 - the caller's to see, as it is
                refusals.append(error)

        for _ in range(_PATIENCE):
            with self._logs.open():
                self._world.call(name, ask)
            if refusals:
                raise refusals[0]
            if answers:
                return answers[-1]
            self._world.pass_time(SECOND)
        raise EverstepError(f"{name}: not answered after {_PATIENCE} calls")

    def _handle(self, run_id: str, read_output: Callable[[str], Out]) -> TestRun[Out]:
        return TestRun(
            run_id,
            engine=lambda: self._world.inside,
            read_output=read_output,
            executions=self._executions,
            logs=self._logs.lines,
        )

    def _executions(self, run_id: str, name: str) -> int:
        return self._world.facts.executions(run_id)[name]


def _calm(workflows: Iterable[Workflow[Any, Any]], limits: Limits | None) -> World:
    """Return a world where nothing goes wrong but what the test does.

    The queue would deliver a message again after its visibility time-out, and whoever gets it then
    would wait until an attempt that was begun is surely over; a test need not wait.
    """
    settings = Settings(visibility=0, limits=replace(limits or Limits(), attempt=0))
    return World(workflows, settings=settings)
