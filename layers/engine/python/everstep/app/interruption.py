"""What becomes of an attempt that was begun and left no result.

Its process died, or it stands still for longer than it may run. Whether the step has had its
effect is unknown. Who may ask somebody asks: the step's probe. Who may not takes it for a failed
attempt, which the retry policy judges.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep.core.blocking import failures_of_steps
from everstep.core.errors import ProbeFailedError, StepInterrupted, StepNotExecuted
from everstep.core.model import ErrorInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.app.attempt import Attempt
    from everstep.app.engine import Engine
    from everstep.core.model import OpRecord


def settle_interrupted(engine: Engine, attempt: Attempt) -> OpRecord:
    """Return the record of what an interrupted attempt has come to; nothing is recorded yet.

    Args:
        engine: The ports.
        attempt: The interrupted attempt, under its own number.

    Raises:
        ProbeFailedError: The step's probe could not find out; deliver the message again.
    """
    if attempt.call.terms.probe is not None:
        return _probed(engine, attempt, attempt.call.terms.probe)
    return attempt.failed(engine, _interrupted(attempt), _delay(attempt))


def _probed(engine: Engine, attempt: Attempt, probe: Callable[..., object]) -> OpRecord:
    try:
        return attempt.done(
            engine, attempt.pack(engine, attempt.execute(engine, probe, probe=True))
        )
    except StepNotExecuted:
        # It did not happen, so nothing is in the way of the next attempt, if there is one.
        left = attempt.number < attempt.retry.max_attempts
        return attempt.failed(engine, _interrupted(attempt), 0 if left else None)
    except failures_of_steps() as error:
        raise ProbeFailedError(
            f"the probe of step {attempt.pending.key} could not find out what became of attempt "
            f"{attempt.number}: {type(error).__name__}: {error}"
        ) from error


def _delay(attempt: Attempt) -> int | None:
    """Return how long to wait before the next attempt; None to give up.

    A step that may run once only is tried again if its policy says so in so many words.
    """
    if attempt.call.terms.at_most_once and not attempt.retry.names(StepInterrupted):
        return None
    error = StepInterrupted(
        operation=attempt.pending.key,
        error_type=StepInterrupted.__name__,
        message="",
        attempts=attempt.number,
    )
    seed = f"{attempt.message.run_id}/{attempt.pending.key}"
    return attempt.retry.delay_after(error, attempt.number, seed)


def _interrupted(attempt: Attempt) -> ErrorInfo:
    return ErrorInfo(
        type=StepInterrupted.__name__,
        message=(
            f"attempt {attempt.number} began and left no result: its process died, "
            "or was taken for dead"
        ),
        operation=attempt.pending.key,
    )
