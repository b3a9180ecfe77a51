"""Every other request from API Gateway → answer it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from everstep import telemetry
from everstep.http.admission import gate_of
from everstep.http.api import api_app
from everstep.http.cors import Cors
from everstep.wiring import engine_from_env, keys_from_env, settings_from_env

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

engine = engine_from_env()
gate = gate_of(engine, settings_from_env().api_authorization, keys_from_env)
cors = Cors(settings_from_env().cors_origins)
app = api_app(engine, time.sleep, gate, keys_from_env, cors)


def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a request about runs or workflows."""
    with telemetry.invocation(context.aws_request_id):
        return app(event, context)
