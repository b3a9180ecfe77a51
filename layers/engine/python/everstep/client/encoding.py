"""Python values as the JSON data that the API validates: models, dataclasses, dates, secrets."""

from __future__ import annotations

import math
from functools import lru_cache
from inspect import Parameter
from typing import TYPE_CHECKING, Any, Final

from pydantic import SecretBytes, SecretStr, TypeAdapter
from pydantic_core import PydanticSerializationError

from everstep.core.errors import InvalidInputError

if TYPE_CHECKING:
    from everstep.authoring.workflows import Workflow

_KEPT: Final = 256


def input_of(workflow: Workflow[Any, Any], value: object) -> Any:  # noqa: ANN401 - JSON
    """Return a workflow's input as JSON data.

    Raises:
        InvalidInputError: It does not fit the workflow; the errors are those of the trigger.
    """
    if not workflow.takes_input:
        return data_of(value)
    checked = workflow.input.validate(value, from_json=False)
    return _data(_adapter(workflow.input.annotation), checked)


def data_of(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return any value as JSON data, by its own type.

    Raises:
        InvalidInputError: It has no form in JSON.
    """
    return _data(_adapter(Any), value)


def _data(adapter: TypeAdapter[Any], value: object) -> Any:  # noqa: ANN401 - JSON
    try:
        # By name, and not by alias: the other side reads both, but has other aliases for writing.
        parts = adapter.dump_python(value, round_trip=True, by_alias=False)
        data = adapter.dump_python(value, round_trip=True, by_alias=False, mode="json")
    except (PydanticSerializationError, ValueError) as error:
        raise InvalidInputError(
            f"a {type(value).__qualname__} cannot be sent as JSON: {type(error).__name__}"
        ) from error
    return _faithful(parts, data)


def _faithful(parts: object, data: Any) -> Any:  # noqa: ANN401 - JSON
    """Put back what pydantic masks wherever it writes JSON, and refuse what it drops."""
    match parts:
        case float() if not math.isfinite(parts):
            raise InvalidInputError(f"{parts} cannot be sent as JSON")
        case SecretStr():
            return parts.get_secret_value()
        case SecretBytes():
            return parts.get_secret_value().decode()
        case dict():
            pairs = zip(parts.values(), data.items(), strict=True)
            return {name: _faithful(part, item) for part, (name, item) in pairs}
        case list() | tuple():
            return [_faithful(*both) for both in zip(parts, data, strict=True)]
        case _:
            return data


@lru_cache(maxsize=_KEPT)
def _cached(annotation: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - whatever can be annotated
    return TypeAdapter(annotation)


def _adapter(annotation: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - whatever can be annotated
    unknown = annotation is Parameter.empty
    try:
        return _cached(Any if unknown else annotation)
    except TypeError:
        return TypeAdapter(annotation)
