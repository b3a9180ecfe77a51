"""How many runs may be there at once: starts beyond it are refused, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from everstep import Context, Retry, step, workflow
from everstep.app.capacity import TooManyRunsError, over_capacity
from everstep.app.engine import Limits
from everstep.app.fork import fork
from everstep.app.options import StartOptions
from everstep.app.start import Accepted, start
from everstep.core.errors import (
    IdempotencyConflictError,
    ReferenceConflictError,
)
from everstep.core.model import RunStatus
from everstep.testing import TestEngine, crash_matrix
from tests.unit.app.world import World

TWO: Final = Limits(runs=2)


@workflow(name="nap")
async def nap(ctx: Context, number: int) -> int:
    await ctx.sleep(3600)
    return number


@workflow(name="other")
async def other(ctx: Context, number: int) -> int:
    await ctx.sleep(60)
    return number


@step
def double(number: int) -> int:
    return 2 * number


@workflow(name="doubling")
async def doubling(ctx: Context, number: int) -> int:
    return await ctx.step(double, number)


@workflow(name="parent")
async def parent(ctx: Context, number: int) -> int:
    doubled = await ctx.step(double, number)
    return await ctx.call(other, doubled)


@workflow(name="again")
async def again(ctx: Context, number: int) -> int:
    await ctx.sleep(60)
    if number:
        await ctx.continue_as_new(number - 1)
    return number


def begin(world: World, name: str = "nap", value: int = 1, **options: Any) -> Accepted:  # noqa: ANN401
    return start(world.engine, name, value, StartOptions(**options))


def test_a_start_beyond_the_limit_is_refused_and_writes_nothing() -> None:
    world = World(nap, other, limits=TWO)
    begin(world)
    begin(world, "other")
    with pytest.raises(TooManyRunsError) as refused:
        begin(world)
    error = refused.value
    assert (error.setting, error.limit) == ("EVERSTEP_MAX_CONCURRENT_RUNS", 2)
    assert (error.workflow, error.retry_after) == (None, 10)
    assert str(error) == (
        "2 runs have not ended, and EVERSTEP_MAX_CONCURRENT_RUNS allows no more; "
        "try again in 10 seconds, or later"
    )
    assert len(world.store.run_ids) == len(world.outbox.sent) == 2


def test_there_is_room_again_once_a_run_has_ended() -> None:
    world = World(other, limits=Limits(runs=1))
    run_id = begin(world, "other").run_id
    world.run()
    assert world.head(run_id).status is RunStatus.COMPLETED
    assert begin(world, "other").created


@pytest.mark.parametrize("status", [RunStatus.PAUSED, RunStatus.STALLED])
def test_a_run_that_stands_still_takes_room_like_any_other(status: RunStatus) -> None:
    world = World(nap, limits=Limits(runs=1))
    run_id = begin(world).run_id
    world.store._heads[run_id] = replace(world.head(run_id), status=status)
    assert over_capacity(world.engine, "nap") is not None


@pytest.mark.parametrize("own", [{"nap": 1}, {"*": 1}, {"nap": 1, "*": 9}])
def test_a_workflow_has_a_limit_of_its_own_or_that_of_all_others(own: dict[str, int]) -> None:
    world = World(nap, other, limits=Limits(runs_of=own))
    begin(world)
    assert begin(world, "other").created
    with pytest.raises(TooManyRunsError, match=r"1 runs of nap have not ended.*RUNS_OF") as refused:
        begin(world)
    assert (refused.value.limit, refused.value.workflow) == (1, "nap")


def test_no_limit_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object) -> int:
        raise AssertionError

    world = World(nap, limits=Limits(runs_of={"other": 1}))
    monkeypatch.setattr(world.store, "count", asked)
    assert begin(world).created


def test_no_more_is_counted_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(nap, other, limits=Limits(runs=3))
    for _ in range(2):
        begin(world)
    asked: list[tuple[str, RunStatus, int]] = []
    count = world.store.count

    def counted(workflow: str, status: RunStatus, limit: int) -> int:
        asked.append((workflow, status, limit))
        return count(workflow, status, limit)

    monkeypatch.setattr(world.store, "count", counted)
    begin(world, "other")
    assert asked == [
        ("nap", RunStatus.RUNNING, 3),
        ("nap", RunStatus.PAUSED, 1),
        ("nap", RunStatus.STALLED, 1),
        ("other", RunStatus.RUNNING, 1),
        ("other", RunStatus.PAUSED, 1),
        ("other", RunStatus.STALLED, 1),
    ]


# --- What is not refused


def test_a_repeat_is_answered_with_its_run() -> None:
    world = World(nap, limits=Limits(runs=1))
    first = begin(world, idempotency_key="k")
    assert begin(world, idempotency_key="k") == Accepted(run_id=first.run_id, created=False)
    with pytest.raises(IdempotencyConflictError):
        begin(world, value=2, idempotency_key="k")
    with pytest.raises(TooManyRunsError):
        begin(world, idempotency_key="another")


def test_the_run_that_has_the_reference_id_is_answered_or_in_the_way_as_ever() -> None:
    world = World(nap, other, limits=Limits(runs_of={"nap": 1}))
    first = begin(world, reference_id="r")
    found = begin(world, reference_id="r", on_conflict="existing")
    assert found == Accepted(run_id=first.run_id, created=False)
    with pytest.raises(ReferenceConflictError):
        begin(world, reference_id="r")
    with pytest.raises(TooManyRunsError):
        begin(world, reference_id="nobody's")


def test_a_reference_id_of_a_run_that_has_ended_makes_no_room() -> None:
    world = World(nap, other, limits=Limits(runs=1))
    begin(world, "other", reference_id="r")
    world.run()
    begin(world)
    with pytest.raises(TooManyRunsError):
        begin(world, "other", reference_id="r", on_conflict="existing")


def test_a_child_run_is_started_or_its_parent_would_wait_for_room_that_it_takes_itself() -> None:
    engine = TestEngine([parent, other], limits=Limits(runs=1))
    run = engine.start(parent, 4)
    engine.advance(60)
    assert run.result == 8


def test_a_run_that_continues_as_new_goes_on() -> None:
    engine = TestEngine([again], limits=Limits(runs=1))
    run = engine.start(again, 2)
    engine.advance(180)
    assert run.status == RunStatus.CONTINUED
    assert over_capacity(engine.ports, "again") is None


def test_a_fork_is_somebody_s_decision_about_a_run_that_is_here() -> None:
    world = World(parent, other, limits=Limits(runs=1))
    run_id = begin(world, "parent").run_id
    world.run()
    begin(world, "other")
    made = fork(world.engine, run_id, from_step="double#1")
    assert world.head(made.run_id).status is RunStatus.RUNNING


def test_whatever_fails_a_start_ends_with_its_run_also_where_that_takes_the_last_place() -> None:
    report = crash_matrix(parent, 4, workflows=[other], limits=Limits(runs=1, runs_of={"*": 1}))
    assert sum(report.schedules.values()) > 50


def test_a_default_policy_survives_every_crash_as_one_of_its_own_does() -> None:
    limits = Limits(retry=Retry(max_attempts=2, initial_delay=1, jitter=False), step_timeout=9000)
    crash_matrix(doubling, 4, limits=limits)
