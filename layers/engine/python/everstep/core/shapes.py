"""Typed values to recorded text and back, by annotation.

A ``Shape`` is an annotation at work. What has an annotation is taken apart and put together by
pydantic (models, dataclasses, enums, unions, nested as you like); what has none must be data
that the codec restores exactly, or it is refused: nothing comes back as something else.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from inspect import Parameter
from typing import Any, Final, Generic, TypeVar, cast

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python

from everstep.core import codec
from everstep.core.errors import DefinitionError, InvalidInputError, SerializationError

T = TypeVar("T")

_PLAIN: Final = (int, str, bool, type(None))

_INPUT_VALUE: Final = re.compile(r"input_value=.*?, (?=input_type=)", re.DOTALL)

# 72 bits per argument; beyond some arguments one digest of the digests takes less room.
_ARGUMENT_DIGEST = 12
_LONGEST_DIGEST = 120


class Shape(Generic[T]):
    """An annotation that can record, restore, validate and describe its values."""

    def __init__(self, annotation: object) -> None:
        """Keep the annotation; the (costly) adapter is made when first needed."""
        self.annotation = annotation
        self._untyped = annotation is Any or annotation is Parameter.empty

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        try:
            return TypeAdapter(cast("type[T]", Any if self._untyped else self.annotation))
        except PydanticUserError as error:
            raise DefinitionError(f"values of {self} cannot be recorded: {error}") from error

    def check(self) -> None:
        """Make sure that values of this annotation can be recorded at all.

        Raises:
            DefinitionError: They cannot; the message says why.
        """
        if not self._untyped:
            _ = self._adapter

    def encode(self, value: object) -> str:
        """Return the recorded text of a value.

        Raises:
            SerializationError: The value does not fit the annotation, cannot be recorded, or
                would come back as something else.
        """
        if self._untyped or self._is_plain(value):
            return codec.encode(value)
        try:
            parts = self._adapter.dump_python(
                cast("T", value), round_trip=True, by_alias=False, warnings="error"
            )
        except PydanticSerializationError as error:
            raise SerializationError(
                f"a {type(value).__qualname__} does not fit the annotation {self}: "
                f"{_without_values(error)}"
            ) from error
        text = codec.encode(parts, _by_annotation)
        self._check_restored(value, text)
        return text

    def _is_plain(self, value: object) -> bool:
        """Say whether a value is of just this type, and one of JSON's: it comes back as it is."""
        return type(value) is self.annotation and self.annotation in _PLAIN

    def _check_restored(self, value: object, text: str) -> None:
        """Make sure that nothing is lost: a subclass, an excluded field, a member of a union."""
        advice = (
            f"a {type(value).__qualname__} would not come back from the annotation {self} as it "
            "was: annotate the exact type of every part, with a discriminator where several models "
            "look alike, and exclude no fields"
        )
        try:
            back = self.decode(text)
        except SerializationError as error:
            raise SerializationError(f"{advice} ({error})") from error
        if not _alike(value, back):
            raise SerializationError(advice)

    def decode(self, text: str) -> T:
        """Return the value that ``encode`` wrote.

        Raises:
            SerializationError: The recorded value does not fit today's annotation.
        """
        value = codec.decode(text)
        if self._untyped or self._is_plain(value):
            return cast("T", value)
        try:
            # Strict models check what comes from outside; what is read here was recorded by us.
            return self._adapter.validate_python(value, strict=False, by_alias=True, by_name=True)
        except ValidationError as error:
            raise SerializationError(
                f"what was recorded no longer fits the annotation {self}: {_places(error)}"
            ) from error

    def validate(self, value: object, *, from_json: bool = True) -> T:
        """Return foreign data as a value of this shape.

        Args:
            value: JSON data, or a Python value.
            from_json: Which of the two; JSON spells dates, bytes and so on as text.

        Raises:
            InvalidInputError: With one entry per field that is wrong.
        """
        if self._untyped:
            return cast("T", value)
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
        return {} if self._untyped else self._adapter.json_schema()

    def __str__(self) -> str:
        """Name the annotation as a person would write it."""
        name = getattr(self.annotation, "__name__", None)
        return (
            name
            if name and not getattr(self.annotation, "__args__", None)
            else str(self.annotation)
        )


@lru_cache(maxsize=1024)
def _cached(annotation: object) -> Shape[Any]:
    return Shape(annotation)


def shape_of(annotation: object) -> Shape[Any]:
    """Return the shape of an annotation, shared where the annotation can be hashed."""
    try:
        return _cached(annotation)
    except TypeError:
        return Shape(annotation)


def call_digest(arguments: Mapping[str, object]) -> str:
    """Return the hash of what a step is called with: one short digest per argument, by name.

    Keeping them apart lets ``changed_arguments`` say which argument differs, without any value.

    Raises:
        SerializationError: An argument that has no stable recorded form.
    """
    named = sorted(arguments.items())
    parts = [f"{name}={_argument_digest(name, value)}" for name, value in named]
    text = ",".join(parts)
    return text if len(text) <= _LONGEST_DIGEST else codec.digest_text(text)


def changed_arguments(recorded: str, asked: str) -> str:
    """Say in words which arguments of two call digests differ."""
    before, after = _arguments(recorded), _arguments(asked)
    differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return ", ".join(f"argument {name}" for name in differing) or "the arguments"


def _arguments(digest: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in digest.split(",") if "=" in part)


def _argument_digest(name: str, value: object) -> str:
    try:
        return codec.digest(value, _by_value)[:_ARGUMENT_DIGEST]
    except SerializationError as error:
        message = f"argument {name}: {error}"
        raise SerializationError(message) from error


def _by_annotation(value: object, path: str) -> object:
    """Write what pydantic leaves as an object (paths, URLs, …) as pydantic reads it back."""
    try:
        return to_jsonable_python(value)
    except PydanticSerializationError:
        return codec.refuse(value, path)


def _by_value(value: object, path: str) -> object:
    """Take a model or dataclass apart for hashing, its class name included."""
    if isinstance(value, BaseModel):
        return {type(value).__qualname__: dict(BaseModel.__iter__(value))}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {type(value).__qualname__: {name: getattr(value, name) for name in names}}
    if isinstance(value, Iterator):
        # Hashing it would use it up before the step sees it.
        return codec.refuse(value, path)
    try:
        return to_jsonable_python(value)
    except PydanticSerializationError:
        return codec.refuse(value, path)


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
