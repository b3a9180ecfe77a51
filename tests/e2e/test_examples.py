"""The examples, over HTTP, on the deployed stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.e2e.stack import Stack
    from tests.examples.effects import EffectServer

EXAMPLES = Path(__file__).parents[2] / "examples"


def example_input(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EXAMPLES / name / "input.json").read_text())
    return content


def test_welcome_email_sleeps_by_a_delayed_message_and_never_ends_early(stack: Stack) -> None:
    run_id = stack.trigger("welcome-email", {**example_input("welcome_email"), "pause": "PT3S"})
    asleep = stack.until(run_id, status="SLEEPING")
    assert asleep["wake_at"] is not None
    run = stack.until(run_id)
    assert run["status"] == "COMPLETED"
    assert run["result"]["follow_up"] == f"mail-{run_id}:send_email#2"
    steps = run["steps"]
    assert [(step["key"], step["kind"], step["status"]) for step in steps] == [
        ("send_email#1", "step", "DONE"),
        ("settle-in#1", "sleep", "DONE"),
        ("send_email#2", "step", "DONE"),
    ]
    assert steps[1]["lateness_ms"] >= 0


def test_order_is_paid_at_the_third_attempt(stack: Stack) -> None:
    run = stack.until(stack.trigger("order", example_input("order")))
    assert run["status"] == "COMPLETED"
    assert run["result"]["accepted"] is True
    assert run["result"]["receipt"]["amount"] == "21.00"
    assert {step["key"]: step["attempt"] for step in run["steps"]} == {"total#1": 1, "charge#1": 3}


def test_http_pipeline_calls_the_server_once_per_step(stack: Stack, effects: EffectServer) -> None:
    body = {"source": f"{effects.url}/items", "target": f"{effects.url}/reports"}
    run_id = stack.trigger("http-pipeline", body)
    run = stack.until(run_id)
    assert run["result"] == "receipt for /reports"
    assert [(item.method, item.path, item.key) for item in effects.received()] == [
        ("GET", "/items", f"{run_id}:extract#1"),
        ("PUT", "/reports", f"{run_id}:transform#1"),
        ("POST", "/reports", f"{run_id}:load#1"),
    ]
    assert effects.received("/reports")[1].body == {"items": 3, "total": 16, "largest": "cups"}
