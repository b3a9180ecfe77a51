"""What a start can be asked beside the input, over every transport."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from everstep.client import ReferenceConflictError
from everstep.core.durations import to_datetime
from everstep.core.model import RunStatus
from tests.unit.client.deployments import awaiting
from tests.unit.http.world import ORDER, START

if TYPE_CHECKING:
    from everstep import Client
    from tests.unit.http.world import World

BEGIN = to_datetime(START)


def test_a_run_has_the_tags_and_the_reference_that_it_was_started_with(client: Client) -> None:
    run = client.start("shop", ORDER, reference_id="order-1", tags={"city": "Bonn", "a": "b:c"})
    (listed,) = client.runs(workflow="shop")
    for shown in (run.get(), listed):
        assert (shown.reference_id, shown.tags) == ("order-1", {"city": "Bonn", "a": "b:c"})


def test_one_reference_has_one_run_that_has_not_ended(client: Client) -> None:
    run = client.start("shop", ORDER, reference_id="order-1")
    with pytest.raises(ReferenceConflictError) as conflict:
        client.start("shop", ORDER, reference_id="order-1")
    assert conflict.value.run_id == run.id
    same = client.start("shop", ORDER, reference_id="order-1", on_conflict="existing")
    assert same.id == run.id
    run.result()
    assert client.start("shop", ORDER, reference_id="order-1").id != run.id


def test_a_run_begins_after_a_delay_or_at_a_time(client: Client, world: World) -> None:
    later = client.start("shop", ORDER, delay=timedelta(minutes=5))
    at = client.start("shop", ORDER, at=BEGIN + timedelta(minutes=10))
    assert later.get().starts_at == BEGIN + timedelta(minutes=5)
    assert at.get().starts_at == BEGIN + timedelta(minutes=10)
    world.advance(240)
    assert (later.status(), at.status()) == (RunStatus.PENDING, RunStatus.PENDING)
    assert later.result() == {"receipt": "charged 20"}
    assert world.clock.now() >= START + 360_000


def test_a_run_has_a_time_limit(client: Client, world: World) -> None:
    run = client.start(awaiting, timeout=30)
    world.work()
    assert run.get().deadline == BEGIN + timedelta(seconds=30)


def test_a_run_has_a_budget(client: Client, world: World) -> None:
    run = client.start("shop", ORDER, budget=0.000_001)
    world.work()
    shown = run.get()
    assert shown.status is RunStatus.STALLED
    assert shown.stall is not None
    assert shown.stall.type == "BudgetExceeded"
    run.resume(budget=1)
    assert run.result() == {"receipt": "charged 20"}


def test_a_budget_that_is_none_is_refused_where_it_is_said(client: Client) -> None:
    with pytest.raises(ValueError, match="budget must be dollars above 0"):
        client.start("shop", ORDER, budget=-1)
