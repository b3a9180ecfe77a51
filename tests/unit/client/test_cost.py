"""What a run has cost is asked for, whichever way the deployment is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.http.world import ORDER

if TYPE_CHECKING:
    from everstep import Client


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
