"""Where LocalStack finds the plugin; `localstack/pyproject.toml` lists these names.

Imports of the parts stand inside the functions: LocalStack loads this module in every start, the
parts only if they are used.
"""

# ruff: noqa: PLC0415
from __future__ import annotations

from typing import Any

from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.plugins import aws_provider
from typing_extensions import override


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):  # type: ignore[misc] # LocalStack has no types
    """Make `LAMBDA_RUNTIME_EXECUTOR=process` known."""

    name = "process"

    @override
    def load(self, *args: Any, **kwargs: Any) -> type:
        """Return the class that LocalStack instantiates per execution environment."""
        from everstep_localstack.plugin.executor import ProcessRuntimeExecutor

        return ProcessRuntimeExecutor


def _amend() -> None:
    """Mend what keeps LocalStack from behaving like AWS, before any service is loaded."""
    from everstep_localstack.plugin import (
        assignment,
        authorizers,
        cloudformation_pace,
        dynamodb,
        find_in_map,
        loopback,
        pollers,
        reserved_concurrency,
        rollover,
        sqs_clock,
        unmade_resources,
    )
    from everstep_localstack.plugin.settings import PluginSettings

    settings = PluginSettings.from_environment()
    loopback.install()
    assignment.install()
    pollers.install(settings.pollers)
    sqs_clock.install()
    cloudformation_pace.install()
    find_in_map.install()
    unmade_resources.install()
    reserved_concurrency.install()
    authorizers.install()
    rollover.install()
    if settings.dynamodb_local is not None:
        dynamodb.use_dynamodb_local(settings.dynamodb_local)


def _dynamodb() -> Any:  # noqa: ANN401 - LocalStack's Service
    from localstack.aws.api.dynamodb import DynamodbApi

    from everstep_localstack.plugin.dynamodb import moto_service

    return moto_service(DynamodbApi)


def _dynamodbstreams() -> Any:  # noqa: ANN401 - LocalStack's Service
    from localstack.aws.api.dynamodbstreams import DynamodbstreamsApi

    from everstep_localstack.plugin.dynamodb import moto_service

    return moto_service(DynamodbstreamsApi)


# LocalStack's decorators have no types: called like this they leave those of the functions alone.
amend = hooks.on_infra_start()(_amend)
dynamodb_moto = aws_provider(api="dynamodb", name="moto")(_dynamodb)
dynamodbstreams_moto = aws_provider(api="dynamodbstreams", name="moto")(_dynamodbstreams)
