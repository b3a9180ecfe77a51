"""The one place where errors become a line on standard error and an exit code.

A line says what is wrong, where, and how to mend it. What nobody foresaw keeps its class and
message, and the hint at ``--debug``, which shows the traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import typer

from everstep.adapters.errors import AdapterError
from everstep.cli.exits import CommandError, ExitCode
from everstep.core.errors import (
    EverstepError,
    RequestError,
    RunNotFoundError,
    UnavailableError,
    UnknownWorkflowError,
)
from everstep.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIGN_IN: Final = "sign in again (aws sso login), or choose other credentials with --profile"
_NO_CREDENTIALS: Final = (
    "there are no AWS credentials: choose a profile with --profile or AWS_PROFILE, "
    "or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
_ELSEWHERE: Final = "look at --stack, --table, --bucket, --region and --profile"
_MENDS: Final[Mapping[str, str]] = {
    "AccessDenied": "let these credentials do it, or choose others with --profile",
    "AccessDeniedException": "let these credentials do it, or choose others with --profile",
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
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or choose a profile with --profile",
    "InvalidRegionError": "this is no name of an AWS region: look at --region and AWS_REGION",
    "NoRegionError": "no AWS region is chosen: give --region, or set AWS_REGION",
    "ProfileNotFound": "the AWS configuration has no such profile: look at --profile and "
    "AWS_PROFILE (aws configure list-profiles says what there is)",
}
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
    match error:
        case CommandError():
            return str(error), error.exit_code
        case typer.TyperException():
            return _usage(error), ExitCode.USAGE
        case SettingsError():
            return str(error), ExitCode.USAGE
        case AdapterError():
            return _refused(error, place)
        case UnavailableError():
            mend = "try again; look at --region, --endpoint-url and the network"
            return f"AWS does not answer ({error}); {mend}", ExitCode.FAILED
        case RunNotFoundError() | UnknownWorkflowError():
            return _at(str(error), place), ExitCode.NOT_FOUND
        case RequestError():
            return str(error), ExitCode.USAGE
        case EverstepError():
            return str(error), ExitCode.FAILED
        case _:
            what = f"{type(error).__name__}: {error}"
            return f"unexpected {what}; everstep --debug … shows where", ExitCode.FAILED


def _usage(error: typer.TyperException) -> str:
    message = error.format_message().rstrip(".")
    path = getattr(getattr(error, "ctx", None), "command_path", "everstep")
    return f"{message[:1].lower()}{message[1:]}; {path} --help says what there is"


def _refused(error: AdapterError, place: str) -> tuple[str, ExitCode]:
    if error.code in _MISSING:
        return f"{_at(_MISSING[error.code], place)}; {_ELSEWHERE}", ExitCode.NOT_FOUND
    if error.code in _USAGE:
        return f"{_USAGE[error.code]} ({error.operation})", ExitCode.USAGE
    if error.code in _MENDS:
        return f"{_at(str(error), place)}; {_MENDS[error.code]}", ExitCode.FAILED
    return _at(str(error), place), ExitCode.FAILED


def _at(message: str, place: str) -> str:
    return f"{message} ({place})" if place else message
