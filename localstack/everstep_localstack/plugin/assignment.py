"""Give an invocation an execution environment, safely when many ask at once.

LocalStack's own version iterates over a dictionary that other threads change, and publishes a new
environment before reserving it, so that another invocation may take it: concurrent cold starts
then fail with an internal error. Here an environment is reserved before anybody can see it.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from localstack.services.lambda_.invocation import assignment
from localstack.services.lambda_.invocation.execution_environment import InvalidStatusException

if TYPE_CHECKING:
    from collections.abc import Iterator

LOG: Final = logging.getLogger(__name__)


def install() -> None:
    """Replace LocalStack's choice of an environment."""
    assignment.AssignmentService.get_environment = _get_environment


@contextmanager
def _get_environment(
    self: Any,  # noqa: ANN401 - LocalStack's AssignmentService
    version_manager_id: str,
    function_version: Any,  # noqa: ANN401 - LocalStack's FunctionVersion
    provisioning_type: str,
) -> Iterator[Any]:
    environments = self.environments[version_manager_id]
    chosen = _reserve_idle(environments, provisioning_type)
    if chosen is None:
        if provisioning_type != "on-demand":
            raise assignment.AssignmentException("no provisioned environment is free")
        chosen = self.start_environment(version_manager_id, function_version)
        chosen.reserve()
        environments[chosen.id] = chosen
    try:
        yield chosen
        _release(chosen)
    except Exception as error:
        LOG.warning("Invocation of %s failed: %s", function_version.qualified_arn, error)
        self.stop_environment(chosen)
        raise


def _reserve_idle(environments: dict[str, Any], provisioning_type: str) -> Any:  # noqa: ANN401
    # A list made in one step: other threads add and remove environments meanwhile.
    for environment in list(environments.values()):
        if environment.initialization_type != provisioning_type:
            continue
        try:
            environment.reserve()
        except InvalidStatusException:
            continue
        return environment
    return None


def _release(environment: Any) -> None:  # noqa: ANN401 - LocalStack's ExecutionEnvironment
    try:
        environment.release()
    except InvalidStatusException as error:
        # It was stopped meanwhile, because its function was updated or deleted.
        LOG.info("Environment %s is not available any more: %s", environment.id, error)
