"""What a step may know about its attempt."""

import logging
from datetime import UTC, datetime

import pytest

from everstep import EverstepError, step_context
from everstep.authoring.step_context import attempt_context

DEADLINE = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_step_knows_its_attempt() -> None:
    with attempt_context("run-1", "charge#1", 2, DEADLINE):
        context = step_context()

    assert (context.run_id, context.operation, context.attempt) == ("run-1", "charge#1", 2)
    assert context.idempotency_key == "run-1:charge#1"
    assert context.deadline == DEADLINE


def test_the_idempotency_key_is_the_same_for_every_attempt() -> None:
    keys = set()
    for attempt in (1, 2):
        with attempt_context("run-1", "charge#1", attempt, None):
            keys.add(step_context().idempotency_key)

    assert len(keys) == 1


def test_outside_a_step_there_is_nothing_to_know() -> None:
    with pytest.raises(EverstepError, match="called outside a step"):
        step_context()
    with attempt_context("run-1", "charge#1", 1, None):
        pass
    with pytest.raises(EverstepError, match="called outside a step"):
        step_context()


def test_the_logger_names_the_attempt(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with attempt_context("run-1", "charge#1", 2, None):
        step_context().logger.info("charged")

    (entry,) = caplog.records
    assert entry.name == "everstep.step"
    assert (vars(entry)["run_id"], vars(entry)["operation"]) == ("run-1", "charge#1")
    assert vars(entry)["attempt"] == 2
