"""Ask Lambda authorizers, as API Gateway does.

LocalStack's free edition stores the authorizers of a REST API and lets everybody pass. Here a
method with an authorizer of type REQUEST is let through only if that allows it: identity sources,
the cache of answers, the policy, what goes on to the function, and the gateway responses that the
definition of the API describes (which LocalStack does not read either).
"""

from __future__ import annotations

import io
import json
import logging
import time
from functools import wraps
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from localstack.services.apigateway import helpers
from localstack.services.apigateway.legacy import provider as legacy
from localstack.services.apigateway.next_gen.execute_api import gateway_response, handlers
from localstack.services.apigateway.next_gen.execute_api.handlers.gateway_exception import (
    GatewayExceptionHandler,
)
from localstack.services.apigateway.next_gen.execute_api.header_utils import (
    build_multi_value_headers,
)
from localstack.services.apigateway.next_gen.execute_api.helpers import (
    get_lambda_function_arn_from_invocation_uri,
)
from localstack.services.apigateway.next_gen.execute_api.integrations.aws import (
    RestApiAwsProxyIntegration,
)

from everstep_localstack.plugin.policies import (
    ConfigurationError,
    Decision,
    MissingIdentityError,
    decision,
    identity,
    rendered,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOG: Final = logging.getLogger("everstep_localstack.authorizers")
_DEFAULT_TTL: Final = 300
_RESPONSES: Final = "x-amazon-apigateway-gateway-responses"
_UNAUTHORIZED: Final = "Unauthorized"
_DENIED: Final = "User is not authorized to access this resource"
_HEADER: Final = "gatewayresponse.header."
_OF_REQUEST: Final = "method.request.header."
_OF_CONTEXT: Final = "context."


def install() -> None:
    """Put the authorizers before every integration, and let gateway responses be described."""
    handlers.preprocess_request.append(_Authorization())
    _read_gateway_responses()
    _write_gateway_responses()


class _Authorization:
    """The handler that asks authorizers, and keeps what they answered."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, ...], tuple[float, Decision]] = {}
        self._lock = Lock()

    def __call__(self, _chain: Any, context: Any, _response: Any) -> None:  # noqa: ANN401 - LocalStack's
        method = context.resource_method
        authorizers = context.deployment.rest_api.authorizers
        authorizer = authorizers.get(method.get("authorizerId") or "")
        if authorizer is None or authorizer.get("type") != "REQUEST":
            return
        arn = _method_arn(context)
        try:
            told = self._told(context, authorizer, arn)
            allowed = told.allows(arn)
        except MissingIdentityError as error:
            raise gateway_response.UnauthorizedError(_UNAUTHORIZED) from error
        except (ConfigurationError, KeyError, TypeError) as error:
            _LOG.warning("authorizer: %s", error)
            raise gateway_response.AuthorizerConfigurationError from error
        context.context_variables["authorizer"] = {**told.context, "principalId": told.principal}
        if not allowed:
            raise gateway_response.AccessDeniedError(_DENIED)

    def _told(self, context: Any, authorizer: Mapping[str, Any], arn: str) -> Decision:  # noqa: ANN401 - LocalStack's
        given = authorizer.get("authorizerResultTtlInSeconds")
        seconds = _DEFAULT_TTL if given is None else int(given)
        headers = {name.lower(): value for name, value in context.invocation_request["headers"]}
        cached_by = identity(authorizer.get("identitySource"), headers, context.context_variables)
        key = (context.api_id, context.stage, authorizer["id"], *cached_by)
        now = time.monotonic()
        with self._lock:
            until, known = self._answers.get(key, (0.0, None))
        if known is not None and now < until:
            return known
        told = _asked(context, authorizer, arn)
        if seconds:
            with self._lock:
                self._answers[key] = (now + seconds, told)
        return told


def _asked(context: Any, authorizer: Mapping[str, Any], arn: str) -> Decision:  # noqa: ANN401 - LocalStack's
    function = get_lambda_function_arn_from_invocation_uri(authorizer["authorizerUri"])
    payload = RestApiAwsProxyIntegration.call_lambda(
        function_arn=function,
        event=json.dumps(_event(context, arn)).encode(),
        source_arn=f"{arn.split('/', 1)[0]}/authorizers/{authorizer['id']}",
    )
    answer = json.loads(payload)
    if isinstance(answer, dict) and "errorMessage" in answer:
        if answer["errorMessage"] == _UNAUTHORIZED:
            raise gateway_response.UnauthorizedError(_UNAUTHORIZED)
        raise ConfigurationError(f"the authorizer failed: {answer['errorMessage']}")
    return decision(answer)


def _event(context: Any, arn: str) -> dict[str, Any]:  # noqa: ANN401 - LocalStack's
    request = context.invocation_request
    return {
        "type": "REQUEST",
        "methodArn": arn,
        "resource": context.resource["path"],
        "path": request["path"],
        "httpMethod": request["http_method"],
        "headers": dict(request["headers"]),
        "multiValueHeaders": build_multi_value_headers(request["headers"]),
        "queryStringParameters": request["query_string_parameters"],
        "multiValueQueryStringParameters": request["multi_value_query_string_parameters"],
        "pathParameters": request["path_parameters"],
        "stageVariables": context.stage_variables,
        "requestContext": context.context_variables,
    }


def _method_arn(context: Any) -> str:  # noqa: ANN401 - LocalStack's
    request = context.invocation_request
    place = f"{context.region}:{context.account_id}:{context.api_id}/{context.stage}"
    return f"arn:aws:execute-api:{place}/{request['http_method']}{request['path']}"


def _read_gateway_responses() -> None:
    original = helpers.import_api_from_openapi_spec

    @wraps(original)
    def read(rest_api: Any, context: Any, request: Any) -> Any:  # noqa: ANN401 - LocalStack's
        body = request["body"].read()
        imported = original(rest_api, context, {**request, "body": io.BytesIO(body)})
        definition = helpers.parse_json_or_yaml(body.decode())
        container = helpers.get_apigateway_store(context=context).rest_apis[rest_api.id]
        for kind, described in (definition.get(_RESPONSES) or {}).items():
            status = described.get("statusCode")
            container.gateway_responses[kind] = {
                "responseType": kind,
                "statusCode": None if status is None else str(status),
                "responseParameters": described.get("responseParameters") or {},
                "responseTemplates": described.get("responseTemplates") or {},
                "defaultResponse": False,
            }
        return imported

    helpers.import_api_from_openapi_spec = read
    legacy.import_api_from_openapi_spec = read


def _write_gateway_responses() -> None:
    original = GatewayExceptionHandler.create_exception_response

    @wraps(original)
    def write(self: Any, exception: Any, context: Any) -> Any:  # noqa: ANN401 - LocalStack's
        response = original(self, exception, context)
        described = context.deployment.rest_api.gateway_responses.get(exception.type)
        if not described:
            return response
        template = described["responseTemplates"].get("application/json")
        if template:
            response.set_data(rendered(template, context.context_variables))
        for name, value in described["responseParameters"].items():
            if name.startswith(_HEADER):
                told = _told(value, context)
                if told is not None:
                    response.headers[name.removeprefix(_HEADER)] = told
        return response

    GatewayExceptionHandler.create_exception_response = write


def _told(expression: str, context: Any) -> str | None:  # noqa: ANN401 - LocalStack's
    """Return what a header of a gateway response is to say; None for no such header."""
    if expression.startswith(_OF_REQUEST):
        found = context.invocation_request["headers"].get(expression.removeprefix(_OF_REQUEST))
        return None if found is None else str(found)
    if expression.startswith(_OF_CONTEXT):
        return str(context.context_variables.get(expression.removeprefix(_OF_CONTEXT)))
    return expression.strip("'")
