"""What came in: an event of API Gateway (REST, proxy integration) as a typed request."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from urllib.parse import unquote

from everstep.core.errors import (
    DefinitionError,
    RunNotFoundError,
    UnknownWorkflowError,
)
from everstep.core.keys import check_name
from everstep.core.records import dataclass
from everstep.http.bodies import read_json
from everstep.http.faults import HeadersTooLargeError, MalformedBodyError, UriTooLongError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from everstep.app.admission import Caller
    from everstep.http.contract import Asked, Payload

M = TypeVar("M", bound="Asked | Payload")
LONGEST_PATH: Final = 2048
LONGEST_QUERY: Final = 8192
LARGEST_HEADERS: Final = 16_384
"""Characters; API Gateway lets fewer through."""
_RUN_ID: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_SHOWN: Final = 60


class LambdaContext(Protocol):
    """What is used of the context that Lambda gives to a handler."""

    @property
    def aws_request_id(self) -> str:
        """Return the id of this invocation, as the logs show it."""

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request.

    Attributes:
        path: The path below the stage, as the caller wrote it.
        parameters: The variable parts of the path, decoded once.
        query: Query parameters, each with every value it was given.
        headers: Headers by lower-case name; of several values the last.
        body: The bytes of the body.
        context: Lambda's context.
        said: What query, headers and body say, checked by the models of the route.
        caller: The key that it came with; None where keys are off, and for calls that need none.
    """

    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    context: LambdaContext
    said: tuple[Asked | Payload, ...] = ()
    caller: Caller | None = None

    def json(self, limit: int) -> Any:  # noqa: ANN401 - JSON
        """Return the body's data, see ``read_json``."""
        return read_json(self.body, self.headers.get("content-type"), limit)

    def given(self, model: type[M]) -> M:
        """Return what the request says of something that its route names.

        Raises:
            LookupError: The route does not name it.
        """
        for each in self.said:
            if isinstance(each, model):
                return each
        raise LookupError(f"the route does not name {model.__name__}")

    @property
    def run_id(self) -> str:
        """Return the run that the path names.

        Raises:
            RunNotFoundError: It cannot be the id of a run.
        """
        run_id = self.parameters["run_id"]
        if _RUN_ID.fullmatch(run_id) is None:
            raise RunNotFoundError(run_id[:_SHOWN])
        return run_id

    @property
    def workflow(self) -> str:
        """Return the workflow that the path names.

        Raises:
            UnknownWorkflowError: It cannot be the name of a workflow.
        """
        try:
            return check_name(self.parameters["workflow"], "the name of a workflow")
        except DefinitionError as error:
            raise UnknownWorkflowError(str(error)) from error


def read_request(
    event: Mapping[str, Any], context: LambdaContext, parameters: Mapping[str, str]
) -> Request:
    """Return the request of an event.

    Raises:
        MalformedBodyError: The body cannot be taken out of the event.
    """
    return Request(
        path=event["path"],
        parameters=unquoted(parameters),
        query=_query(event),
        headers=headers_of(event),
        body=_body(event),
        context=context,
    )


def headers_of(event: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the headers of an event by lower-case name."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def unquoted(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the variable parts of a path, decoded."""
    return {name: unquote(value) for name, value in parameters.items()}


def check_sizes(request: Request) -> None:
    """Refuse what is larger than anything that means something, before it is looked at.

    Raises:
        UriTooLongError: The path or the query.
        HeadersTooLargeError: The headers.
    """
    query = sum(len(name) + len(each) + 2 for name, all_ in request.query.items() for each in all_)
    for what, size, limit in (
        ("path", len(request.path), LONGEST_PATH),
        ("query", query, LONGEST_QUERY),
    ):
        if size > limit:
            raise UriTooLongError(f"the {what} has {size} characters, the limit is {limit}")
    size = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
    if size > LARGEST_HEADERS:
        raise HeadersTooLargeError(
            f"the headers have {size} characters, the limit is {LARGEST_HEADERS}"
        )


def _query(event: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    several = event.get("multiValueQueryStringParameters")
    if several:
        return dict(several)
    return {name: [value] for name, value in (event.get("queryStringParameters") or {}).items()}


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            return base64.b64decode(text, validate=True)
        return str(text).encode()
    except binascii.Error as error:
        raise MalformedBodyError("the body is not the base64 that it is said to be") from error
    except UnicodeEncodeError as error:
        raise MalformedBodyError("the body is not UTF-8") from error
