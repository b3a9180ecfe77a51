"""The examples that are deployed by default, run by the test engine."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import HttpUrl

from everstep.testing import TestEngine
from tests.examples.effects import ITEMS, EffectServer
from workflows.http_pipeline import Pipeline, http_pipeline
from workflows.order import Currency, Order, Outcome, order
from workflows.outgoing import ForbiddenAddressError, request_json
from workflows.welcome_email import NewUser, welcome_email

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = Path(__file__).parents[2] / "examples"


def example_input(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((EXAMPLES / name / "input.json").read_text())
    return content


def test_welcome_email_sends_sleeps_and_sends_again() -> None:
    engine = TestEngine([welcome_email])
    run = engine.start(welcome_email, NewUser(name="Ada", email="ada@example.com"))
    engine.run_until_idle()
    assert run.status == "SLEEPING"
    assert [(op.key, op.status) for op in run.history] == [
        ("send_email#1", "DONE"),
        ("settle-in#1", "WAITING"),
    ]
    engine.advance(timedelta(days=3) - timedelta(minutes=1))
    assert run.status == "SLEEPING"
    engine.advance(timedelta(minutes=2))
    assert run.status == "COMPLETED"
    assert run.result is not None
    assert run.result.follow_up == f"mail-{run.id}:send_email#2"
    assert run.executions("send_email") == 2


def test_order_is_paid_at_the_third_attempt_with_every_type_intact() -> None:
    engine = TestEngine([order])
    run = engine.start(order, Order.model_validate(example_input("order")))
    engine.advance(10)
    assert run.status == "COMPLETED"
    outcome = run.result
    assert isinstance(outcome, Outcome)
    assert outcome.receipt is not None
    assert outcome.receipt.amount == Decimal("21.00")
    assert outcome.receipt.currency is Currency.EUR
    assert outcome.receipt.attempts == 3
    assert outcome.receipt.paid_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert run.executions("charge") == 3


def test_order_that_cannot_be_paid_is_an_outcome() -> None:
    engine = TestEngine([order])
    placed = Order.model_validate({**example_input("order"), "gateway_busy": 9})
    run = engine.start(order, placed)
    engine.advance(60)
    assert run.result == Outcome(
        accepted=False, reason="GatewayBusyError: the gateway was busy at attempt 4"
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[EffectServer]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    with EffectServer() as running:
        yield running


@pytest.mark.network
def test_http_pipeline_moves_the_items_and_repeats_what_the_server_refused(
    server: EffectServer,
) -> None:
    server.refuse("/reports", [503])
    engine = TestEngine([http_pipeline])
    run = engine.start(
        http_pipeline,
        Pipeline(source=HttpUrl(f"{server.url}/items"), target=HttpUrl(f"{server.url}/reports")),
    )
    engine.advance(30)
    assert run.result == "receipt for /reports"
    assert [(item.method, item.path, item.key) for item in server.received()] == [
        ("GET", "/items", f"{run.id}:extract#1"),
        ("PUT", "/reports", f"{run.id}:transform#1"),
        ("PUT", "/reports", f"{run.id}:transform#1"),
        ("POST", "/reports", f"{run.id}:load#1"),
    ]
    assert server.received("/reports")[0].body == ITEMS
    assert server.received("/reports")[2].body == {"items": 3, "total": 16, "largest": "cups"}


@pytest.mark.network
def test_http_pipeline_does_not_repeat_what_will_not_get_better(server: EffectServer) -> None:
    server.refuse("/items", [404])
    engine = TestEngine([http_pipeline])
    run = engine.start(
        http_pipeline,
        Pipeline(source=HttpUrl(f"{server.url}/items"), target=HttpUrl(f"{server.url}/reports")),
    )
    engine.advance(30)
    assert run.status == "FAILED"
    assert run.executions("extract") == 1


@pytest.mark.network
def test_internal_addresses_are_refused_before_a_byte_is_sent(
    server: EffectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with pytest.raises(ForbiddenAddressError):
        request_json("GET", f"{server.url}/items", key="k")
    assert server.received() == []


def test_urls_other_than_http_are_refused() -> None:
    for url in ("file:///etc/passwd", "ftp://example.com/", "http:///nowhere"):
        with pytest.raises(ForbiddenAddressError):
            request_json("GET", url, key="k")
