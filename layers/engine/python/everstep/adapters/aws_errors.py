"""The one place where exceptions of botocore become the engine's own.

What passes by itself (throttling, server errors, time-outs, broken connections) becomes
``UnavailableError``; everything else is a fault of configuration or code and becomes
``AdapterError``. Nothing is retried here: the client does that, as it is configured.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError
from botocore.parsers import ResponseParserError

from everstep.adapters.errors import AdapterError
from everstep.core.errors import EverstepError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

CONDITION_FAILED: Final = "ConditionalCheckFailedException"
TRANSACTION_CANCELLED: Final = "TransactionCanceledException"
NO_SUCH_KEY: Final = "NoSuchKey"

_PASSES: Final = frozenset(
    {
        # Throttling, by the names that the services have for it.
        "KMS.ThrottlingException",
        "KmsThrottled",
        "OverLimit",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        # Somebody else writes the same item at this moment.
        "ReplicatedWriteConflictException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        # The service itself.
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500
# No answer, or half of one: the call may have happened.
_CONNECTION_FAULTS: Final = (
    BotoConnectionError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    ResponseParserError,
)


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Turn what botocore raises inside the block into ``UnavailableError`` or ``AdapterError``.

    Args:
        operation: Names the call in messages, for example ``DynamoDB PutItem``.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(operation, error) from error
    except _CONNECTION_FAULTS as error:
        raise UnavailableError(f"{operation}: {type(error).__name__}: {error}") from error
    except BotoCoreError as error:
        raise AdapterError(operation, type(error).__name__, str(error)) from error


def _refused(operation: str, error: ClientError) -> EverstepError:
    answer = error.response
    code = answer.get("Error", {}).get("Code", "Unknown")
    message = answer.get("Error", {}).get("Message", "")
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _PASSES or status >= _SERVER_ERROR or status == _TOO_MANY_REQUESTS:
        return UnavailableError(f"{operation}: {code}: {message}")
    return AdapterError(operation, code, message)
