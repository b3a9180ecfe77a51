"""The deployed API keeps to its own OpenAPI document, whatever is sent to it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import HealthCheck, given, settings

from tests.openapi_cases import CHECKS, cases, operations

if TYPE_CHECKING:
    from tests.e2e.stack import Stack

SECONDS: Final = 70
EXAMPLES: Final = 25
USER: Final = {"name": "Ada", "email": "ada@example.org", "pause": "PT1H"}


@pytest.mark.timeout(180)
def test_every_answer_is_described_and_none_is_a_5xx(stack: Stack) -> None:
    document = stack.http.get("/openapi.json").json()
    known = known_names(stack)
    found = operations(document)
    assert len(found) > 20
    for operation in found.values():
        held_against_its_description(operation, known, stack, SECONDS / len(found))


def known_names(stack: Stack) -> dict[str, list[str]]:
    """Return values for paths that lead somewhere; nobody else needs what they lead to."""
    ended = stack.trigger("welcome-email", USER | {"pause": "PT0S"})
    stack.until(ended)
    runs = [ended, stack.trigger("welcome-email", USER), stack.trigger("welcome-email", USER)]
    made = stack.http.post("/keys", json={"name": "made up", "scopes": ["read"]}).json()
    return {
        "run_id": runs,
        "workflow": ["welcome-email", "order"],
        "key_id": [made["key_id"]],
        "name": ["paid"],
    }


def impatient(case: Any) -> Any:  # noqa: ANN401 - of schemathesis
    """Let a request wait for a second at most: most of these runs never end."""
    if str(case.query.get("wait", "")).isdigit():
        case.query["wait"] = min(int(case.query["wait"]), 1)
    return case


def held_against_its_description(
    operation: Any,  # noqa: ANN401 - of schemathesis
    known: dict[str, list[str]],
    stack: Stack,
    seconds: float,
) -> None:
    """Send requests of one operation for so many seconds, or until enough were sent."""
    until = time.monotonic() + seconds
    headers = {"Authorization": f"Bearer {stack.key}"}

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=cases(operation, known))
    def every_answer(case: Any) -> None:  # noqa: ANN401 - of schemathesis
        if time.monotonic() < until:
            base_url = str(stack.http.base_url).rstrip("/")
            answer = impatient(case).call(base_url=base_url, headers=headers, timeout=40)
            case.validate_response(answer, checks=CHECKS)

    every_answer()
