"""What requests may say: models of queries, headers and bodies, and how they are read.

The same models are what is enforced and what ``/openapi.json`` describes. Each is built when it is
first needed, because building one takes longer than answering most requests.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, TypeVar, cast

from annotated_types import Ge, Le
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, RootModel, ValidationError
from pydantic_core import PydanticCustomError

from everstep.http.faults import wrong_request

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

    from everstep.core.errors import EverstepError

SHOWN: Final = 60
"""Characters that are repeated of something wrong."""
_DIGITS: Final = 18
_SHOULD: Final = re.compile(r"^(Input|String|List|Tuple|Value|Number) should ")


class Asked(BaseModel):
    """Something that a request says, strictly: what a model does not name is refused.

    Attributes:
        repeatable: Query parameters that may be given several times.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
    repeatable: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def refused(cls, name: str, said: str, errors: Sequence[Mapping[str, Any]]) -> EverstepError:
        """Return the error for a part that is wrong.

        Args:
            name: The part, as the caller knows it.
            said: What is wrong with it, and what is allowed.
            errors: Every mistake, for programs.
        """
        del name
        return wrong_request(said, errors)


class Nothing(Asked):
    """No query parameters, no headers, or an empty object."""


class Payload(RootModel[Any]):
    """Any JSON, which the workflow's own types check; nothing is null."""

    model_config = ConfigDict(frozen=True, defer_build=True)


M = TypeVar("M", bound=Asked)


def _digits(value: object) -> object:
    """Take whole numbers as people write them, and not as Python would."""
    if isinstance(value, str):
        if not (value.isascii() and value.isdigit() and len(value) <= _DIGITS):
            raise PydanticCustomError("whole_number", "must be a whole number")
        return int(value)
    return value


def _instant(value: object) -> object:
    """Take ISO 8601 only: pydantic would read numbers as seconds since 1970."""
    said = "must be a time with its zone such as 2026-01-31T12:00:00Z"
    if not isinstance(value, str):
        return value
    try:
        when = datetime.fromisoformat(value)
    except ValueError as error:
        raise PydanticCustomError("instant", said) from error
    if when.utcoffset() is None:
        raise PydanticCustomError("instant", said)
    return when


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError as error:
        raise PydanticCustomError("seconds", "must be a number of seconds") from error


def _dollars(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError as error:
        raise PydanticCustomError("dollars", "must be an amount of dollars") from error


# Put after the bounds of a number, which hold for what these make of a text.
DIGITS: Final = BeforeValidator(_digits)
SECONDS: Final = BeforeValidator(_seconds)
DOLLARS: Final = BeforeValidator(_dollars)
Instant = Annotated[datetime, BeforeValidator(_instant)]
IdempotencyKey = Annotated[
    str,
    Field(min_length=1, max_length=255, description="The same key does the same thing only once."),
]


def read_query(model: type[M], query: Mapping[str, Sequence[str]]) -> M:
    """Return what a query says.

    Raises:
        EverstepError: As the model says, naming the parameter and what is allowed.
    """
    if not query and not _required(model):
        return cast("M", model.model_construct())
    for name, values in query.items():
        if len(values) > 1 and name in model.model_fields and name not in model.repeatable:
            said = f"query parameter {name} was given {len(values)} times"
            raise wrong_request(said, [{"loc": ["query", name], "msg": said, "type": "twice"}])
    given = {
        name: tuple(values) if name in model.repeatable else values[0]
        for name, values in query.items()
    }
    return _checked(model, given, "query parameter")


def read_headers(model: type[M], headers: Mapping[str, str]) -> M:
    """Return what those headers say that a model knows.

    Args:
        model: Its fields are called like the headers, with ``_`` for ``-``.
        headers: By lower-case name.

    Raises:
        EverstepError: As the model says, naming the header and what is allowed.
    """
    given = {name: headers.get(name.replace("_", "-")) for name in model.model_fields}
    given = {name: value for name, value in given.items() if value is not None}
    return _checked(model, given, "header") if given else cast("M", model.model_construct())


def read_body(model: type[Asked | Payload], data: object) -> Asked | Payload:
    """Return what a body says; none says the same as an empty object.

    Raises:
        EverstepError: As the model says, naming the field and what is allowed.
    """
    if not issubclass(model, Asked):
        return model.model_construct(data)
    if data is not None and not isinstance(data, dict):
        known = ", ".join(sorted(model.model_fields))
        empty = "" if _required(model) else ", or empty"
        said = (
            f"the body may be an object with {known}{empty}" if known else "there must be no body"
        )
        raise wrong_request(said, [{"loc": ["body"], "msg": said, "type": "object"}])
    return _checked(model, data or {}, "field")


def header_name(field: str) -> str:
    """Return a header as people write it: ``Idempotency-Key``."""
    return field.replace("_", "-").title()


def _required(model: type[Asked]) -> bool:
    return any(field.is_required() for field in model.model_fields.values())


def _checked(model: type[M], data: Mapping[str, object], what: str) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        name = str(found[0]["loc"][0])
        place = {"query parameter": "query", "field": "body"}.get(what, what)
        errors = [_mistake(each, place) for each in found]
        raise model.refused(name, _said(found[0], what, model), errors) from error


def _mistake(error: ErrorDetails, place: str) -> dict[str, Any]:
    """Return a mistake as it goes out, without what was given: that may be long, or a secret."""
    first, *others = error["loc"]
    named = header_name(str(first)) if place == "header" else first
    return {"loc": [place, named, *others], "msg": error["msg"], "type": error["type"]}


def _said(error: ErrorDetails, what: str, model: type[Asked]) -> str:
    name = ".".join(part for part in error["loc"] if isinstance(part, str))
    shown = header_name(name) if what == "header" else name
    if error["type"] == "extra_forbidden":
        known = ", ".join(sorted(model.model_fields)) or "none"
        return f"unknown {what} {shown[:SHOWN]!r}; allowed here: {known}"
    if error["type"] == "missing":
        return f"{what} {shown} is missing"
    message = _range(error, model) or _SHOULD.sub("must ", error["msg"])
    return f"{shown} {message}, not {_given(error['input'])}"


def _range(error: ErrorDetails, model: type[Asked]) -> str | None:
    """Return what a number may be that has both bounds; pydantic would tell of one of them."""
    limits = {type(each): each for each in model.model_fields[str(error["loc"][0])].metadata}
    lowest, highest = limits.get(Ge), limits.get(Le)
    if not isinstance(lowest, Ge) or not isinstance(highest, Le):
        return None
    return f"must be a whole number from {lowest.ge} to {highest.le}"


def _given(value: object) -> str:
    """Return what was given, if it is short enough to be recognised."""
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
