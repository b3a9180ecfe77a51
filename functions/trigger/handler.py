"""``POST /triggers/{workflow}`` from API Gateway → start a run → its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everstep import telemetry
from everstep.http.admission import gate_of
from everstep.http.cors import Cors
from everstep.http.trigger import trigger_app
from everstep.wiring import engine_from_env, keys_from_env, settings_from_env

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

engine = engine_from_env()
gate = gate_of(engine, settings_from_env().api_authorization, keys_from_env)
app = trigger_app(engine, gate, Cors(settings_from_env().cors_origins))


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Accept a run."""
    with telemetry.invocation(context.aws_request_id):
        return app(event, context)
