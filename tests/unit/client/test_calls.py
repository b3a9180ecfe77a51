"""What each method asks of the API: path, query, body, and keys that make repeats harmless."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from everstep import Client
from everstep.client.transport import Answer
from tests.unit.client.deployments import Accepted, awaiting

if TYPE_CHECKING:
    from collections.abc import Callable

    from everstep.client.transport import Call

WHEN: Final = datetime(2026, 1, 31, 8, tzinfo=UTC)


class Recorder:
    """Remember calls; answer each as if it had started a run."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def send(self, call: Call) -> Answer:
        self.calls.append(call)
        body: dict[str, Any] = {"run_id": "run-2", "status": "PENDING", "runs": [], "cursor": None}
        return Answer(status=202, body=body)

    def close(self) -> None:
        self.calls.clear()


def asked(ask: Callable[[Client], object]) -> Call:
    recorder = Recorder()
    ask(Client.over(recorder))
    (call,) = recorder.calls
    return call


BODIES: Final[dict[str, tuple[Callable[[Client], object], str, Any]]] = {
    "cancel": (lambda c: c.handle("a").cancel(), "/runs/a/cancel", None),
    "cancel by force": (
        lambda c: c.handle("a").cancel(reason="wrong", force=True),
        "/runs/a/cancel",
        {"reason": "wrong", "force": True},
    ),
    "pause": (lambda c: c.handle("a").pause(reason="x"), "/runs/a/pause", {"reason": "x"}),
    "resume": (lambda c: c.handle("a").resume(), "/runs/a/resume", None),
    "retry": (lambda c: c.handle("a").retry(reason="x"), "/runs/a/retry", {"reason": "x"}),
    "fork": (lambda c: c.handle("a").fork("b#1"), "/runs/a/fork", {"from_step": "b#1"}),
    "fork with input": (
        lambda c: c.handle("a").fork("b#1", input=None, reason="x"),
        "/runs/a/fork",
        {"from_step": "b#1", "reason": "x", "input": None},
    ),
    "fork with a model": (
        lambda c: c.handle("a").fork("b/0/c#1", input=Accepted(minutes=1)),
        "/runs/a/fork",
        {"from_step": "b/0/c#1", "input": {"minutes": 1}},
    ),
    "event": (
        lambda c: c.handle("a").send_event("b", Accepted(minutes=1)),
        "/runs/a/events/b",
        {"minutes": 1},
    ),
    "complete": (
        lambda c: c.complete_callback("t/1", Accepted(minutes=1)),
        "/callbacks/t%2F1/complete",
        {"minutes": 1},
    ),
    "fail": (
        lambda c: c.fail_callback("t", {"type": "Shut", "message": "no"}),
        "/callbacks/t/fail",
        {"type": "Shut", "message": "no"},
    ),
    "heartbeat": (lambda c: c.heartbeat_callback("t"), "/callbacks/t/heartbeat", None),
}


@pytest.mark.parametrize("name", BODIES)
def test_each_method_posts_what_the_api_expects(name: str) -> None:
    ask, path, body = BODIES[name]
    call = asked(ask)
    assert (call.method, call.path, call.body) == ("POST", path, body)


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.start(awaiting),
        lambda c: c.start("shop"),
        lambda c: c.handle("a").send_event("b"),
        lambda c: c.handle("a").retry(),
        lambda c: c.handle("a").fork("b#1"),
    ],
    ids=["workflow", "name", "event", "retry", "fork"],
)
def test_what_could_happen_twice_carries_a_key_of_its_own(ask: Callable[[Client], object]) -> None:
    keys = [asked(ask).headers["Idempotency-Key"] for _ in range(2)]
    assert len(set(keys)) == 2
    assert all(len(key) == 16 for key in keys)


def test_a_key_that_is_given_is_sent() -> None:
    for ask in (
        lambda c: c.start("shop", idempotency_key="k"),
        lambda c: c.handle("a").send_event("b", idempotency_key="k"),
    ):
        assert asked(ask).headers["Idempotency-Key"] == "k"


def test_options_of_a_start_are_query_parameters() -> None:
    call = asked(
        lambda c: c.start(
            awaiting,
            version="2",
            reference_id="order-1",
            on_conflict="existing",
            delay=timedelta(days=7, milliseconds=1),
            at=WHEN,
            tags={"city": "Bonn", "kind": "a:b"},
            timeout=90,
            retention=0.5,
        )
    )
    assert sorted(call.query) == [
        ("at", "2026-01-31T08:00:00.000Z"),
        ("delay", "604800.001"),
        ("on_conflict", "existing"),
        ("reference_id", "order-1"),
        ("retention", "0.5"),
        ("tag", "city:Bonn"),
        ("tag", "kind:a:b"),
        ("timeout", "90"),
        ("version", "2"),
    ]


def test_options_that_are_none_are_as_good_as_not_given() -> None:
    assert asked(lambda c: c.start("shop", None, tags=None, delay=None, version=None)).query == []


def test_filters_of_a_list_are_query_parameters() -> None:
    call = asked(
        lambda c: list(
            c.runs(
                workflow="shop",
                status="FAILED",
                tag={"city": "Bonn", "kind": "b"},
                since=WHEN,
                until=WHEN + timedelta(days=1),
            )
        )
    )
    assert list(call.query) == [
        ("workflow", "shop"),
        ("status", "FAILED"),
        ("tag", "city:Bonn"),
        ("tag", "kind:b"),
        ("since", "2026-01-31T08:00:00.000Z"),
        ("until", "2026-02-01T08:00:00.000Z"),
        ("limit", "100"),
    ]


def test_the_run_that_a_retry_or_a_fork_makes_is_given_back() -> None:
    client = Client.over(Recorder())
    assert client.handle("a", awaiting).retry().id == "run-2"
    assert client.handle("a", awaiting).fork("b#1").id == "run-2"
