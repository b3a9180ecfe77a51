"""Runs that go on from another one: what is kept, and what is executed again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from everstep import NonRetryable
from everstep.core.audit import Action
from everstep.core.errors import (
    InvalidInputError,
    InvalidRequestError,
    RunNotFoundError,
)
from everstep.core.model import RunStatus
from everstep.testing import TestEngine
from tests.unit.testing.shop import KEYS, failed, ship, shop, together


@pytest.fixture
def engine() -> TestEngine:
    KEYS.clear()
    return TestEngine([shop, together])


def test_a_retry_goes_on_from_the_step_that_failed(engine: TestEngine) -> None:
    run_id = failed(engine)
    again = engine.retry(run_id, who="ann", why="a van came")
    engine.run_until_idle()

    assert again.status is RunStatus.COMPLETED
    assert (again.executions("charge"), again.executions("ship")) == (0, 1)
    assert engine.get(run_id).status is RunStatus.FAILED
    engine.verify()
    birth, entry = engine.audit(again.id)[0], engine.audit(run_id)[-1]
    assert (birth.action, birth.who, birth.why) == (Action.CREATED, "ann", "a van came")
    assert (entry.action, entry.who, entry.why) == (Action.RETRIED, "ann", "a van came")
    assert entry.details["run_id"] == again.id


def test_a_retry_sees_what_the_first_run_saw(engine: TestEngine) -> None:
    whole = TestEngine([shop])
    run = whole.start(shop, 7)
    whole.advance(timedelta(hours=2))
    again = engine.retry(failed(engine))
    engine.run_until_idle()
    assert again.result == run.result


def test_a_retried_step_has_the_idempotency_key_that_it_had(engine: TestEngine) -> None:
    run_id = failed(engine)
    engine.retry(run_id)
    engine.run_until_idle()
    assert KEYS[-1] == ("ship", f"{run_id}:ship#1")


# --- Fork


def test_a_fork_keeps_what_came_before_a_step_and_executes_the_rest(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    forked = engine.fork(run.id, "ship#1")
    engine.run_until_idle()

    assert forked.result == run.result
    assert (forked.executions("charge"), forked.executions("ship")) == (0, 1)
    assert [op.key for op in forked.history] == ["charge#1", "sleep#1", "ship#1"]
    engine.verify()


def test_a_forked_step_has_an_idempotency_key_of_its_own(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    forked = engine.fork(run.id, "ship#1")
    engine.run_until_idle()
    assert KEYS[-1] == ("ship", f"{forked.id}:ship#1")


def test_a_retry_of_a_fork_keeps_the_keys_of_the_fork(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    engine.fail(ship, NonRetryable("no van"))
    forked = engine.fork(run.id, "ship#1")
    engine.run_until_idle()
    again = engine.retry(forked.id)
    engine.run_until_idle()

    assert again.result == run.result
    assert KEYS[-1] == ("ship", f"{forked.id}:ship#1")


def test_a_fork_can_have_another_input_which_is_checked(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    forked = engine.fork(run.id, "charge#1", 8)
    engine.advance(timedelta(hours=2))

    assert str(forked.result).startswith("shipped for 8")
    with pytest.raises(InvalidInputError):
        engine.fork(run.id, "charge#1", "much")


def test_what_a_fork_keeps_stays_whatever_its_input(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(hours=2))
    forked = engine.fork(run.id, "ship#1", 8)
    engine.run_until_idle()
    assert str(forked.result).startswith("shipped for 7")


def test_a_sleep_from_which_a_fork_goes_on_lasts_as_long_as_it_is_to(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.advance(timedelta(days=2))
    forked = engine.fork(run.id, "sleep#1")
    engine.advance(timedelta(minutes=59))
    assert forked.executions("ship") == 0
    engine.advance(timedelta(minutes=1))
    assert forked.executions("ship") == 1


def test_a_run_that_has_not_ended_can_be_forked(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.run_until_idle()
    forked = engine.fork(run.id, "sleep#1")
    engine.advance(timedelta(hours=1))
    assert (run.status, forked.status) == (RunStatus.COMPLETED, RunStatus.COMPLETED)
    assert forked.executions("charge") == 0


def test_a_fork_from_a_branch_keeps_what_the_others_had_done_by_then(engine: TestEngine) -> None:
    run = engine.start(together, 3)
    engine.run_until_idle()
    assert run.result == [0, 4, 8]
    forked = engine.fork(run.id, "branch#1/1/double#2")
    engine.run_until_idle()
    assert forked.result == [0, 4, 8]
    assert 1 <= forked.executions("double") <= 3
    engine.verify()


def test_an_operation_that_was_not_asked_for_is_no_place_to_fork_from(engine: TestEngine) -> None:
    run = engine.start(shop, 7)
    engine.run_until_idle()
    with pytest.raises(InvalidRequestError, match=r"no operation 'charge#2'; .*charge#1, sleep#1"):
        engine.fork(run.id, "charge#2")
    with pytest.raises(RunNotFoundError):
        engine.fork("nobody", "charge#1")
