"""API Gateway's question who calls → what his key allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everstep import telemetry
from everstep.http.authorizer import authorize
from everstep.wiring import keys_from_env

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

keys = keys_from_env()


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Say what the key of a request allows; without a good one, "Unauthorized" is raised."""
    with telemetry.invocation(context.aws_request_id):
        return authorize(keys, event)
