"""One attempt of a step: run the user's function, and say what to record."""

from __future__ import annotations

from asyncio import CancelledError
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING

from everstep.app.engine import Execution
from everstep.app.payloads import pack
from everstep.authoring.step_context import attempt_context
from everstep.core.durations import LAST_INSTANT, LONGEST_DELAY, SECOND, to_datetime
from everstep.core.errors import EverstepError, PayloadTooLargeError, SerializationError
from everstep.core.failures import describe
from everstep.core.model import OpRecord, OpStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.engine import Engine
    from everstep.core.circumstances import Origin
    from everstep.core.decisions import Pending
    from everstep.core.model import Message
    from everstep.core.operations import StepCall

# What remains of the function's time for committing the result and sending on.
_MARGIN = 1500


class OutOfTimeError(EverstepError):
    """Say that the function has too little time left to begin an attempt; nothing was done."""


def run_attempt(
    engine: Engine,
    message: Message,
    pending: Pending,
    call: StepCall,
    time_left: Callable[[], int] | None,
    origin: Origin | None = None,
) -> OpRecord:
    """Run the step once and return the record of how it went; nothing is recorded yet.

    What is no ``Exception`` (but for an exit or a cancellation) ends the process, as it would
    anywhere; the queue then delivers the message again.

    Raises:
        OutOfTimeError: Too little time is left to begin.
        UnavailableError: The blob store did not answer.
    """
    limit = _limit(call.timeout, time_left)
    started = engine.clock.now()
    begun = OpRecord(
        key=pending.key,
        kind=pending.operation.kind,
        status=OpStatus.DONE,
        by=message.token,
        input_hash=pending.operation.input_hash,
        attempt=message.attempt,
        started_at=started,
    )
    deadline = None if limit is None else to_datetime(started + limit)
    try:
        effects = origin.effects if origin else None
        with attempt_context(message.run_id, pending.key, message.attempt, deadline, effects):
            # A copy: the workflow goes on with its own, as it would after a replay.
            args, kwargs = deepcopy((call.args, call.kwargs))
            execution = Execution(
                run_id=message.run_id,
                key=pending.key,
                attempt=message.attempt,
                fn=call.fn,
                args=args,
                kwargs=kwargs,
                limit=limit,
            )
            value = engine.execute(execution)
    except (Exception, CancelledError, SystemExit) as error:  # noqa: BLE001 - user code may raise anything
        delay = call.retry.delay_after(error, message.attempt, f"{message.run_id}/{pending.key}")
        return _failed(begun, error, engine.clock.now(), delay)
    try:
        result = pack(engine, call.result.encode(value), f"the result of step {pending.key}")
    except (SerializationError, PayloadTooLargeError) as error:
        return _failed(begun, error, engine.clock.now(), None)
    return replace(begun, ended_at=engine.clock.now(), result=result)


def _limit(timeout: int | None, time_left: Callable[[], int] | None) -> int | None:
    """Return how long the attempt may take: its own time-out, or what the function has left."""
    if time_left is None:
        return timeout
    left = time_left() - _MARGIN
    if left < SECOND:
        raise OutOfTimeError("too little time is left in this invocation to begin an attempt")
    return left if timeout is None else min(timeout, left)


def _failed(begun: OpRecord, error: BaseException, now: int, delay: int | None) -> OpRecord:
    """Return the record of a failed attempt: with another one to come, or final."""
    described = describe(error, begun.key)
    if delay is None:
        return replace(begun, status=OpStatus.FAILED, ended_at=now, error=described)
    # No datetime can express what comes after the last.
    wake_at = min(now + delay, LAST_INSTANT)
    due_at = wake_at if delay > LONGEST_DELAY else None
    return replace(
        begun, status=OpStatus.RETRY, ended_at=now, error=described, wake_at=wake_at, due_at=due_at
    )
