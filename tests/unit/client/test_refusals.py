"""What is refused raises the same error, with the same text and attributes, over each transport."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

from everstep.core.errors import (
    EverstepError,
    IdempotencyConflictError,
    IllegalStateError,
    InvalidInputError,
    InvalidOptionError,
    InvalidRequestError,
    PayloadTooLargeError,
    ReferenceConflictError,
    RequestError,
    RunNotFoundError,
    UnavailableError,
    UnknownWorkflowError,
)
from everstep.http.faults import MalformedBodyError
from tests.unit.client.deployments import DEPLOYMENTS, Ask, Deployment, deployed
from tests.unit.http.world import ORDER, World, anything, shop

if TYPE_CHECKING:
    from everstep import Client
    from tests.contract.backends import Clients


WHEN: Final = datetime(2026, 1, 31, 8, tzinfo=UTC)


def deep(levels: int) -> object:
    return [] if levels == 0 else [deep(levels - 1)]


def conflict(client: Client) -> None:
    client.start("shop", ORDER, idempotency_key="A-1")
    client.start("shop", {"id": "A-1", "total": 21}, idempotency_key="A-1")


def reference_taken(client: Client) -> None:
    for _ in range(2):
        client.start("bare", reference_id="order-1")


def event_of_nobody(client: Client) -> None:
    client.handle("nobody").send_event("accepted")


def resume_ended(client: Client) -> None:
    run = client.start("bare")
    run.result()
    run.resume()


CASES: Final[dict[str, tuple[type[EverstepError], Ask]]] = {
    "unknown workflow": (UnknownWorkflowError, lambda c: c.start("nobody")),
    "unknown version": (UnknownWorkflowError, lambda c: c.start("shop", ORDER, version="9")),
    "field missing": (InvalidInputError, lambda c: c.start("shop", {"id": "A"})),
    "no input wanted": (InvalidInputError, lambda c: c.start("bare", 5)),
    "too large": (PayloadTooLargeError, lambda c: c.start("anything", "x" * 5000)),
    "too deep": (MalformedBodyError, lambda c: c.start("anything", deep(150))),
    "same key, another input": (IdempotencyConflictError, conflict),
    "key too long": (InvalidRequestError, lambda c: c.start("bare", idempotency_key="x" * 300)),
    "tag": (InvalidOptionError, lambda c: c.start("bare", tags={"": "x"})),
    "delay and time": (InvalidOptionError, lambda c: c.start("bare", delay=1, at=WHEN)),
    "reference taken": (ReferenceConflictError, reference_taken),
    "unknown run": (RunNotFoundError, lambda c: c.get("nobody")),
    "impossible id": (RunNotFoundError, lambda c: c.get("a?b=/c")),
    "no id": (InvalidRequestError, lambda c: c.get("")),
    "path": (InvalidRequestError, lambda c: c.start("..")),
    "ended": (IllegalStateError, resume_ended),
    "event of nobody": (RunNotFoundError, event_of_nobody),
    "status": (InvalidRequestError, lambda c: list(c.runs(status="TIRED"))),
    "workflow": (InvalidRequestError, lambda c: list(c.runs(workflow="a/b"))),
}


def refusal(made: Deployment, ask: Ask) -> dict[str, Any]:
    with pytest.raises(EverstepError) as failure:
        ask(made.client)
    error = failure.value
    return {"type": type(error), "text": str(error), **vars(error)}


@pytest.mark.parametrize("case", CASES)
def test_every_transport_raises_the_same(case: str, clients: Clients) -> None:
    kind, ask = CASES[case]
    told = {}
    for name in DEPLOYMENTS:
        with deployed(name, clients) as made:
            told[name] = refusal(made, ask)
    assert told["http"]["type"] is kind
    assert told["http"] == told["memory"]
    assert told["http"] == told["moto"]


def test_mistakes_in_an_input_are_told_field_by_field_before_anything_is_sent(
    client: Client, world: World
) -> None:
    with pytest.raises(InvalidInputError) as here:
        client.start(cast("Any", shop), {"id": "A"})
    with pytest.raises(InvalidInputError) as there:
        client.start("shop", {"id": "A"})
    assert here.value.errors == there.value.errors
    assert here.value.errors[0]["loc"] == ["total"]
    assert world.store.run_ids == []


@pytest.mark.parametrize(
    "value",
    [object(), [float("nan")], {"a": math.inf}, b"\xff"],
    ids=["object", "nan", "inf", "bytes"],
)
def test_what_json_cannot_say_is_not_sent(client: Client, value: object) -> None:
    with pytest.raises(InvalidInputError, match="cannot be sent as JSON"):
        client.start(anything, value)


def test_a_service_that_does_not_answer_is_unavailable(client: Client, world: World) -> None:
    world.is_throttled()
    with pytest.raises(UnavailableError):
        client.start("bare")
    with pytest.raises(UnavailableError):
        client.get("nobody")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"color": "red"}, TypeError),
        ({"delay": -1}, ValueError),
        ({"timeout": "1"}, TypeError),
        ({"at": datetime(2026, 1, 1)}, ValueError),  # noqa: DTZ001 - that is the point
    ],
    ids=str,
)
def test_options_that_make_no_sense_are_refused_here(
    client: Client, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        client.start("bare", None, **options)


def test_a_refusal_is_a_request_error_and_nothing_was_changed(client: Client, world: World) -> None:
    with pytest.raises(RequestError):
        client.start("shop", {})
    assert world.store.run_ids == []
    with pytest.raises(ValueError, match="timeout"):
        client.start("bare").result(timeout=timedelta(seconds=-1))
