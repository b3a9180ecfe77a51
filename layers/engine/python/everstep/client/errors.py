"""What a client raises beside the errors of ``core.errors``, and problems as errors.

::

    EverstepError
    ├── RunFailed           the run ended in another way than completing → look at the run
    ├── RunTimeout          it has not ended in the time given           → wait again
    ├── MissingExtraError   a library is not installed                   → install the extra
    └── UnavailableError
        └── NoAnswerError   nobody, or only a gateway, answered          → the same call again
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from everstep.adapters.errors import AdapterError
from everstep.core.errors import EverstepError, InvalidInputError, UnavailableError
from everstep.http.problems import TABLE, TYPE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.client.answers import ErrorDetails
    from everstep.core.model import RunStatus

_BY_NAME: Final = {kind.name: error for error, kind in TABLE.items()}
_OF_EVERY_PROBLEM: Final = frozenset({"type", "title", "status", "detail", "request_id"})


class RunFailed(EverstepError):  # noqa: N818 - the public name
    """Say that a run has ended without a result.

    Attributes:
        run_id: The run.
        status: How it ended: ``FAILED``, ``CANCELLED`` or ``TIMED_OUT``.
        error_type: Name of the exception class that ended it; the status, if none did.
        message: Its message.
        operation: The operation at fault, if there is one.
    """

    def __init__(self, run_id: str, status: RunStatus, error: ErrorDetails | None) -> None:
        """Keep the parts; the text names the run and the cause."""
        self.run_id = run_id
        self.status = status
        self.error_type = status.value if error is None else error.type
        self.message = "" if error is None else error.message
        self.operation = None if error is None else error.operation
        cause = "" if error is None else f": {error.type}: {error.message}"
        super().__init__(f"run {run_id} is {status}{cause}")


class RunTimeout(EverstepError):  # noqa: N818 - the public name
    """Say that a run has not ended in the time that the caller gave; it goes on.

    Attributes:
        run_id: The run.
        status: How it was when it was last looked at.
    """

    def __init__(self, run_id: str, status: RunStatus, timeout: float) -> None:
        """Name the run, the time and the status."""
        self.run_id = run_id
        self.status = status
        super().__init__(f"run {run_id} has not ended within {timeout:g} s; it is {status}")


class MissingExtraError(EverstepError, ImportError):
    """Say which library is missing, and how to install it."""


class NoAnswerError(UnavailableError):
    """Say that a call was not answered, or only by what stands before the deployment.

    Attributes:
        carried_out: Whether the call may have been carried out all the same.
        retry_after: Seconds after which to repeat it, if somebody said so.
    """

    def __init__(self, message: str, *, carried_out: bool, retry_after: float | None) -> None:
        """Keep the parts."""
        self.carried_out = carried_out
        self.retry_after = retry_after
        super().__init__(message)


def of_problem(operation: str, status: int, problem: Mapping[str, Any]) -> EverstepError:
    """Return the error that made the other side answer with a problem.

    Args:
        operation: The call, for messages.
        status: The status of HTTP.
        problem: The body, if it was an object.
    """
    name = str(problem.get("type", "")).removeprefix(TYPE)
    # A gateway that refuses knows nothing of problems.
    detail = str(problem.get("detail") or problem.get("message") or problem.get("Message") or "")
    kind = _BY_NAME.get(name)
    if kind is None:
        request = problem.get("request_id")
        known = f"{detail} (request {request})" if request else detail
        return AdapterError(operation, name or str(status), known)
    return _made(kind, detail, problem)


def _made(kind: type[EverstepError], detail: str, problem: Mapping[str, Any]) -> EverstepError:
    """Make an error from what is known of it: the text, and what goes out with it."""
    if issubclass(kind, InvalidInputError):
        return kind(detail, problem.get("errors", ()))
    # The constructors of the others make the text, which is here already.
    error = kind.__new__(kind, detail)
    for name in problem.keys() - _OF_EVERY_PROBLEM:
        setattr(error, name, problem[name])
    return error
