"""Every error that Everstep raises, in one tree.

::

    EverstepError
    ├── StepFailed               a step used up its attempts            → workflow code handles it
    │   └── StepInterrupted      its last attempt began and left no result
    ├── StepNotExecuted          raised by a probe: it did not happen   → the next attempt
    ├── EventTimeout             an event did not come in time          → workflow code handles it
    ├── CallbackTimeout          nobody completed a callback in time    → workflow code handles it
    ├── CallbackFailed           whoever was asked could not do it      → workflow code handles it
    ├── ChildRunFailed           a child run did not complete           → workflow code handles it
    ├── RunNotStarted            a run has its reference id already     → workflow code handles it
    ├── EventNotSent             a run takes no event                   → workflow code handles it
    ├── OperationTimeout         it took longer than it may             → workflow code handles it
    ├── ConditionNotMet          what was waited for did not come about → workflow code handles it
    ├── CompensationFailed       a saga could not undo everything       → somebody has to look
    ├── BatchFailedError         branches of a batch have failed        → workflow code handles it
    ├── StepTimeout              one attempt ran out of time            → the retry policy decides
    ├── NonRetryable             raised by a step: do not try again
    ├── RetryAfter               raised by a step: try again, after this delay
    ├── NonDeterminismError      history and code disagree              → mend the code, resume
    ├── BlockingCallError        workflow code used what blocks         → mend the code, resume
    ├── UnawaitedOperationError  workflow code dropped an operation     → mend the code, resume
    ├── AwaitedTwiceError        workflow code awaited an operation again → mend it, resume
    ├── WorkflowMissingError     the run's version is not deployed      → deploy it, resume
    ├── SerializationError       a value cannot be recorded             → return annotated data
    ├── PayloadTooLargeError     a value is over the limit              → store it, pass a reference
    ├── DefinitionError          a workflow or step is declared wrongly → mend the declaration
    ├── UnmaskableError          a value is too short to be masked      → mask what it is part of
    ├── UnreadablePayloadError   a recorded value cannot be decrypted   → bring back its key
    ├── MalformedMessageError    a queue message says nothing usable    → keep it as a dead letter
    ├── HistoryFormatError       a recorded run's document says nothing usable → export it again
    ├── RequestError             the caller asked for something impossible
    │   ├── UnknownWorkflowError, RunNotFoundError, InvalidInputError, InvalidRequestError
    │   ├── CallbackNotFoundError, CallbackGoneError
    │   ├── InvalidOptionError       one option of a start is wrong
    │   ├── those of ``denials``     an API key is missing, or does not allow it
    │   ├── IdempotencyConflictError, ReferenceConflictError, IllegalStateError
    │   └── TooManyRunsError         of ``app.capacity``: there is no room   → later
    └── UnavailableError         a service did not answer               → the same call again
        └── ProbeFailedError     a probe could not find out             → it is asked again
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everstep.core.durations import to_millis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta


class EverstepError(Exception):
    """Root of everything that Everstep raises on purpose."""


class StepFailed(EverstepError):  # noqa: N818 - the public name
    """Tell the workflow that a step has failed for good.

    Attributes:
        error_type: Name of the exception class that the last attempt raised.
        message: Its message.
        attempts: How many attempts were made.
        operation: Key of the operation, for example ``charge#1``.
    """

    def __init__(self, *, operation: str, error_type: str, message: str, attempts: int) -> None:
        """Keep the parts; the text names the operation and the cause."""
        self.operation = operation
        self.error_type = error_type
        self.message = message
        self.attempts = attempts
        tries = "attempt" if attempts == 1 else "attempts"
        super().__init__(
            f"step {operation} failed after {attempts} {tries}: {error_type}: {message}"
        )


class StepInterrupted(StepFailed):
    """Tell the workflow that the last attempt of a step began and left no result.

    Its process died, or was taken for dead. Whether what the step does has happened is unknown.
    A retry policy that names this class in ``retry_on`` tries such a step again.
    """


class EventTimeout(EverstepError):  # noqa: N818 - the public name
    """Tell the workflow that an event did not come in time."""


class CallbackTimeout(EverstepError):  # noqa: N818 - the public name
    """Tell the workflow that nobody completed a callback, or gave a sign of life, in time."""


class CallbackFailed(EverstepError):  # noqa: N818 - the public name
    """Tell the workflow that whoever holds a callback's token could not do it.

    Attributes:
        error_type: What kind of failure it was.
        message: What is to be said of it.
    """

    def __init__(self, *, operation: str, error_type: str, message: str) -> None:
        """Keep the parts."""
        self.operation = operation
        self.error_type = error_type
        self.message = message
        super().__init__(f"callback {operation} failed: {error_type}: {message}")


class ChildRunFailed(EverstepError):  # noqa: N818 - the public name
    """Tell the workflow that a child run did not complete.

    Attributes:
        run_id: The child.
        status: What it ended as: FAILED, CANCELLED or TIMED_OUT.
        error_type: Name of the exception class that it ended with.
        message: Its message.
    """

    def __init__(self, *, run_id: str, status: str, error_type: str, message: str) -> None:
        """Keep the parts."""
        self.run_id = run_id
        self.status = status
        self.error_type = error_type
        self.message = message
        super().__init__(f"child run {run_id} is {status}: {error_type}: {message}")


class RunNotStarted(EverstepError):  # noqa: N818 - the public name
    """Tell the workflow that a child run was not started: another run has its reference id."""


class EventNotSent(EverstepError):  # noqa: N818 - the public name
    """Tell the workflow that a run takes no event: there is none, or it has ended."""


class OperationTimeout(EverstepError):  # noqa: N818 - the public name
    """Tell the workflow that what it waited for took longer than it may."""


class RunCancelled(BaseException):
    """Tell the workflow that its run is to end: somebody cancelled it, or its time is up.

    No ``Exception``, so that handlers of errors let it pass. Undo what has to be undone, and let
    it go on; code that is told is not interrupted again.
    """


class ConditionNotMet(EverstepError):  # noqa: N818 - the public name
    """Tell the workflow that what it waited for did not come about.

    Attributes:
        attempts: How often it was looked at.
        last: What was seen last.
    """

    def __init__(self, attempts: int, last: object) -> None:
        """Keep the parts."""
        self.attempts = attempts
        self.last = last
        times = "time" if attempts == 1 else "times"
        super().__init__(f"the condition was not met, looked at {attempts} {times}")


class CompensationFailed(EverstepError):  # noqa: N818 - the public name
    """Say that a saga could not undo everything; what went wrong first is the cause.

    Attributes:
        undone: Names of the compensations that were made, in order.
        failed: Those that failed for good.
    """

    def __init__(
        self, cause: BaseException, undone: Sequence[str], failed: Sequence[StepFailed]
    ) -> None:
        """Tell what was undone and what was not."""
        self.undone = tuple(undone)
        self.failed = tuple(failed)
        not_undone = "; ".join(str(each) for each in failed)
        super().__init__(
            f"{type(cause).__name__}: {cause}; undone: {', '.join(undone) or 'nothing'}; "
            f"not undone: {not_undone}"
        )


class BatchFailedError(EverstepError):
    """Say that branches of a batch have failed; the first error is the cause."""

    def __init__(self, failed: int, total: int, name: object, error: BaseException) -> None:
        """Name the first."""
        super().__init__(
            f"{failed} of {total} branches failed, first {name!r}: {type(error).__name__}: {error}"
        )


class StepTimeout(EverstepError):  # noqa: N818 - the public name
    """Say that one attempt of a step ran longer than it may."""


class StepNotExecuted(EverstepError):  # noqa: N818 - the public name
    """Raise this in the probe of a step: what the step does did not happen, run it again."""


class NonRetryable(EverstepError):  # noqa: N818 - the public name
    """Raise this in a step to fail it at once, whatever its retry policy says."""


class RetryAfter(EverstepError):  # noqa: N818 - the public name
    """Raise this in a step to be tried again after a delay of your choice.

    The attempt counts; when it was the last one the step fails.

    Args:
        delay: Seconds or a ``timedelta``; not negative.
        message: Why, for the record.
    """

    def __init__(self, delay: float | timedelta, message: str = "") -> None:
        """Check the delay here, where the mistake is visible."""
        self.delay_millis = to_millis(delay, "RetryAfter(delay)")
        super().__init__(message or f"try again after {self.delay_millis / 1000:g} s")


class NonDeterminismError(EverstepError):
    """Say that today's code asks for something else than the history recorded."""


class BlockingCallError(EverstepError, RuntimeError):
    """Say that workflow code awaited or called something that blocks outside a step."""


class UnawaitedOperationError(EverstepError):
    """Say that workflow code created an operation and dropped it without ``await``."""


class AwaitedTwiceError(EverstepError):
    """Say that workflow code awaited an operation a second time, which has one key only."""


class WorkflowMissingError(EverstepError):
    """Say that the workflow version of a run is not among the deployed ones."""


class SerializationError(EverstepError):
    """Say that a value cannot be recorded, where it sits, and what to do instead."""


class PayloadTooLargeError(EverstepError):
    """Say that a value is over the configured limit.

    Attributes:
        size: Bytes of the recorded form.
        limit: Bytes allowed.
    """

    def __init__(self, what: str, size: int, limit: int) -> None:
        """Name the value, its size, the limit and the way out."""
        self.size = size
        self.limit = limit
        super().__init__(
            f"{what} is {size} bytes, the limit is {limit}; keep the data in a store of yours "
            "and pass a reference to it, or raise EVERSTEP_MAX_PAYLOAD_BYTES"
        )


class DefinitionError(EverstepError, TypeError):
    """Say what is wrong with the declaration of a workflow or a step."""


class UnmaskableError(EverstepError, ValueError):
    """Say why a value cannot be masked wherever it stands; the value itself is not told."""


class UnreadablePayloadError(EverstepError):
    """Say which recorded value the payload codec cannot read, and why."""


class MalformedMessageError(EverstepError):
    """Say what is wrong with the body of a queue message."""


class RequestError(EverstepError):
    """Root of what a caller did wrong; nothing was changed."""


class UnknownWorkflowError(RequestError):
    """Say that no workflow of this name (and version) is deployed."""


class RunNotFoundError(RequestError):
    """Say that there is no run with this id."""

    def __init__(self, run_id: str) -> None:
        """Name the run."""
        self.run_id = run_id
        super().__init__(f"there is no run {run_id}")


class InvalidInputError(RequestError):
    """Say which fields of a workflow's input are wrong.

    Attributes:
        errors: One entry per field: where (``loc``), what (``msg``), which rule (``type``).
    """

    def __init__(self, message: str, errors: Sequence[dict[str, Any]] = ()) -> None:
        """Keep the field errors beside the message."""
        self.errors = tuple(errors)
        super().__init__(message)


class InvalidRequestError(RequestError):
    """Say which parameter of a request is wrong and what is allowed.

    Attributes:
        errors: Every mistake, as far as they are known one by one: where, what, and its type.
    """

    errors: Sequence[Mapping[str, Any]] = ()


class InvalidOptionError(RequestError):
    """Say which option of a start is wrong and what is allowed.

    Attributes:
        parameter: The option.
    """

    def __init__(self, parameter: str, message: str) -> None:
        """Name the option."""
        self.parameter = parameter
        super().__init__(message)


class IdempotencyConflictError(RequestError):
    """Say that an idempotency key was used before with another input.

    Attributes:
        run_id: The run that the key belongs to.
    """

    def __init__(self, key: str, run_id: str) -> None:
        """Name the key and the run that holds it."""
        self.run_id = run_id
        super().__init__(
            f"idempotency key {key!r} was used before with another input (run {run_id}); "
            "repeat the same request, or choose a new key"
        )


class ReferenceConflictError(RequestError):
    """Say that a run that has not ended has the reference id already.

    Attributes:
        run_id: That run.
    """

    def __init__(self, reference_id: str, run_id: str) -> None:
        """Name the reference id and the run that has it."""
        self.run_id = run_id
        super().__init__(
            f"reference id {reference_id!r} belongs to run {run_id}, which has not ended; wait for "
            "its end, choose another one, or take that run with on_conflict=existing"
        )


class IllegalStateError(RequestError):
    """Say that a run's status does not allow what was asked."""


class CallbackNotFoundError(RequestError):
    """Say that nobody has made this callback token."""

    def __init__(self) -> None:
        """Say nothing of what it might have named."""
        super().__init__("there is no such callback token")


class CallbackGoneError(RequestError):
    """Say that a callback's run does not wait for it any more."""


class UnavailableError(EverstepError):
    """Say that a service throttled, timed out or failed; repeating the call is harmless."""


class ProbeFailedError(UnavailableError):
    """Say that the probe of a step could not find out what became of an attempt."""
