"""Runs that are to end before their code does: told once, where they wait, and then left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from everstep import CompensationFailed
from everstep.app.cancel import cancel
from everstep.core.errors import IllegalStateError, InvalidRequestError, RunNotFoundError
from everstep.core.model import RunStatus
from everstep.testing import TestEngine, crash_matrix
from tests.unit.app.cancellable import (
    ALL,
    HOUR,
    KINDS,
    anything,
    branches,
    calls,
    clumsy,
    during,
    family,
    gives_in,
    leaf,
    middle,
    races,
    retries,
    stubborn,
    two_steps,
)

if TYPE_CHECKING:
    from everstep.testing import TestRun


@pytest.fixture
def engine() -> TestEngine:
    during.clear()
    return TestEngine(ALL)


def undone(run: TestRun[Any]) -> list[Any]:
    return [each.result for each in run.history if "undo" in each.key and each.status == "DONE"]


def others(engine: TestEngine, run: TestRun[Any]) -> list[TestRun[Any]]:
    return [engine.get(each) for each in engine._world.store.run_ids if each != run.id]


def cancelled(engine: TestEngine, run: TestRun[Any], after: float = 30) -> None:
    engine.advance(after)
    engine.cancel(run.id, who="ann", why="changed my mind")
    engine.run_until_idle()
    engine.advance(120)
    engine.verify()


# --- Where code waits


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=[each.__name__ for each in KINDS])
def test_code_is_told_wherever_it_waits_and_undoes_what_was_done(
    engine: TestEngine, kind: int
) -> None:
    run = engine.start(anything, kind)
    cancelled(engine, run)
    assert (run.status, undone(run)) == ("CANCELLED", ["first"])
    assert run.error is not None
    assert run.error.type == "RunCancelled"
    assert run.error.message == "the run was cancelled by ann: changed my mind"
    assert {each.status for each in others(engine, run)} <= {RunStatus.CANCELLED}
    assert [undone(each) for each in others(engine, run)] in ([], [["middle"], ["leaf"]])


def test_a_run_that_has_not_begun_ends_where_it_waits_first(engine: TestEngine) -> None:
    run = engine.start(two_steps)
    engine.cancel(run.id)
    engine.run_until_idle()
    assert (run.status, undone(run), run.executions("note")) == ("CANCELLED", ["one"], 0)


def test_a_step_that_runs_is_not_interrupted_and_its_result_is_recorded(
    engine: TestEngine,
) -> None:
    run = engine.start(two_steps)
    during["call"] = lambda: cancel(engine._world.inside, run.id)
    engine.run_until_idle()
    engine.advance(60)
    assert run.status == "CANCELLED"
    assert [(each.key, each.status) for each in run.history][:2] == [
        ("note#1", "DONE"),
        ("note#2", "CANCELLED"),
    ]
    assert undone(run) == ["one"]
    engine.verify()


def test_a_step_that_waits_for_its_next_attempt_is_not_tried_again(engine: TestEngine) -> None:
    run = engine.start(anything, KINDS.index(retries))
    cancelled(engine, run)
    engine.advance(HOUR)
    assert (run.status, run.executions("shaky")) == ("CANCELLED", 1)


# --- What code makes of it


def test_code_that_goes_on_is_not_interrupted_again(engine: TestEngine) -> None:
    run = engine.start(stubborn)
    cancelled(engine, run)
    assert run.status == "SLEEPING"
    engine.cancel(run.id, who="bob")
    engine.advance(HOUR)
    assert run.status == "WAITING"
    engine.send_event(run.id, "go")
    engine.run_until_idle()
    told = "the run was cancelled by ann: changed my mind"
    assert (run.status, run.result) == ("COMPLETED", told)


def test_code_that_raises_something_else_fails(engine: TestEngine) -> None:
    run = engine.start(gives_in)
    cancelled(engine, run)
    assert (run.status, run.error and run.error.message) == ("FAILED", "instead")


def test_a_compensation_that_fails_fails_the_run_and_says_what_is_left(
    engine: TestEngine,
) -> None:
    run = engine.start(clumsy)
    cancelled(engine, run)
    assert (run.status, undone(run)) == ("FAILED", ["one"])
    assert run.error is not None
    assert run.error.type == CompensationFailed.__name__
    assert "undone: undo; not undone: step cannot#1" in run.error.message


# --- Branches


def test_every_branch_that_has_begun_undoes_its_own(engine: TestEngine) -> None:
    run = engine.start(branches)
    cancelled(engine, run)
    assert (run.status, sorted(undone(run))) == ("CANCELLED", ["1", "2", "3"])


def test_no_further_branch_begins_once_one_has_been_told(engine: TestEngine) -> None:
    run = engine.start(branches)
    cancelled(engine, run, 150)
    assert (run.status, sorted(undone(run))) == ("CANCELLED", ["1", "2", "3"])


def test_every_branch_of_a_race_comes_to_its_end(engine: TestEngine) -> None:
    run = engine.start(races)
    cancelled(engine, run)
    assert (run.status, undone(run)) == ("CANCELLED", ["branch"])
    assert {each.status for each in others(engine, run)} == {RunStatus.CANCELLED}


# --- Child runs


def test_child_runs_end_too_whether_or_not_somebody_waits_for_them(engine: TestEngine) -> None:
    run = engine.start(family)
    cancelled(engine, run)
    assert run.status == "CANCELLED"
    ended = others(engine, run)
    assert [each.status for each in ended] == [RunStatus.CANCELLED] * 3
    told = {each.error.message for each in ended if each.error}
    assert all(message.startswith("the run was cancelled by run ") for message in told)


def test_by_force_a_run_and_its_child_runs_end_and_the_parent_undoes_nothing(
    engine: TestEngine,
) -> None:
    run = engine.start(anything, KINDS.index(calls))
    engine.advance(30)
    engine.cancel(run.id, force=True, why="it is stuck")
    assert run.status == "CANCELLED"
    assert run.error is not None
    assert (run.error.type, run.error.message) == (
        "RunTerminated",
        "the run was cancelled: it is stuck",
    )
    engine.run_until_idle()
    assert undone(run) == []
    assert [(each.status, undone(each)) for each in others(engine, run)] == [
        (RunStatus.CANCELLED, ["middle"]),
        (RunStatus.CANCELLED, ["leaf"]),
    ]


def test_a_child_run_that_is_cancelled_tells_its_parent(engine: TestEngine) -> None:
    run = engine.start(middle)
    engine.advance(30)
    (child,) = others(engine, run)
    engine.cancel(child.id, force=True)
    engine.run_until_idle()
    assert (run.status, undone(run)) == ("FAILED", ["middle"])
    assert run.error is not None
    assert run.error.type == "ChildRunFailed"


# --- Who asks, and when


def test_asking_again_changes_nothing(engine: TestEngine) -> None:
    run = engine.start(anything, 1)
    engine.run_until_idle()
    engine.cancel(run.id, who="ann")
    engine.cancel(run.id, who="bob")
    engine.run_until_idle()
    engine.cancel(run.id, who="cid")
    engine.cancel(run.id, force=True)
    assert [(each.action, each.who) for each in engine.audit(run.id)[1:]] == [
        ("cancel_requested", "ann"),
        ("cancelled", "ann"),
    ]
    assert run.error is not None
    assert run.error.message == "the run was cancelled by ann"


@pytest.mark.parametrize("force", [(), ("force",)])
def test_what_has_ended_otherwise_or_is_not_there_cannot_be_cancelled(
    engine: TestEngine, force: tuple[str, ...]
) -> None:
    run = engine.start(two_steps)
    engine.run_until_idle()
    with pytest.raises(IllegalStateError, match="is COMPLETED; it cannot be cancelled"):
        engine.cancel(run.id, force=bool(force))
    with pytest.raises(RunNotFoundError):
        engine.cancel("nobody", force=bool(force))
    with pytest.raises(InvalidRequestError):
        engine.cancel(run.id, who="", force=bool(force))


def test_a_paused_run_goes_on_to_its_end(engine: TestEngine) -> None:
    run = engine.start(anything, 1)
    engine.advance(30)
    engine.pause(run.id)
    cancelled(engine, run)
    assert (run.status, undone(run)) == ("CANCELLED", ["first"])


def test_a_run_that_was_paused_before_it_began_goes_on_to_its_end(engine: TestEngine) -> None:
    run = engine.start(anything, 1)
    engine.pause(run.id)
    cancelled(engine, run)
    assert run.status == "CANCELLED"


def test_a_stalled_run_goes_on_to_its_end_once_it_can(engine: TestEngine) -> None:
    run = engine.start(anything, 0)
    engine.advance(30)
    engine.deploy([])
    engine.advance(60)
    assert run._engine().runs.head(run.id).status == "STALLED"  # type: ignore[union-attr]
    engine.deploy(ALL)
    cancelled(engine, run)
    assert (run.status, undone(run)) == ("CANCELLED", ["first"])


def test_a_stalled_run_ends_by_force_without_its_code(engine: TestEngine) -> None:
    run = engine.start(anything, 0)
    engine.advance(30)
    engine.deploy([])
    engine.advance(60)
    engine.cancel(run.id, force=True)
    head = run._engine().runs.head(run.id)
    assert head is not None
    assert (head.status, head.was_forced) == ("CANCELLED", True)


# --- When things go wrong


def cancel_after(seconds: float, *, force: bool = False) -> Any:  # noqa: ANN401 - a script
    def script(engine: TestEngine, run: TestRun[Any]) -> None:
        engine.advance(seconds)
        engine.cancel(run.id, force=force)

    return script


@pytest.mark.parametrize("name", ["family", "branches"])
def test_a_run_and_its_children_end_whatever_goes_wrong(name: str) -> None:
    (chosen,) = (each for each in ALL if each.name == name)
    report = crash_matrix(
        chosen,
        script=cancel_after(30),
        workflows=[each for each in ALL if each is not chosen],
        outcome=lambda run: str(run.status),
    )
    assert report.outcome.brief().startswith("CANCELLED")


def test_a_run_ends_by_force_whatever_goes_wrong() -> None:
    report = crash_matrix(
        middle,
        script=cancel_after(30, force=True),
        workflows=[leaf],
        outcome=lambda run: str(run.status),
    )
    assert report.outcome.brief().startswith("CANCELLED")
