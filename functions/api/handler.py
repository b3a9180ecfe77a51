"""Every other request from API Gateway → answer it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from everstep import telemetry
from everstep.http.api import api_app
from everstep.wiring import engine_from_env

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

app = api_app(engine_from_env(), time.sleep)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request about runs or workflows."""
    with telemetry.invocation(context.aws_request_id):
        return app(event, context)
