"""Apply `ReservedConcurrentExecutions`, which LocalStack's CloudFormation accepts and ignores."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from localstack.services.cloudformation.resource_provider import OperationStatus
from localstack.services.lambda_.resource_providers import aws_lambda_function

if TYPE_CHECKING:
    from collections.abc import Callable

PROPERTY: Final = "ReservedConcurrentExecutions"


def install() -> None:
    """Amend how CloudFormation creates and updates a function."""
    provider = aws_lambda_function.LambdaFunctionProvider
    provider.create = _then_reserve(provider.create)
    provider.update = _then_reserve(provider.update)


def _then_reserve(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def amended(self: Any, request: Any) -> Any:  # noqa: ANN401 - LocalStack's provider and request
        event = original(self, request)
        if event.status == OperationStatus.SUCCESS:
            _reserve(request.aws_client_factory.lambda_, event.resource_model)
        return event

    return amended


def _reserve(client: Any, model: dict[str, Any]) -> None:  # noqa: ANN401 - LocalStack's client
    name, wanted = model["FunctionName"], model.get(PROPERTY)
    if wanted is not None:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(wanted))
    elif PROPERTY in client.get_function_concurrency(FunctionName=name):
        client.delete_function_concurrency(FunctionName=name)
