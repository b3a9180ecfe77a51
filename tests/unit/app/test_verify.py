"""Going over a system finds what is not as it should be, and only that."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from everstep import Context, workflow
from everstep.app import verify as verifying
from everstep.app.verify import OVERDUE, Violation, verify, verify_run
from everstep.core.errors import RunNotFoundError
from everstep.core.model import ErrorInfo, OpStatus, Payload, RunStatus
from everstep.testing.simulation.world import World
from tests.unit.app.tours import run_id, set_head, set_record, tour, until_recorded, violated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from everstep.core.model import DueEntry


@workflow(name="tour")
async def turning(_ctx: Context, _number: int) -> None:
    while True:
        pass


@pytest.fixture
def world() -> Iterator[World]:
    with World([tour]) as made:
        made.trigger("tour", 1, "key")
        yield made


def test_whatever_state_a_run_is_in_nothing_is_reported(world: World) -> None:
    seen: set[str] = set()
    for _ in range(100):
        world.until_idle(1)
        assert violated(world) == []
        seen |= {str(report.status) for report in verify(world.inside)}
    world.run()
    assert violated(world) == []
    (report,) = verify(world.inside)
    assert report.status is RunStatus.COMPLETED
    assert report.skipped == ()
    assert "history_replays_to_its_outcome" in report.checked
    assert "one_run_per_idempotency_key" in report.checked


def test_a_run_that_sleeps_retries_or_stalls_is_fine(world: World) -> None:
    until_recorded(world, "shaky#1")
    assert violated(world) == []
    until_recorded(world, "sleep#1")
    assert violated(world) == []
    world.deploy([])
    world.run()
    assert world.history().head.status is RunStatus.STALLED
    world.deploy([tour])
    assert violated(world) == []


def test_nothing_is_written(world: World) -> None:
    until_recorded(world, "shaky#1")
    calls = len(world.calls)
    assert len(list(verify(world.engine))) == 1
    assert {call.name for call in world.calls[calls:]} == {
        "lists.every",
        "timers.due",
        "runs.load",
        "runs.audit",
    }


DAMAGES: dict[str, Callable[[World], None]] = {
    "the_end_is_recorded": lambda world: set_head(world, ended_at=None),
    "the_audit_is_whole": lambda world: set_head(world, generation=7),
    "a_stall_has_its_reason": lambda world: set_head(world, status=RunStatus.STALLED),
    "running_is_watched": lambda world: set_head(world, status=RunStatus.RUNNING, due_at=None),
    "an_ended_run_is_not_due": lambda world: set_head(world, due_at=1),
    "history_replays_to_its_outcome": lambda world: set_head(world, result=Payload(text="9")),
    "records_are_whole": lambda world: set_record(world, "shaky#1", ended_at=None),
    "sleep_has_lasted": lambda world: set_record(world, "sleep#1", ended_at=5),
    "attempts_within_policy": lambda world: set_record(world, "shaky#1", attempt=3),
}


@pytest.mark.parametrize("invariant", DAMAGES)
def test_damage_is_named(world: World, invariant: str) -> None:
    world.run()
    DAMAGES[invariant](world)
    assert invariant in violated(world)


@pytest.mark.parametrize(
    ("status", "changes"),
    [
        (OpStatus.FAILED, {"error": None}),
        (OpStatus.RETRY, {"error": ErrorInfo(type="E", message="")}),
        (OpStatus.WAITING, {"wake_at": None}),
    ],
)
def test_records_that_are_not_whole_are_named(
    world: World, status: OpStatus, changes: dict[str, Any]
) -> None:
    world.run()
    set_record(world, "shaky#2", status=status, **changes)
    assert "records_are_whole" in violated(world)


def test_a_run_whose_code_has_changed_under_it_is_named(world: World) -> None:
    until_recorded(world, "sleep#1")
    set_record(world, "shaky#1", input_hash="n=other")
    assert violated(world) == ["history_replays"]


def test_a_sweeper_that_does_not_come_is_noticed(world: World) -> None:
    until_recorded(world, "sleep#1")
    due_at = world.history().records["sleep#1"].due_at
    assert due_at is not None
    world.pass_time(due_at - world.time + OVERDUE)
    assert violated(world) == []
    world.pass_time(1)
    assert violated(world) == ["what_is_due_is_done"]


def test_what_is_not_in_the_index_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    until_recorded(world, "sleep#1")
    monkeypatch.setattr(world.store, "due", lambda *_: [])
    (report,) = verify(world.inside)
    assert report.violations == (
        Violation(
            invariant="what_is_armed_is_indexed",
            run_id=run_id(world),
            detail="not in the due index: the run itself, sleep#1",
        ),
    )


def test_what_is_gone_at_a_second_look_is_not_reported(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_recorded(world, "sleep#1")
    up_to_date = world.store.due
    reads = count()

    def lagging(shard: int, until: int, limit: int) -> Sequence[DueEntry]:
        return [] if next(reads) < world.store.shards else up_to_date(shard, until, limit)

    monkeypatch.setattr(world.store, "due", lagging)
    assert violated(world) == []
    assert next(reads) == 2 * world.store.shards


def test_two_runs_with_one_key_are_named(world: World) -> None:
    world.run()
    head = world.history().head
    other = replace(head, run_id="run-2", trail=None, generation=0)
    world.store._heads["run-2"] = other
    world.store._records["run-2"] = dict(world.history().records)
    assert violated(world) == ["one_run_per_idempotency_key"]
    assert verify_run(world.inside, "run-2").violations == ()


def test_runs_can_be_chosen(world: World) -> None:
    world.run()
    assert len(list(verify(world.inside, lambda run: run.workflow == "tour"))) == 1
    assert list(verify(world.inside, lambda run: run.workflow == "other")) == []


def test_what_cannot_be_replayed_is_said(world: World) -> None:
    world.run()
    world.deploy([])
    (report,) = verify(world.inside)
    assert report.violations == ()
    assert {skipped.invariant for skipped in report.skipped} == {
        "history_replays",
        "history_replays_to_its_outcome",
        "attempts_within_policy",
    }
    assert all("look at --workflows" in skipped.reason for skipped in report.skipped)


def test_code_that_does_not_come_to_rest_is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_recorded(world, "sleep#1")
    world.deploy([turning])
    monkeypatch.setattr(verifying, "_PATIENCE", 100)
    (report,) = verify(world.inside)
    (violation,) = report.violations
    assert violation.invariant == "code_comes_to_rest"
    assert violation.detail == "a replay of today's code was cut off after 0.1 s"


def test_a_run_that_is_gone_by_now_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run()
    monkeypatch.setattr(world.store, "load", lambda _run_id: None)
    assert list(verify(world.inside)) == []
    with pytest.raises(RunNotFoundError):
        verify_run(world.inside, "run-0")
