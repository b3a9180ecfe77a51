"""Whatever is sent, the answer is one that the OpenAPI document describes, and never a 5xx."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from schemathesis.core.transport import Response

from tests.openapi_cases import STRICT, cases, operations
from tests.unit.http.described import described
from tests.unit.http.world import ORDER, World

if TYPE_CHECKING:
    from schemathesis import Case

    from tests.unit.http.world import Answer

EXAMPLES: Final = 12
BASE: Final = "http://api.test"
OPERATIONS: Final = operations(described())


def deployment() -> tuple[World, dict[str, list[str]]]:
    """Return a deployment, and values for paths that lead somewhere."""
    world = World()
    ended, failed = world.started("shop", ORDER), world.started("shop", {**ORDER, "total": -1})
    world.advance(200)
    sleeping, fresh = world.started("shop", ORDER), world.started("anything", {"a": [1]})
    world.call("POST", f"/runs/{sleeping}/events/paid", '{"receipt": 1}')
    key = world.call("POST", "/keys", '{"name": "ci", "scopes": ["read"]}').body["key_id"]
    known = {
        "run_id": [ended, failed, sleeping, fresh, world.stalled()],
        "workflow": ["shop", "anything", "bare", "login"],
        "key_id": [key],
        "name": ["paid"],
    }
    return world, known


def sent(world: World, case: Case[Any]) -> Response:
    """Send a request as API Gateway would hand it on; return what comes back."""
    made = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
    assert made.url is not None
    parts = urlsplit(made.url)
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        query.setdefault(name, []).append(value)
    body = made.body.encode() if isinstance(made.body, str) else cast("bytes | None", made.body)
    answer = world.call(
        str(made.method),
        parts.path,
        body,
        {name: _text(value) for name, value in made.headers.items()},
        queryStringParameters={name: values[-1] for name, values in query.items()} or None,
        multiValueQueryStringParameters=query or None,
    )
    return _response(answer, made)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _response(answer: Answer, made: requests.PreparedRequest) -> Response:
    headers = {name.lower(): [value] for name, value in answer.headers.items()}
    return Response(
        status_code=answer.status,
        headers=headers,
        content=answer.text.encode(),
        request=made,
        elapsed=0.0,
        verify=False,
    )


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_described(label: str) -> None:
    world, known = deployment()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(OPERATIONS[label], known))
    def every_answer(case: Any) -> None:  # noqa: ANN401 - of schemathesis
        case.validate_response(sent(world, case), checks=STRICT)

    every_answer()
