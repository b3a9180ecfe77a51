"""``POST /triggers/{workflow}`` from API Gateway → start a run → its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everstep import telemetry
from everstep.http.trigger import trigger_app
from everstep.wiring import engine_from_env

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

app = trigger_app(engine_from_env())


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Accept a run."""
    with telemetry.invocation(context.aws_request_id):
        return app(event, context)
