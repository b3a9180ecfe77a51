"""The one place where errors become a line on standard error and an exit code.

A line says what is wrong, where, and how to mend it. What nobody foresaw keeps its class and
message, and the hint at ``--debug``, which shows the traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import typer

from everstep.adapters.errors import AdapterError
from everstep.app.capacity import TooManyRunsError
from everstep.cli.exits import CommandError, ExitCode
from everstep.client import RunFailed
from everstep.client.errors import NoAnswerError
from everstep.core.denials import (
    KeyNotFoundError,
    MissingScopeError,
    NoKeyError,
    RateExceededError,
    WorkflowNotAllowedError,
)
from everstep.core.errors import (
    CallbackGoneError,
    CallbackNotFoundError,
    EverstepError,
    IdempotencyConflictError,
    IllegalStateError,
    InvalidInputError,
    ReferenceConflictError,
    RequestError,
    RunNotFoundError,
    UnavailableError,
    UnknownWorkflowError,
)
from everstep.http.faults import NoSuchRouteError
from everstep.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Told = Callable[[Exception, str], tuple[str, ExitCode]]

_SIGN_IN: Final = "sign in again (aws sso login), or choose other credentials with --aws-profile"
_NO_CREDENTIALS: Final = (
    "there are no AWS credentials: choose a profile with --aws-profile or AWS_PROFILE, "
    "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
_ELSEWHERE: Final = "look at --stack, --table, --bucket, --region and --aws-profile"
_MENDS: Final[Mapping[str, str]] = {
    "AccessDenied": "let these credentials do it, or choose others with --aws-profile",
    "AccessDeniedException": "let these credentials do it, or choose others with --aws-profile",
    "UnrecognizedClientException": _SIGN_IN,
    "InvalidClientTokenId": _SIGN_IN,
    "InvalidAccessKeyId": _SIGN_IN,
    "InvalidSignatureException": _SIGN_IN,
    "SignatureDoesNotMatch": _SIGN_IN,
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "SSOTokenLoadError": _SIGN_IN,
    "TokenRetrievalError": _SIGN_IN,
    "UnauthorizedSSOTokenError": _SIGN_IN,
}
_USAGE: Final[Mapping[str, str]] = {
    "NoCredentialsError": _NO_CREDENTIALS,
    "PartialCredentialsError": "the AWS credentials are incomplete: set both "
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with --aws-profile",
    "InvalidRegionError": "this is no name of an AWS region: look at --region and AWS_REGION",
    "NoRegionError": "no AWS region is chosen: give --region, or set AWS_REGION",
    "ProfileNotFound": "the AWS configuration has no such profile: look at --aws-profile and "
    "AWS_PROFILE (aws configure list-profiles says what there is)",
}
_NO_ENTRY: Final = (
    "the API does not know who asks: look at --key, EVERSTEP_API_KEY or the profile's key, "
    "or sign with --auth iam"
)
_FORBIDDEN: Final = (
    "the API does not let you: look at the key and its scopes (or at --auth), and at --url, "
    "which ends with the stage"
)
_NOT_LET_IN: Final[Mapping[str, str]] = {
    "401": _NO_ENTRY,
    "unauthorized": _NO_ENTRY,
    "403": _FORBIDDEN,
    "forbidden": _FORBIDDEN,
}
_REFUSED: Final = (
    CallbackGoneError,
    IdempotencyConflictError,
    IllegalStateError,
    ReferenceConflictError,
    TooManyRunsError,
)
"""Typed as it should be, but the state of things does not allow it."""
_NOT_THERE: Final = (
    CallbackNotFoundError,
    KeyNotFoundError,
    RunNotFoundError,
    UnknownWorkflowError,
)
_MISSING: Final[Mapping[str, str]] = {
    "ResourceNotFoundException": "there is no such table",
    "NoSuchBucket": "there is no such bucket",
}


def explain(error: Exception, place: str = "") -> tuple[str, ExitCode]:
    """Return the line for an error, without the word ``error``, and the exit code.

    Args:
        error: What was raised.
        place: What the command was looking at, for example ``table orders``.
    """
    for kinds, told in _TOLD:
        if isinstance(error, kinds):
            return told(error, place)
    what = f"{type(error).__name__}: {error}"
    return f"unexpected {what}; everstep --debug … shows where", ExitCode.FAILED


def _plainly(exit_code: ExitCode) -> Told:
    return lambda error, _: (str(error), exit_code)


def _with_place(exit_code: ExitCode) -> Told:
    return lambda error, place: (_at(str(error), place), exit_code)


def _command(error: Any, _: str) -> tuple[str, ExitCode]:  # noqa: ANN401 - each is given its kind
    return str(error), error.exit_code


def _usage(error: Any, _: str) -> tuple[str, ExitCode]:  # noqa: ANN401 - the same
    message = error.format_message().rstrip(".")
    path = getattr(getattr(error, "ctx", None), "command_path", "everstep")
    said = f"{message[:1].lower()}{message[1:]}; {path} --help says what there is"
    return said, ExitCode.USAGE


def _no_answer(error: Exception, _: str) -> tuple[str, ExitCode]:
    mend = "try again; look at --url, --profile and the network"
    return f"the API does not answer ({error}); {mend}", ExitCode.FAILED


def _unavailable(error: Exception, _: str) -> tuple[str, ExitCode]:
    mend = "try again; look at --region, --endpoint-url and the network"
    return f"AWS does not answer ({error}); {mend}", ExitCode.FAILED


def _no_entry(_: Exception, place: str) -> tuple[str, ExitCode]:
    return _at(_NO_ENTRY, place), ExitCode.FAILED


def _no_route(error: Exception, place: str) -> tuple[str, ExitCode]:
    mend = "look at --url, which ends with the stage; or the deployment is an older one"
    return f"{_at(str(error), place)}; {mend}", ExitCode.FAILED


def _refused(error: Any, place: str) -> tuple[str, ExitCode]:  # noqa: ANN401 - the same
    if error.code in _MISSING:
        return f"{_at(_MISSING[error.code], place)}; {_ELSEWHERE}", ExitCode.NOT_FOUND
    if error.code in _USAGE:
        return f"{_USAGE[error.code]} ({error.operation})", ExitCode.USAGE
    if error.code in _NOT_LET_IN:
        return f"{_at(str(error), place)}; {_NOT_LET_IN[error.code]}", ExitCode.FAILED
    if error.code in _MENDS:
        return f"{_at(str(error), place)}; {_MENDS[error.code]}", ExitCode.FAILED
    return _at(str(error), place), ExitCode.FAILED


def _input(error: Any, _: str) -> tuple[str, ExitCode]:  # noqa: ANN401 - the same
    """Say what is wrong with an input, field by field."""
    fields = ((".".join(map(str, each.get("loc", ()))), each.get("msg")) for each in error.errors)
    return "; ".join([str(error), *(f"{where}: {what}" for where, what in fields)]), ExitCode.USAGE


def _at(message: str, place: str) -> str:
    return f"{message} ({place})" if place else message


_TOLD: Final[tuple[tuple[type[Exception] | tuple[type[Exception], ...], Told], ...]] = (
    (CommandError, _command),
    (typer.TyperException, _usage),
    (SettingsError, _plainly(ExitCode.USAGE)),
    (AdapterError, _refused),
    (RunFailed, _plainly(ExitCode.RUN_FAILED)),
    (NoAnswerError, _no_answer),
    (UnavailableError, _unavailable),
    (_NOT_THERE, _with_place(ExitCode.NOT_FOUND)),
    (NoKeyError, _no_entry),
    ((MissingScopeError, WorkflowNotAllowedError, RateExceededError), _plainly(ExitCode.FAILED)),
    (NoSuchRouteError, _no_route),
    (_REFUSED, _plainly(ExitCode.FAILED)),
    (InvalidInputError, _input),
    (RequestError, _plainly(ExitCode.USAGE)),
    (EverstepError, _plainly(ExitCode.FAILED)),
)
"""The first that an error is one of tells it."""
