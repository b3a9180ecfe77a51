"""The rows of the table of calls: each says what it takes, what it answers, and what can go wrong.

What a route names is enforced by ``Route.answer``, and is what ``/openapi.json`` describes.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final

from everstep.core.records import dataclass
from everstep.http.contract import Nothing, Payload, read_body, read_headers, read_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from everstep.core.errors import EverstepError
    from everstep.http.contract import Asked
    from everstep.http.requests import Request

SMALL_BODY: Final = 16_384
"""Bytes of a body that carries no payload; a reason of a thousand characters fits, escaped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a route answers: a status, data that goes out as JSON, and headers of its own.

    Attributes:
        status: Of HTTP.
        body: What goes out as JSON; None for nothing.
        headers: Beside those that every answer has.
        tagged: Whether it goes out with an entity tag, and not at all to whoever has it.
    """

    status: int = 200
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    tagged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One call of the API.

    Attributes:
        method: GET, POST, PUT or DELETE; HEAD comes with GET by itself.
        rule: The path, its variable parts as ``<name>``.
        call: Answers a request; ``request.given(Model)`` is what the request says.
        summary: What it does, in one line.
        answers: By status, the name of a model of ``everstep.http.answers``; empty for no body.
            By name, because only ``/openapi.json`` has a use for the models.
        query: The query parameters that it knows; any other is refused.
        headers: The headers that it knows; others mean nothing to it.
        body: What its body is; None if it has none.
        largest: Most bytes of its body.
        problems: What it can be refused with, beside what every call can.
    """

    method: str
    rule: str
    call: Callable[[Request], Reply]
    summary: str
    answers: Mapping[int, str]
    query: type[Asked] = Nothing
    headers: type[Asked] = Nothing
    body: type[Asked | Payload] | None = None
    largest: int = SMALL_BODY
    problems: tuple[type[EverstepError], ...] = ()

    def answer(self, request: Request) -> Reply:
        """Check what a request says against the models, and answer it.

        Raises:
            EverstepError: Whatever is wrong; ``problems`` has the table.
        """
        said: list[Asked | Payload] = [
            read_query(self.query, request.query),
            read_headers(self.headers, request.headers),
        ]
        if self.body is not None:
            said.append(read_body(self.body, request.json(self.largest)))
        return self.call(replace(request, said=tuple(said)))
