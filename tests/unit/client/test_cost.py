"""What a run has cost is asked for, whichever way the deployment is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.client.deployments import awaiting, counting
from tests.unit.http.world import ORDER

if TYPE_CHECKING:
    from everstep import Client
    from tests.unit.http.world import World


def test_a_run_tells_what_it_has_cost_and_on_what(client: Client) -> None:
    run = client.start("shop", ORDER)
    assert not run.cost().complete
    run.result()
    cost = run.cost()
    assert cost.complete
    assert cost.dollars == pytest.approx(sum(cost.dollars_by.values()))
    parts = [*cost.steps, cost.rest]
    assert cost.dollars == pytest.approx(sum(each.dollars for each in parts))
    assert cost.steps[0].key == "charge#1"
    assert cost.write_units == sum(each.write_units for each in parts) >= 3
    assert (cost.api_requests, cost.prices.region) == (1, "us-east-1")


def test_an_event_that_is_sent_to_a_run_is_on_its_account(client: Client, world: World) -> None:
    run = client.start(awaiting)
    world.work()
    run.send_event("accepted", {"by": "Ann"})
    world.work()
    cost = run.cost()
    assert cost.complete
    (wait,) = cost.steps
    assert (wait.api_requests, cost.rest.api_requests, cost.successor) == (1, 1, None)
    assert cost.chain is None


def test_a_run_that_goes_on_as_new_tells_what_the_chain_has_cost(
    client: Client, world: World
) -> None:
    first = client.start(counting, 1)
    world.work()
    world.advance(60)
    cost = first.cost()
    assert cost.complete
    assert cost.chain is None
    assert cost.successor is not None
    last = client.handle(cost.successor).cost()
    assert last.chain is not None
    assert last.chain.dollars == pytest.approx(cost.dollars + last.dollars)
    assert last.chain.write_units == cost.write_units + last.write_units
