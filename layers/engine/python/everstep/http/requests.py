"""What came in: an event of API Gateway (REST, proxy integration) as a typed request."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import unquote

from everstep.core.errors import (
    DefinitionError,
    InvalidRequestError,
    RunNotFoundError,
    UnknownWorkflowError,
)
from everstep.core.keys import check_name
from everstep.http.bodies import read_json
from everstep.http.faults import MalformedBodyError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from everstep.app.admission import Caller

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
        caller: The key that it came with; None where keys are off, and for calls that need none.
    """

    path: str
    parameters: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes
    context: LambdaContext
    caller: Caller | None = None

    def json(self, limit: int) -> Any:  # noqa: ANN401 - JSON
        """Return the body's data, see ``read_json``."""
        return read_json(self.body, self.headers.get("content-type"), limit)

    def one(self, name: str) -> str | None:
        """Return the value of a query parameter; None if it was not given."""
        values = self.query.get(name)
        return values[0] if values else None

    def all(self, name: str) -> Sequence[str]:
        """Return every value of a query parameter."""
        return self.query.get(name, ())

    def either(self, name: str) -> str | None:
        """Return a query parameter, or the header that says the same: ``Everstep-Some-Name``.

        Raises:
            InvalidRequestError: Both were given, and differ.
        """
        header = f"Everstep-{name.replace('_', '-').title()}"
        asked, told = self.one(name), self.headers.get(header.lower())
        if asked is not None and told is not None and asked != told:
            raise InvalidRequestError(
                f"the query parameter {name} and the header {header} name different "
                f"{'versions' if name == 'version' else 'values'}"
            )
        return told if asked is None else asked

    def number(self, name: str, default: int, highest: int) -> int:
        """Return a query parameter that is a whole number from 0.

        Raises:
            InvalidRequestError: It is none, or too high.
        """
        text = self.one(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < _SHOWN and int(text) <= highest):
            raise InvalidRequestError(
                f"{name} must be a whole number from 0 to {highest}, not {text[:_SHOWN]!r}"
            )
        return int(text)

    @property
    def actor(self) -> str | None:
        """Return who asks, as they call themselves in the header ``Everstep-Actor``."""
        return self.headers.get("everstep-actor")

    @property
    def who(self) -> str | None:
        """Return who asks: a key is proof, and goes before what is said."""
        return self.actor if self.caller is None else self.caller.who

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
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        body=_body(event),
        context=context,
    )


def unquoted(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the variable parts of a path, decoded."""
    return {name: unquote(value) for name, value in parameters.items()}


def check_query(
    query: Mapping[str, Sequence[str]],
    allowed: Collection[str],
    repeatable: Collection[str] = (),
) -> None:
    """Refuse parameters that a route does not know, and those given twice that may not be.

    Raises:
        InvalidRequestError: Naming the parameter and what is allowed.
    """
    for name, values in query.items():
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise InvalidRequestError(
                f"unknown query parameter {name[:_SHOWN]!r}; allowed here: {known}"
            )
        if len(values) > 1 and name not in repeatable:
            raise InvalidRequestError(f"query parameter {name} was given {len(values)} times")


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
