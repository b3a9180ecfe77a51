"""Runs are paused, resumed and looked after in somebody's name, over every transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from everstep.core.errors import IllegalStateError
from everstep.core.model import RunStatus
from tests.unit.client.deployments import ACTOR
from tests.unit.http.world import ORDER

if TYPE_CHECKING:
    from everstep import Client
    from tests.unit.http.world import World


def test_a_run_is_paused_and_resumed_and_the_audit_says_by_whom_and_why(
    client: Client, world: World
) -> None:
    run = client.start("shop", ORDER)
    run.pause(reason="too many orders")
    world.work()
    assert run.status() is RunStatus.PAUSED
    run.resume()
    assert run.result() == {"receipt": "charged 20"}
    created, paused, resumed, started, completed = run.audit()
    assert (started.number, started.action) == (None, "started")
    assert (completed.number, completed.action, completed.previous) == (
        *(3, "completed"),
        resumed.hash,
    )
    verdict = run.verify_audit()
    assert (verdict.whole, verdict.entries, verdict.hash) == (True, 4, completed.hash)
    assert (created.number, created.action) == (0, "created")
    assert (paused.number, paused.action, paused.by, paused.reason) == (
        1,
        "paused",
        ACTOR,
        "too many orders",
    )
    assert (resumed.action, resumed.by, resumed.reason) == ("resumed", ACTOR, None)
    assert paused.at <= resumed.at
    with pytest.raises(IllegalStateError, match="COMPLETED"):
        run.pause()


def test_a_stalled_run_is_resumed_and_goes_on(client: Client, world: World) -> None:
    run = client.get(world.stalled())
    run.resume(reason="mended")
    assert run.result() == {"receipt": "charged 20"}
