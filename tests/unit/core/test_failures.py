"""Exceptions as recorded facts, and back."""

import pytest

from everstep.core.errors import (
    IdempotencyConflictError,
    PayloadTooLargeError,
    RunNotFoundError,
    StepFailed,
)
from everstep.core.failures import describe, step_failed
from everstep.core.model import OpStatus
from tests.unit.core.builders import record


class SpeechlessError(Exception):
    """An exception whose message cannot be made."""

    def __str__(self) -> str:
        raise KeyError


def test_an_error_is_recorded_with_type_message_and_the_frames_of_user_code() -> None:
    with pytest.raises(ValueError, match="no") as raised:
        raise ValueError("no")

    described = describe(raised.value, "charge#1")

    assert (described.type, described.message) == ("ValueError", "no")
    assert described.operation == "charge#1"
    assert described.trace is not None
    assert described.trace.startswith("tests.unit.core.test_failures:")


def test_an_error_that_was_never_raised_has_no_trace() -> None:
    assert describe(ValueError("no")).trace is None


def test_a_long_message_is_cut() -> None:
    described = describe(ValueError("x" * 3000))

    assert described.message.startswith("xxx")
    assert described.message.endswith("… (3000 characters)")


def test_a_message_that_cannot_be_made_is_said_to_be_so() -> None:
    assert describe(SpeechlessError()).message == "(its message could not be made: KeyError)"


def test_a_message_is_always_text_that_can_be_stored() -> None:
    assert describe(ValueError("a\ud800")).message == "a\\ud800"


def test_the_failure_of_a_step_names_its_operation() -> None:
    error = StepFailed(operation="charge#1", error_type="E", message="m", attempts=2)

    assert describe(error).operation == "charge#1"
    assert str(error) == "step charge#1 failed after 2 attempts: E: m"


def test_a_failed_record_raises_the_same_in_every_pass() -> None:
    described = describe(ValueError("no"))
    failed = record("charge#1", OpStatus.FAILED, error=described)

    error = step_failed(failed)

    assert (error.error_type, error.message, error.attempts) == ("ValueError", "no", 1)
    assert str(error) == "step charge#1 failed after 1 attempt: ValueError: no"


def test_a_failed_record_without_an_error_is_still_a_failure() -> None:
    assert step_failed(record("charge#1", OpStatus.FAILED)).error_type == "Unknown"


def test_errors_carry_their_ids() -> None:
    assert RunNotFoundError("r").run_id == "r"
    assert IdempotencyConflictError("k", "r").run_id == "r"
    assert PayloadTooLargeError("the input", 2, 1).size == 2
