"""Errors as problem details (RFC 9457): one table from error to status, type and title."""

from __future__ import annotations

from typing import Any, Final

from everstep.adapters.errors import MissingBlobError
from everstep.app.capacity import TooManyRunsError
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
    InvalidOptionError,
    InvalidRequestError,
    PayloadTooLargeError,
    ReferenceConflictError,
    RunNotFoundError,
    UnavailableError,
    UnknownWorkflowError,
)
from everstep.core.masking import BY_NAME, Masking
from everstep.core.records import dataclass
from everstep.http.faults import (
    AnswerTooLargeError,
    HeadersTooLargeError,
    MalformedBodyError,
    MethodNotAllowedError,
    NoSuchRouteError,
    UnsupportedMediaTypeError,
    UriTooLongError,
)

MEDIA_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = 2
"""Seconds after which to repeat a request that no service answered."""
TYPE: Final = "urn:everstep:problem:"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its status, the last word of its type, and its title."""

    status: int
    name: str
    title: str


TABLE: Final[dict[type[EverstepError], Kind]] = {
    MalformedBodyError: Kind(400, "malformed-body", "The body is not valid JSON"),
    InvalidRequestError: Kind(400, "invalid-request", "A parameter is wrong"),
    NoKeyError: Kind(401, "no-key", "An API key is needed"),
    MissingScopeError: Kind(403, "missing-scope", "The key does not allow this"),
    WorkflowNotAllowedError: Kind(403, "workflow-not-allowed", "The key is for other workflows"),
    UnknownWorkflowError: Kind(404, "unknown-workflow", "There is no such workflow"),
    RunNotFoundError: Kind(404, "run-not-found", "There is no such run"),
    KeyNotFoundError: Kind(404, "key-not-found", "There is no such key"),
    CallbackNotFoundError: Kind(404, "callback-not-found", "There is no such callback"),
    NoSuchRouteError: Kind(404, "not-found", "There is nothing here"),
    MethodNotAllowedError: Kind(405, "method-not-allowed", "This method is not possible here"),
    IdempotencyConflictError: Kind(
        409, "idempotency-conflict", "The idempotency key was used with another input"
    ),
    ReferenceConflictError: Kind(
        409, "reference-conflict", "A run that has not ended has this reference id"
    ),
    IllegalStateError: Kind(409, "illegal-state", "The run's status does not allow this"),
    CallbackGoneError: Kind(410, "callback-gone", "Nobody waits for this callback any more"),
    MissingBlobError: Kind(410, "payload-missing", "A payload that is recorded is gone"),
    PayloadTooLargeError: Kind(413, "payload-too-large", "The payload is too large"),
    UriTooLongError: Kind(414, "uri-too-long", "The path or the query is too long"),
    UnsupportedMediaTypeError: Kind(
        415, "unsupported-media-type", "The body is of an unsupported type"
    ),
    InvalidInputError: Kind(422, "invalid-input", "The input does not fit the workflow"),
    InvalidOptionError: Kind(422, "invalid-option", "An option of the start is wrong"),
    AnswerTooLargeError: Kind(422, "answer-too-large", "The answer is too large"),
    HeadersTooLargeError: Kind(431, "headers-too-large", "The headers are too large"),
    TooManyRunsError: Kind(429, "too-many-runs", "Too many runs have not ended"),
    RateExceededError: Kind(429, "rate-exceeded", "The key has made too many calls"),
    UnavailableError: Kind(503, "unavailable", "A service did not answer"),
}
INTERNAL: Final = Kind(500, "internal", "Something went wrong on the server")
_SAID_OF: Final = {
    INTERNAL.name: "the cause is in the function's log, under the request id",
    # The error's own text names the service and its answer: for the log, not for callers.
    "unavailable": "nothing is known of what became of the request; the same request again is "
    "harmless, and starts no second run if it carries the same Idempotency-Key",
    # Where it was is of no use to callers, and what becomes of the run is not theirs to mend.
    "payload-missing": "a large value of this run is recorded, but is not in the payload bucket "
    "any more; `everstep doctor` says which, and what the run can still do",
}


_OF_KEYS: Final = (401, 403)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A problem as it goes out."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


def problem(error: Exception, request_id: str, masking: Masking = BY_NAME) -> Problem:
    """Return what a caller is told of an error; nothing of the server's insides, no secrets."""
    kind = kind_of(error)
    body: dict[str, Any] = {
        "type": TYPE + kind.name,
        "title": kind.title,
        "status": kind.status,
        "detail": _SAID_OF.get(kind.name) or _text(error, kind, masking),
        "request_id": request_id,
    }
    return Problem(status=kind.status, body=body | _members(error), headers=_headers(error))


def _text(error: Exception, kind: Kind, masking: Masking) -> str:
    """Return what an error says; how to send a key is no key."""
    return str(error) if kind.status in _OF_KEYS else masking.text(str(error))


def kind_of(error: Exception) -> Kind:
    """Return the kind of an error, by its class or the nearest class above it."""
    return kind_of_class(type(error))


def kind_of_class(error: type[Exception]) -> Kind:
    """Return the kind of the errors of a class."""
    return next((TABLE[each] for each in error.__mro__ if each in TABLE), INTERNAL)


def _members(error: Exception) -> dict[str, Any]:
    """Return what belongs to this error alone."""
    match error:
        case InvalidInputError():
            return {"errors": list(error.errors)}
        case InvalidRequestError():
            return {"errors": list(error.errors)} if error.errors else {}
        case InvalidOptionError():
            return {"parameter": error.parameter}
        case IdempotencyConflictError() | ReferenceConflictError() | RunNotFoundError():
            return {"run_id": error.run_id}
        case MissingScopeError():
            return {"needs": error.needs}
        case PayloadTooLargeError():
            return {"size": error.size, "limit": error.limit}
        case TooManyRunsError():
            return {
                "setting": error.setting,
                "limit": error.limit,
                "workflow": error.workflow,
                "retry_after": error.retry_after,
            }
        case _:
            return {}


def _headers(error: Exception) -> dict[str, str]:
    match error:
        case MethodNotAllowedError():
            return {"Allow": error.allow}
        case UnavailableError():
            return {"Retry-After": str(RETRY_AFTER)}
        case TooManyRunsError():
            return {"Retry-After": str(error.retry_after)}
        case RateExceededError():
            return {"Retry-After": str(error.seconds)}
        case NoKeyError():
            return {"WWW-Authenticate": "Bearer"}
        case _:
            return {}
