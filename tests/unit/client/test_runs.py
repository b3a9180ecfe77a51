"""Runs are started, waited for and looked at, whichever way the deployment is reached."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from everstep import Client, RunFailed, RunTimeout
from everstep.client import client as client_module
from everstep.core.errors import IllegalStateError
from everstep.core.model import RunStatus
from tests.unit.client.deployments import Accepted, Everything, awaiting, counting, everything
from tests.unit.http.world import ORDER, REASON, Login, Order, anything, bare, login, shop

if TYPE_CHECKING:
    from tests.unit.http.world import World


def test_a_run_is_started_by_name_and_its_result_is_json(client: Client) -> None:
    run = client.start("shop", ORDER)
    assert run.status() is RunStatus.PENDING
    assert run.result() == {"receipt": "charged 20"}
    assert run.status() is RunStatus.COMPLETED


def test_a_run_is_started_with_a_model_and_its_result_is_of_the_workflows_type(
    client: Client,
) -> None:
    assert client.start(shop, Order(id="A", total=3)).result() == {"receipt": "charged 3"}
    assert client.start(bare).result() is None


def test_a_typed_result_comes_back_exactly(client: Client) -> None:
    run = client.start(everything, 3)
    expected = Everything(
        raw=b"\x00\x01\x02",
        pair=(3, float("inf")),
        unique=frozenset({"a", "b"}),
        by_number={3: ("in", "any")},
    )
    assert run.result() == expected
    assert client.get(run.id, everything).result() == expected
    assert client.get(run.id).result()["pair"] == [3, "inf"]


def test_secrets_go_in_clear_and_come_back_masked(client: Client, world: World) -> None:
    run = client.start(login, Login(user="ada", password=SecretStr("s3cret")))
    assert "s3cret" in (world.engine.runs.load(run.id).head.input.text or "")  # type: ignore[union-attr]
    assert run.result().password.get_secret_value() == "***"


def test_large_values_go_both_ways(client: Client) -> None:
    text = "ä" * 900
    assert client.start(anything, {"text": text}).result() == {"text": text}


def test_a_workflow_starts_on_its_own_version_and_a_name_on_the_highest(client: Client) -> None:
    started = [
        client.start(shop, Order(id="A", total=1)),
        client.start("shop", ORDER),
        client.start("shop", ORDER, version="1.0.0"),
        client.start(shop, Order(id="A", total=1), version="1.0.0"),
    ]
    assert [run.get().version for run in started] == ["1.1.0", "1.1.0", "1.0.0", "1.0.0"]


def test_the_same_key_gives_the_same_run_and_no_key_another(client: Client) -> None:
    ids = {client.start("shop", ORDER, idempotency_key="A-1").id for _ in range(2)}
    assert len(ids) == 1
    assert len({client.start("shop", ORDER).id for _ in range(2)}) == 2


def test_a_run_that_failed_raises_why(client: Client) -> None:
    run = client.start("shop", {"id": "A", "total": -1})
    with pytest.raises(RunFailed, match="ValueError: cannot charge -1") as failure:
        run.result(timeout=60)
    error = failure.value
    assert (error.run_id, error.status, error.error_type) == (run.id, "FAILED", "StepFailed")
    assert error.operation == "charge#1"


@pytest.mark.parametrize("timeout", [0, 0.5, 5, timedelta(seconds=25)])
def test_waiting_ends_at_the_time_given_and_the_run_goes_on(
    client: Client, world: World, timeout: float | timedelta
) -> None:
    run = client.start("shop", ORDER)
    world.work()
    before = world.clock.now()
    with pytest.raises(RunTimeout, match="it is SLEEPING") as failure:
        run.result(timeout=timeout)
    seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
    assert (world.clock.now() - before) / 1000 == pytest.approx(seconds, abs=0.01)
    assert (failure.value.run_id, failure.value.status) == (run.id, RunStatus.SLEEPING)
    assert run.result(timeout=60) == {"receipt": "charged 20"}


def test_a_run_that_was_continued_ends_when_the_last_that_goes_on_in_its_place_does(
    client: Client,
) -> None:
    run = client.start(counting, 2)
    with pytest.raises(RunTimeout, match="it is SLEEPING"):
        run.result(timeout=90)
    assert run.status() is RunStatus.CONTINUED
    assert run.result(timeout=60) == Accepted(minutes=0)
    successor = run.get().successor
    assert successor is not None
    assert client.get(successor).get().status is RunStatus.CONTINUED


def test_who_waits_hears_which_of_the_runs_has_failed(client: Client) -> None:
    run = client.start(counting, -1)
    with pytest.raises(RunFailed) as failure:
        run.result(timeout=90)
    assert failure.value.run_id == run.get().successor
    assert failure.value.error_type == "ValueError"


def test_a_run_that_stands_still_is_waited_for_until_somebody_mends_it(
    client: Client, world: World
) -> None:
    run = client.get(world.stalled())
    with pytest.raises(RunTimeout, match="it is STALLED"):
        run.result(timeout=30)
    stall = run.get().stall
    assert stall is not None
    assert (stall.type, stall.message, stall.operation) == (
        REASON.type,
        REASON.message,
        REASON.operation,
    )


def test_an_answer_that_comes_at_once_is_not_asked_for_without_a_pause(
    client: Client, world: World
) -> None:
    # A function without any time left answers as if it had not been asked to wait.
    world.context.left = 0
    run = client.start("shop", ORDER)
    run.result(timeout=70)
    assert len(world.pauses) < 200
    assert max(world.pauses) <= 1


def test_the_history_tells_each_operation(client: Client) -> None:
    run = client.start("shop", ORDER)
    run.result()
    shown = run.get()
    assert (shown.id, shown.workflow, shown.input) == (run.id, "shop", ORDER)
    assert shown.ended_at is not None
    assert shown.started_at is not None
    assert shown.ended_at - shown.started_at == timedelta(seconds=60)
    assert [(each.key, each.kind, each.status) for each in run.history()] == [
        ("charge#1", "step", "DONE"),
        ("sleep#1", "sleep", "DONE"),
    ]


def test_an_event_reaches_the_run_that_waits_for_it(client: Client, world: World) -> None:
    run = client.start(awaiting)
    run.send_event("accepted", Accepted(minutes=20), idempotency_key="once")
    run.send_event("accepted", {"minutes": 20}, idempotency_key="once")
    assert run.result() == Accepted(minutes=20)
    assert [each.number for each in world.engine.runs.load(run.id).events] == [1]  # type: ignore[union-attr]
    with pytest.raises(IllegalStateError, match="takes no more events"):
        run.send_event("accepted", {"minutes": 20})


def test_names_of_events_may_hold_any_character(client: Client, world: World) -> None:
    run = client.start(awaiting)
    run.send_event("grün? & 100%+1", [1])
    (event,) = world.engine.runs.load(run.id).events  # type: ignore[union-attr]
    assert event.name == "grün? & 100%+1"


def test_runs_are_listed_page_by_page_newest_first(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_PAGE", 2)
    ids = [client.start("shop", ORDER).id for _ in range(5)]
    client.start(bare).result()
    listed = list(client.runs(workflow="shop"))
    assert [each.id for each in listed] == ids[::-1]
    assert {(each.workflow, each.version) for each in listed} == {("shop", "1.1.0")}
    assert [each.workflow for each in client.runs(status=RunStatus.COMPLETED)][-1:] == ["bare"]


def test_what_is_deployed_is_told(client: Client) -> None:
    deployed = {each.name: each for each in client.workflows()}
    assert [each.version for each in deployed["shop"].versions] == ["1.0.0", "1.1.0"]
    schema: Any = deployed["shop"].versions[0].input_schema
    assert schema["required"] == ["id", "total"]


def test_a_client_can_be_closed(client: Client) -> None:
    with client as same:
        assert same is client
        run = same.start("bare")
    assert repr(run) == f"<run {run.id}>"
