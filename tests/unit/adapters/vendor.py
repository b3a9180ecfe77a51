"""Clients that misbehave in the ways that AWS and the network do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from collections.abc import Callable

URL: Final = "https://aws.invalid"


def refusal(code: str, status: int = 400) -> ClientError:
    """Return the error that a service answers with."""
    return ClientError(
        {
            "Error": {"Code": code, "Message": f"about {code}"},
            "ResponseMetadata": {
                "HTTPStatusCode": status,
                "RequestId": "request",
                "HostId": "host",
                "HTTPHeaders": {},
                "RetryAttempts": 0,
            },
        },
        "Operation",
    )


PASSING: Final[dict[str, Exception]] = {
    **{
        code: refusal(code)
        for code in (
            "InternalServerError",
            "KmsThrottled",
            "OverLimit",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestTimeout",
            "SlowDown",
            "ThrottlingException",
            "TransactionConflictException",
            "TransactionInProgressException",
        )
    },
    "unheard of, 503": refusal("NobodyKnows", 503),
    "unheard of, 429": refusal("NobodyKnows", 429),
    "connect time-out": ConnectTimeoutError(endpoint_url=URL),
    "connection closed": ConnectionClosedError(endpoint_url=URL),
    "credentials not fetched": CredentialRetrievalError(provider="role", error_msg="slow"),
    "half an answer": ResponseParserError("no XML"),
    "no endpoint": EndpointConnectionError(endpoint_url=URL),
    "read time-out": ReadTimeoutError(endpoint_url=URL),
}
LASTING: Final[dict[str, Exception]] = {
    **{
        code: refusal(code)
        for code in (
            "AWS.SimpleQueueService.NonExistentQueue",
            "AccessDenied",
            "AccessDeniedException",
            "NoSuchBucket",
            "ResourceNotFoundException",
            "UnrecognizedClientException",
            "ValidationException",
        )
    },
    "no code at all": ClientError({}, "Operation"),
    "no credentials": NoCredentialsError(),
    "wrong parameters": ParamValidationError(report="DelaySeconds"),
}


class BrokenClient:
    """Raise the same error from every call."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(**_: object) -> object:
            raise self._error

        return call


class LossyClient:
    """Lose the first answer to each kind of request and send the request again, as botocore does.

    The caller gets the second answer, of a service that has done the work already.
    """

    def __init__(self, client: object) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(**request: object) -> object:
            method: Callable[..., object] = getattr(self._client, name)
            method(**request)
            return method(**request)

        return call


class CountingClient:
    """Note every request on its way to the real client."""

    def __init__(self, client: object) -> None:
        self._client = client
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(**request: object) -> object:
            self.requests.append((name, dict(request)))
            answer: object = getattr(self._client, name)(**request)
            return answer

        return call

    @property
    def names(self) -> list[str]:
        """Return the requests by name, and forget them."""
        names = [name for name, _ in self.requests]
        self.requests.clear()
        return names


class ScriptedClient:
    """Answer every call with the next of the given answers; an exception is raised."""

    def __init__(self, *answers: object) -> None:
        self._answers = list(answers)
        self.requests: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., object]:
        def call(**request: object) -> object:
            self.requests.append((name, request))
            answer = self._answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call
