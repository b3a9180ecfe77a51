"""What goes wrong only over HTTP; they hang in the tree of ``core.errors`` under RequestError."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from everstep.core.errors import InvalidRequestError, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def wrong_request(said: str, errors: Iterable[Mapping[str, Any]]) -> InvalidRequestError:
    """Return the error for a part of a request that is wrong.

    Args:
        said: What is wrong, and what is allowed.
        errors: Every mistake: ``loc`` (where), ``msg`` (what) and ``type``.
    """
    error = InvalidRequestError(said)
    error.errors = list(errors)
    return error


class MalformedBodyError(RequestError):
    """Say why a body is not the JSON that this API takes."""


class UnsupportedMediaTypeError(RequestError):
    """Say that a body is of a type that this API does not read."""


class NoSuchRouteError(RequestError):
    """Say that there is nothing at this path."""


class MethodNotAllowedError(RequestError):
    """Say that a path does not have this method.

    Attributes:
        allow: The methods that it has, as the Allow header lists them.
    """

    def __init__(self, method: str, methods: Iterable[str]) -> None:
        """Name the method, and those that there are."""
        self.allow = ", ".join(methods)
        super().__init__(f"{method} is not possible here; allowed: {self.allow}")


class AnswerTooLargeError(RequestError):
    """Say that an answer is larger than Lambda lets through, and what to ask for instead."""


class UriTooLongError(RequestError):
    """Say that a path or a query is longer than any that means something."""


class HeadersTooLargeError(RequestError):
    """Say that the headers are larger than any that mean something."""
