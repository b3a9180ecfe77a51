"""What people want to know about runs."""

import base64
import json

import pytest

from everstep import workflow
from everstep.app.engine import Limits
from everstep.app.query import inspect, list_runs, outcome
from everstep.core.errors import InvalidRequestError, RunNotFoundError
from everstep.core.model import RunStatus
from tests.unit.app.definitions import anything, hibernating, one_step, second_version, talkative
from tests.unit.app.world import World

other = workflow(name="other")(hibernating.fn)


def test_a_run_is_seen_with_its_operations_and_payloads() -> None:
    world = World(one_step)
    run_id = world.begin(value=4)
    world.run()

    view = inspect(world.engine, run_id)
    assert view.progress.status is RunStatus.COMPLETED
    assert [record.key for record in view.progress.records] == ["double#1"]
    assert view.head.result is not None
    assert view.head.result.text == "8"


def test_large_payloads_are_fetched_for_whoever_asks() -> None:
    world = World(talkative, limits=Limits(inline=10))
    run_id = world.begin(value=100)

    for seen in (inspect(world.engine, run_id), outcome(world.engine, run_id)):
        assert seen.head.result is not None
        assert seen.head.result.text is not None
        assert len(seen.head.result.text) == 102


def test_an_outcome_fetches_no_input() -> None:
    world = World(anything, limits=Limits(inline=10))
    run_id = world.start(value="x" * 20).run_id
    world.lose_payloads()

    assert outcome(world.engine, run_id).head.status is RunStatus.RUNNING


def test_the_status_is_looked_at_closely() -> None:
    world = World(one_step, other)
    pending = world.start("wf", 1).run_id
    world.lose()
    sleeping = world.begin("other")

    assert inspect(world.engine, pending).progress.status is RunStatus.PENDING
    assert inspect(world.engine, sleeping).progress.status is RunStatus.SLEEPING


def test_a_run_whose_code_is_missing_can_be_looked_at() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.run()
    world.deploy(second_version)

    view = inspect(world.engine, run_id)
    assert view.progress.status is RunStatus.COMPLETED
    assert [record.key for record in view.progress.records] == ["double#1"]


@pytest.mark.parametrize("ask", [inspect, outcome])
def test_a_run_that_does_not_exist_is_not_found(ask: object) -> None:
    assert callable(ask)
    with pytest.raises(RunNotFoundError):
        ask(World(one_step).engine, "nobody")


def test_an_outcome_of_a_run_that_goes_on_has_no_result() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)

    assert outcome(world.engine, run_id).head.result is None


# --- Lists


def listing() -> tuple[World, dict[RunStatus, str]]:
    """Return a world with one run in every status that a run can be in."""
    world = World(one_step, other)
    completed = world.begin("wf", 1)
    world.run()
    running = world.begin("wf", 1)
    world.lose()
    stalled = world.begin("wf", 1)
    world.lose()
    world.stall(stalled)
    sleeping = world.begin("other")
    # The first step of `running` is queued, so it is PENDING as far as anybody can tell.
    return world, {
        RunStatus.COMPLETED: completed,
        RunStatus.PENDING: running,
        RunStatus.STALLED: stalled,
        RunStatus.SLEEPING: sleeping,
    }


def test_all_runs_are_listed_newest_first() -> None:
    world, runs = listing()
    page = list_runs(world.engine)

    assert [item.run_id for item in page.runs] == list(reversed(runs.values()))
    assert {item.status: item.run_id for item in page.runs} == runs
    assert page.cursor is None


@pytest.mark.parametrize("status", list(RunStatus))
def test_a_status_filters_also_where_it_is_derived(status: RunStatus) -> None:
    world, runs = listing()
    page = list_runs(world.engine, status=status)

    assert [item.run_id for item in page.runs] == ([runs[status]] if status in runs else [])


def test_a_workflow_filters() -> None:
    world, runs = listing()

    assert [item.run_id for item in list_runs(world.engine, workflow="other").runs] == [
        runs[RunStatus.SLEEPING]
    ]
    assert list_runs(world.engine, workflow="nope").runs == ()


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 100])
def test_pages_hold_every_run_once(limit: int) -> None:
    world = World(one_step)
    started = [world.start(value=1).run_id for _ in range(7)]
    for run_id in started[::2]:
        world.end(run_id)
    found: list[str] = []
    cursor = None
    for _ in range(8):
        page = list_runs(world.engine, limit=limit, cursor=cursor)
        assert len(page.runs) <= limit
        found += [item.run_id for item in page.runs]
        cursor = page.cursor
        if cursor is None:
            break

    assert found == list(reversed(started))


def test_a_run_that_the_index_shows_twice_is_listed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    (item,) = world.store.newest("wf", RunStatus.RUNNING, None, 9)
    monkeypatch.setattr(world.store, "newest", lambda *_, **__: [item])

    assert [each.run_id for each in list_runs(world.engine).runs] == [run_id]


def test_a_run_that_expired_meanwhile_is_shown_as_it_was_listed() -> None:
    world = World(one_step)
    run_id = world.begin(value=1)
    world.store.before_load.append(lambda: world.forget(run_id))

    (item,) = list_runs(world.engine).runs
    assert item.status is RunStatus.RUNNING


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_limit_out_of_range_is_refused(limit: int) -> None:
    with pytest.raises(InvalidRequestError, match=f"between 1 and 100, not {limit}"):
        list_runs(World(one_step).engine, limit=limit)


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "ä",
        "e30",
        encoded([]),
        encoded({"before": 1}),
        encoded({}),
        "[[",
        "____",
        "W10",
        "bnVsbA",
    ],
)
def test_a_cursor_that_nobody_gave_out_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequestError, match="not one that this API gave out"):
        list_runs(World(one_step).engine, cursor=cursor)
