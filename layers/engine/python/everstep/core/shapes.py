"""Typed values to recorded text and back, by annotation.

A ``Shape`` is an annotation at work. Plain data is recorded as it is. What has another annotation
is taken apart and put together by pydantic (models, dataclasses, enums, unions, nested as you
like), which is not loaded before; what has none must be data that the codec restores exactly, or
it is refused: nothing comes back as something else.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property, lru_cache
from inspect import Parameter
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from everstep.core import codec
from everstep.core.errors import SerializationError
from everstep.core.plain_data import recognised, recogniser_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from everstep.core.typed import Typed

T = TypeVar("T")

# 72 bits per argument; beyond some arguments one digest of the digests takes less room.
_ARGUMENT_DIGEST: Final = 12
_LONGEST_DIGEST: Final = 120


class Shape(Generic[T]):
    """An annotation that can record, restore, validate and describe its values."""

    def __init__(self, annotation: object) -> None:
        """Keep the annotation; what is costly is made when first needed."""
        self.annotation = annotation
        self._untyped = annotation is Any or annotation is Parameter.empty
        self._recogniser = recogniser_of(annotation)

    @cached_property
    def _typed(self) -> Typed:
        from everstep.core.typed import Typed

        return Typed(Any if self._untyped else self.annotation, str(self))

    def _is_plain(self, value: object) -> bool:
        return self._recogniser is not None and recognised(self._recogniser, value)

    def check(self) -> None:
        """Make sure that values of this annotation can be recorded at all.

        Raises:
            DefinitionError: They cannot; the message says why.
        """
        if not self._untyped and self._recogniser is None:
            _ = self._typed

    def encode(self, value: object) -> str:
        """Return the recorded text of a value.

        Raises:
            SerializationError: The value does not fit the annotation, cannot be recorded, or
                would come back as something else.
        """
        if self._untyped or self._is_plain(value):
            return codec.encode(value)
        return self._typed.encode(value)

    def decode(self, text: str) -> T:
        """Return the value that ``encode`` wrote.

        Raises:
            SerializationError: The recorded value does not fit today's annotation.
        """
        value: T = codec.decode(text)
        return value if self._untyped or self._is_plain(value) else self._restored(value)

    def _restored(self, value: object) -> T:
        return cast("T", self._typed.restore(value))

    def validate(self, value: object, *, from_json: bool = True) -> T:
        """Return foreign data as a value of this shape.

        Args:
            value: JSON data, or a Python value.
            from_json: Which of the two; JSON spells dates, bytes and so on as text.

        Raises:
            InvalidInputError: With one entry per field that is wrong.
        """
        if self._untyped or self._is_plain(value):
            return cast("T", value)
        return cast("T", self._typed.validate(value, from_json=from_json))

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the annotation."""
        return {} if self._untyped else self._typed.schema()

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
    if len(arguments) == 1:
        # As most are: no list is made for one.
        ((name, value),) = arguments.items()
        text = f"{name}={_argument_digest(name, value)}"
    else:
        names = sorted(arguments)
        text = ",".join([f"{name}={_argument_digest(name, arguments[name])}" for name in names])
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


def _by_value(value: object, path: str) -> object:
    """Take a model or dataclass apart for hashing, its class name included."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {type(value).__qualname__: {name: getattr(value, name) for name in names}}
    from everstep.core.typed import by_value

    return by_value(value, path)
