"""Every error becomes one line that says what, where and how to mend it, and an exit code."""

from __future__ import annotations

from typing import Final

import pytest

from everstep.adapters.errors import AdapterError, MissingBlobError
from everstep.app.capacity import TooManyRunsError
from everstep.cli.exits import CommandError, ExitCode
from everstep.cli.failures import explain
from everstep.core.errors import (
    EverstepError,
    InvalidRequestError,
    RunNotFoundError,
    UnavailableError,
    UnknownWorkflowError,
)
from everstep.settings import SettingsError
from everstep.wiring import ReadOnlyError

PLACE: Final = "table orders"


def refused(code: str, operation: str = "DynamoDB Query") -> AdapterError:
    return AdapterError(operation, code, "no")


@pytest.mark.parametrize(
    ("error", "exit_code", "says"),
    [
        (CommandError("this", ExitCode.RUN_FAILED), 4, ["this"]),
        (SettingsError("EVERSTEP_TABLE must be set"), 2, ["EVERSTEP_TABLE must be set"]),
        (refused("ResourceNotFoundException"), 3, ["no such table (table orders)", "--region"]),
        (refused("NoSuchBucket", "S3 GetObject"), 3, ["no such bucket (table orders)"]),
        (refused("NoCredentialsError"), 2, ["no AWS credentials", "AWS_PROFILE"]),
        (refused("NoRegionError"), 2, ["--region", "AWS_REGION"]),
        (refused("ProfileNotFound"), 2, ["no such profile", "--aws-profile"]),
        (refused("AccessDeniedException"), 1, ["DynamoDB Query", PLACE, "let these credentials"]),
        (refused("ExpiredToken"), 1, ["ExpiredToken", "aws sso login"]),
        (refused("UnrecognizedClientException"), 1, ["sign in again"]),
        (refused("ValidationException"), 1, ["DynamoDB Query: ValidationException: no", PLACE]),
        (MissingBlobError("ref"), 1, ["nothing under ref", PLACE]),
        (
            UnavailableError("DynamoDB Query: ConnectTimeoutError"),
            1,
            ["does not answer", "network"],
        ),
        (RunNotFoundError("01K"), 3, ["there is no run 01K", PLACE]),
        (UnknownWorkflowError("there is no workflow x"), 3, ["no workflow x", PLACE]),
        (TooManyRunsError("EVERSTEP_X", 5, None, 10), 1, ["EVERSTEP_X", "try again"]),
        (InvalidRequestError("limit must be 1"), 2, ["limit must be 1"]),
        (ReadOnlyError("PutItem is refused"), 1, ["PutItem is refused"]),
        (EverstepError("that"), 1, ["that"]),
        (KeyError("x"), 1, ["unexpected KeyError: 'x'", "--debug"]),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_an_error_says_what_where_and_how_to_mend_it(
    error: Exception, exit_code: int, says: list[str]
) -> None:
    line, code = explain(error, PLACE)
    assert code == exit_code
    assert [each for each in says if each not in line] == []


def test_without_a_place_nothing_stands_in_brackets() -> None:
    assert explain(RunNotFoundError("01K")) == ("there is no run 01K", ExitCode.NOT_FOUND)
