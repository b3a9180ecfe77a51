"""One attempt of a step: run the user's function, and say what to record."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Final

from everstep.app.engine import Execution
from everstep.app.payloads import pack
from everstep.authoring.capture import Ear, listening
from everstep.authoring.step_context import attempt_context
from everstep.core.blocking import failures_of_steps
from everstep.core.circumstances import effects_of
from everstep.core.durations import LAST_INSTANT, LONGEST_DELAY, SECOND, to_datetime
from everstep.core.errors import (
    EverstepError,
    PayloadTooLargeError,
    RunCancelled,
    SerializationError,
    StepInterrupted,
)
from everstep.core.failures import describe
from everstep.core.hiding import registering
from everstep.core.model import OpRecord, OpStatus
from everstep.core.records import dataclass, replace
from everstep.core.run_logs import LogLine, LogSource
from everstep.core.trace_context import correlation_id_of, headers, trace_of, within

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.engine import Engine
    from everstep.core.decisions import Pending
    from everstep.core.hiding import Hidden
    from everstep.core.model import ErrorInfo, Head, Message, Payload
    from everstep.core.operations import StepCall
    from everstep.core.retry import Retry
    from everstep.core.run_logs import Logs

# What remains of the function's time for committing the result and sending on.
_MARGIN = 1500
# What nobody can change need not be copied.
_ATOMS: Final = frozenset({bool, bytes, float, int, str, type(None)})
# How far the clocks of two functions may be apart, generously.
_APART = 5 * SECOND


class OutOfTimeError(EverstepError):
    """Say that the function has too little time left to begin an attempt; nothing was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of a step, about to be made.

    Attributes:
        message: What asks for it, under the number of the attempt.
        pending: The operation.
        call: What is called.
        retry: What a failure leads to.
        limit: Longest time in milliseconds; None for no limit.
        begun_at: When it begins.
        over_at: When it is surely over.
        head: The run.
        ear: Hears what it says.
        hidden: The run's secrets, to which the step may add.
    """

    message: Message
    pending: Pending
    call: StepCall
    retry: Retry
    limit: int | None
    begun_at: int
    over_at: int
    head: Head
    ear: Ear
    hidden: Hidden

    @property
    def number(self) -> int:
        """Return which attempt it is, from 1."""
        return self.message.attempt

    @property
    def started(self) -> OpRecord:
        """Return what says that it has begun."""
        return self.pending.begun(
            OpStatus.STARTED,
            self.message.token,
            attempt=self.number,
            started_at=self.begun_at,
            wake_at=self.over_at,
        )

    def done(self, engine: Engine, result: Payload) -> OpRecord:
        """Return the record of its success."""
        return self.pending.begun(
            OpStatus.DONE,
            self.message.token,
            attempt=self.number,
            started_at=self.begun_at,
            ended_at=engine.clock.now(),
            result=result,
            logs=self._logs(),
        )

    def failed(self, engine: Engine, error: ErrorInfo, delay: int | None) -> OpRecord:
        """Return the record of its failure: with another attempt to come, or final.

        Args:
            engine: The ports.
            error: What happened.
            delay: Milliseconds until the next attempt; None for none.
        """
        now = engine.clock.now()
        logs = self._logs(_failed(self.number, error, delay, now))
        ended = replace(self.started, ended_at=now, error=error, logs=logs)
        if delay is None:
            return replace(ended, status=OpStatus.FAILED, wake_at=None)
        # No datetime can express what comes after the last.
        wake_at = min(now + delay, LAST_INSTANT)
        due_at = wake_at if delay > LONGEST_DELAY else None
        return replace(ended, status=OpStatus.RETRY, wake_at=wake_at, due_at=due_at)

    def told(self, engine: Engine, error: ErrorInfo) -> OpRecord:
        """Return the record of a step that has heard that the run is to end, and let it end."""
        ended_at = engine.clock.now()
        return replace(
            self.started,
            status=OpStatus.CANCELLED,
            wake_at=None,
            ended_at=ended_at,
            error=error,
            logs=self._logs(),
        )

    def described(self, error: BaseException) -> ErrorInfo:
        """Return what is recorded of what the step has raised."""
        return describe(error, self.pending.key, self.hidden.masking)

    def _logs(self, *about: LogLine) -> Logs:
        """Return what the attempt has said, and what there is to say about it."""
        return self.pending.logs.and_lines((*self.ear.said.all(), *about))

    def execute(self, engine: Engine, fn: Callable[..., object], *, probe: bool = False) -> object:
        """Return what the step's function, or its probe, gives for the step's arguments."""
        key, head, run_id = self.pending.key, self.head, self.message.run_id
        trace = trace_of(head)
        deadline = None if self.limit is None else to_datetime(engine.clock.now() + self.limit)

        def ends() -> bool:
            now = engine.runs.head(run_id)
            return now is not None and now.ending is not None

        def joins() -> dict[str, str]:
            here = within(trace, run_id, key, self.number)
            return headers(here, correlation_id_of(head, trace))

        effects = effects_of(head)
        context = attempt_context(run_id, key, self.number, deadline, effects, ends, joins=joins)
        with context, listening(self.ear), registering(self.hidden):
            args, kwargs = _own(self.call)
            execution = Execution(
                run_id=run_id,
                key=key,
                attempt=self.number,
                fn=fn,
                args=args,
                kwargs=kwargs,
                limit=self.limit,
                probe=probe,
                trace=trace,
            )
            return engine.execute(execution)

    def pack(self, engine: Engine, value: object) -> Payload:
        """Return what is recorded of a result.

        Raises:
            SerializationError: It cannot be recorded.
            PayloadTooLargeError: It is too large.
            UnavailableError: The blob store did not answer.
        """
        text = self.call.result.encode(value)
        return pack(engine, self.message.run_id, text, f"the result of step {self.pending.key}")


def begin(
    engine: Engine,
    message: Message,
    pending: Pending,
    call: StepCall,
    head: Head,
    time_left: Callable[[], int] | None,
) -> Attempt:
    """Return the attempt that a message asks for; nothing is recorded yet.

    Raises:
        OutOfTimeError: Too little time is left to begin.
    """
    timeout = engine.limits.step_timeout if call.terms.timeout is None else call.terms.timeout
    limit = _limit(timeout, time_left)
    now = engine.clock.now()
    return Attempt(
        message=message,
        pending=pending,
        call=call,
        retry=engine.limits.retry if call.terms.retry is None else call.terms.retry,
        limit=limit,
        begun_at=now,
        over_at=now + _longest(engine, timeout, time_left),
        ear=Ear(
            now=engine.clock.now,
            limits=engine.limits.logs,
            marks={"run_id": message.run_id, "operation": pending.key, "attempt": message.attempt},
        ),
        head=head,
        hidden=pending.operation.session.hidden,
    )


def run_attempt(engine: Engine, attempt: Attempt) -> OpRecord:
    """Run the step once and return the record of how it went; its end is not recorded yet.

    What is no ``Exception`` (but for an exit or a cancellation) ends the process, as it would
    anywhere; the queue then delivers the message again.

    Raises:
        UnavailableError: The blob store did not answer.
    """
    call, key = attempt.call, attempt.pending.key
    try:
        value = attempt.execute(engine, call.terms.fn)
    except RunCancelled as error:
        return attempt.told(engine, attempt.described(error))
    except failures_of_steps() as error:
        seed = f"{attempt.message.run_id}/{key}"
        delay = attempt.retry.delay_after(error, attempt.number, seed)
        return attempt.failed(engine, attempt.described(error), delay)
    try:
        return attempt.done(engine, attempt.pack(engine, value))
    except (SerializationError, PayloadTooLargeError) as error:
        return attempt.failed(engine, attempt.described(error), None)


def _own(call: StepCall) -> tuple[tuple[object, ...], dict[str, object]]:
    """Return a copy of arguments: the workflow goes on with its own, as it would after a replay."""
    if all(type(each) in _ATOMS for each in (*call.args, *call.kwargs.values())):
        return call.args, dict(call.kwargs)
    return deepcopy((call.args, call.kwargs))


def _longest(engine: Engine, timeout: int | None, time_left: Callable[[], int] | None) -> int:
    """Return after how many milliseconds the attempt is surely no longer under way."""
    if time_left is not None:
        # A function is stopped when its time is up, whatever its code does.
        return time_left() + _APART
    return engine.limits.attempt if timeout is None else timeout + _APART


def _limit(timeout: int | None, time_left: Callable[[], int] | None) -> int | None:
    """Return how long the attempt may take: its own time-out, or what the function has left."""
    if time_left is None:
        return timeout
    left = time_left() - _MARGIN
    if left < SECOND:
        raise OutOfTimeError("too little time is left in this invocation to begin an attempt")
    return left if timeout is None else min(timeout, left)


def _failed(number: int, error: ErrorInfo, delay: int | None, at: int) -> LogLine:
    """Return the line that says how an attempt failed: its record shows only the last one."""
    then = "it was the last" if delay is None else f"the next one in {delay / SECOND:g} s"
    died = error.type == StepInterrupted.__name__
    return LogLine(
        at=at,
        level="ERROR" if delay is None else "WARNING",
        source=LogSource.SYSTEM if died else LogSource.ENGINE,
        logger="everstep",
        message=f"attempt {number} failed, {then}: {error.type}: {error.message}",
    )
