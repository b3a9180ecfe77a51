"""Let a function's running invocations finish while it is updated, as AWS does.

LocalStack ends them as soon as the new version runs. The message behind a killed invocation comes
back after its visibility time-out, minutes later. Here the version that was replaced gets no new
invocations, and is stopped when the last of its own has ended, by the function's time-out at the
latest. The update waits for none of this.
"""

from __future__ import annotations

import threading
import time
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Final

from localstack.aws.api.lambda_ import State
from localstack.services.lambda_.invocation import lambda_service
from localstack.services.lambda_.invocation.execution_environment import RuntimeStatus

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS: Final = 0.1


def install() -> None:
    """Amend how LocalStack replaces a version by a new one."""
    service = lambda_service.LambdaService
    original = service.update_version_state

    @wraps(original)
    def update_version_state(self: Any, function_version: Any, new_state: Any) -> None:  # noqa: ANN401 - LocalStack's types
        replaced = self.lambda_running_versions.get(function_version.qualified_arn)
        if replaced is not None and new_state.state == State.Active:
            # What LocalStack calls in a moment. Deleting a function still ends it at once.
            replaced.stop = partial(_stop_in_background, replaced, replaced.stop)
        original(self, function_version, new_state)

    service.update_version_state = update_version_state
    # It would take the code away from those that still run. `start` empties the folder.
    lambda_service.destroy_code_if_not_used = _keep_code


def _stop_in_background(version: Any, stop: Callable[[], None]) -> None:  # noqa: ANN401 - LocalStack's LambdaVersionManager
    # Not in the caller's thread: it belongs to a small pool, in which the next updates run, too.
    threading.Thread(
        target=_stop_when_idle, args=(version, stop), name="function-rollover", daemon=True
    ).start()


def _stop_when_idle(version: Any, stop: Callable[[], None]) -> None:  # noqa: ANN401 - the same
    while _is_busy(version):
        time.sleep(POLL_SECONDS)
    stop()


def _is_busy(version: Any) -> bool:  # noqa: ANN401 - the same
    environments = version.assignment_service.environments.get(version.id, {})
    # A list made in one step: other threads add and remove environments meanwhile.
    return any(each.status == RuntimeStatus.INVOKING for each in list(environments.values()))


def _keep_code(_code: object, _function: object) -> None:
    """Do nothing."""
