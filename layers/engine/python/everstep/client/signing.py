"""Every request signed, for an API that lets in whom IAM allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx

from everstep.adapters.signing import signed_headers
from everstep.core.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Generator

_SIGNED: Final = ("content-type", "everstep-actor", "idempotency-key")


class SignedByAws(httpx.Auth):
    """Sign each request, also a repeated one, with the credentials of a session."""

    requires_request_body = True

    def __init__(self, session: Any) -> None:  # noqa: ANN401 - boto3 has no types of its own
        """Take the credentials and the region of a ``boto3.Session``.

        Raises:
            InvalidRequestError: It has none.
        """
        self._credentials = session.get_credentials()
        self._region = session.region_name
        if self._credentials is None or self._region is None:
            raise InvalidRequestError("to sign requests the session needs credentials and a region")

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add the signature to a request."""
        named = {name: request.headers[name] for name in _SIGNED if name in request.headers}
        signed = signed_headers(
            self._credentials,
            self._region,
            method=request.method,
            url=str(request.url),
            headers=named,
            body=request.content,
        )
        request.headers.update(signed)
        yield request
