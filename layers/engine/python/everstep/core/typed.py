"""Values of annotations that are not plain data: what pydantic does for ``shapes``.

The only module of the core that needs pydantic. It is loaded when a typed value is first at hand:
importing pydantic takes longer than all of the core, and many workflows do without it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from everstep.core import codec
from everstep.core.errors import DefinitionError, InvalidInputError, SerializationError

_INPUT_VALUE: Final = re.compile(r"input_value=.*?, (?=input_type=)", re.DOTALL)


class Typed:
    """An annotation at work, by pydantic's rules."""

    def __init__(self, annotation: Any, name: str) -> None:  # noqa: ANN401 - whatever can be annotated
        """Make the (costly) adapter.

        Args:
            annotation: What values are.
            name: The annotation as a person would write it.

        Raises:
            DefinitionError: Its values cannot be recorded; the message says why.
        """
        self._name = name
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(annotation)
        except PydanticUserError as error:
            raise DefinitionError(f"values of {name} cannot be recorded: {error}") from error

    def encode(self, value: object) -> str:
        """Return the recorded text of a value.

        Raises:
            SerializationError: The value does not fit the annotation, cannot be recorded, or
                would come back as something else.
        """
        try:
            parts = self._adapter.dump_python(
                value, round_trip=True, by_alias=False, warnings="error"
            )
        except PydanticSerializationError as error:
            raise SerializationError(
                f"a {type(value).__qualname__} does not fit the annotation {self._name}: "
                f"{_without_values(error)}"
            ) from error
        text = codec.encode(parts, as_json)
        self._check_restored(value, text)
        return text

    def _check_restored(self, value: object, text: str) -> None:
        """Make sure that nothing is lost: a subclass, an excluded field, a member of a union."""
        advice = (
            f"a {type(value).__qualname__} would not come back from the annotation {self._name} as "
            "it was: annotate the exact type of every part, with a discriminator where several "
            "models look alike, and exclude no fields"
        )
        try:
            back = self.restore(codec.decode(text))
        except SerializationError as error:
            raise SerializationError(f"{advice} ({error})") from error
        if not _alike(value, back):
            raise SerializationError(advice)

    def restore(self, parts: object) -> Any:  # noqa: ANN401 - the annotation says it
        """Return the value that ``encode`` took apart.

        Raises:
            SerializationError: What was recorded does not fit today's annotation.
        """
        try:
            # Strict models check what comes from outside; what is read here was recorded by us.
            return self._adapter.validate_python(parts, strict=False, by_alias=True, by_name=True)
        except ValidationError as error:
            raise SerializationError(
                f"what was recorded no longer fits the annotation {self._name}: {_places(error)}"
            ) from error

    def validate(self, value: object, *, from_json: bool) -> Any:  # noqa: ANN401 - the annotation says it
        """Return foreign data as a value of the annotation.

        Raises:
            InvalidInputError: With one entry per field that is wrong.
        """
        try:
            if from_json:
                return self._adapter.validate_json(codec.dumps(value), by_alias=True, by_name=True)
            return self._adapter.validate_python(value, by_alias=True, by_name=True)
        except SerializationError as error:
            raise InvalidInputError(str(error)) from error
        except ValidationError as error:
            raise InvalidInputError(_summary(error), _field_errors(error)) from error

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the annotation."""
        return self._adapter.json_schema()


def as_json(value: object, path: str) -> object:
    """Return what the codec does not know as data, as pydantic reads it back.

    Raises:
        SerializationError: It cannot be recorded.
    """
    try:
        return to_jsonable_python(value)
    except PydanticSerializationError:
        return codec.refuse(value, path)


def by_value(value: object, path: str) -> object:
    """Return what the codec does not know as data for hashing, a model with its class name.

    Raises:
        SerializationError: It has no stable form.
    """
    if isinstance(value, BaseModel):
        return {type(value).__qualname__: dict(BaseModel.__iter__(value))}
    if isinstance(value, Iterator):
        # Hashing it would use it up before the step sees it.
        return codec.refuse(value, path)
    return as_json(value, path)


def _alike(before: object, after: object) -> bool:
    """Say whether two values are the same, nan and private attributes aside."""
    if before is after or before == after:
        return True
    match before, after:
        case (BaseModel(), BaseModel()) if type(before) is type(after):
            return _alike(dict(BaseModel.__iter__(before)), dict(BaseModel.__iter__(after)))
        case (Mapping(), Mapping()):
            return before.keys() == after.keys() and all(
                _alike(item, after[key]) for key, item in before.items()
            )
        case (Sequence(), Sequence()) if not isinstance(before, str | bytes):
            return len(before) == len(after) and all(map(_alike, before, after))
    if dataclasses.is_dataclass(before) and type(before) is type(after):
        return all(
            _alike(getattr(before, field.name), getattr(after, field.name))
            for field in dataclasses.fields(before)
        )
    # What is not equal to itself (nan), or has no idea of equality, cannot tell.
    selfless = before != before  # noqa: PLR0124
    return type(before) is type(after) and (selfless or type(before).__eq__ is object.__eq__)


def _places(error: ValidationError) -> str:
    """Say where and what, without the values: they may be secret."""
    found = _field_errors(error)
    return "; ".join(f"{'.'.join(map(str, item['loc'])) or '$'}: {item['msg']}" for item in found)


def _without_values(error: Exception) -> str:
    return _INPUT_VALUE.sub("", str(error))


def _summary(error: ValidationError) -> str:
    count = error.error_count()
    return f"the input has {count} {'mistake' if count == 1 else 'mistakes'}"


def _field_errors(error: ValidationError) -> list[dict[str, Any]]:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [{"loc": list(item["loc"]), "msg": item["msg"], "type": item["type"]} for item in found]
