"""Calls of the services that the examples talk to: what is refused for good is not asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from everstep import NonRetryable, step_context
from workflows.outgoing import ForbiddenAddressError, HttpStatusError, request_json

if TYPE_CHECKING:
    from pydantic import HttpUrl


class RefusedError(NonRetryable):
    """The service has understood, and says no.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, error: HttpStatusError) -> None:
        """Keep the status."""
        self.status = error.status
        super().__init__(str(error))


def call(
    method: str,
    service: HttpUrl,
    *path: str,
    body: object = None,
    query: str = "",
) -> Any:  # noqa: ANN401 - JSON
    """Call a service from a step, under the step's idempotency key.

    Args:
        method: HTTP method.
        service: Base address.
        *path: Segments behind it, which may hold any character.
        body: Sent as JSON, if given.
        query: Sent as it is.

    Raises:
        RefusedError: The service says no; asking again is of no use.
        NonRetryable: The address is none that may be called.
        HttpStatusError: The service is in trouble, or wants to be asked again later.
        OSError: The service could not be reached.
    """
    url = "/".join([str(service).rstrip("/"), *(quote(part, safe="") for part in path)])
    key = step_context().idempotency_key
    try:
        return request_json(method, f"{url}?{query}" if query else url, body, key=key)
    except ForbiddenAddressError as error:
        raise NonRetryable(str(error)) from error
    except HttpStatusError as error:
        if error.final:
            raise RefusedError(error) from error
        raise
