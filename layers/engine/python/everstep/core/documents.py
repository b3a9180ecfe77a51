"""One object of a JSON document, read strictly: every refusal names the field and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NoReturn, TypeVar

from everstep.core import codec
from everstep.core.durations import instant
from everstep.core.errors import EverstepError
from everstep.core.model import Payload
from everstep.core.records import dataclass

T = TypeVar("T")
S = TypeVar("S", bound=StrEnum)

AGAIN: Final = "export the run again"
_SHORT: Final = 40


class HistoryFormatError(EverstepError):
    """Say why a document is no recorded history: where, what, and how to mend it.

    Attributes:
        path: The field, for example ``operations[2].status``; empty for the whole document.
    """

    def __init__(self, path: str, problem: str, mend: str) -> None:
        """Tell the three."""
        self.path = path
        super().__init__(f"{path or 'the document'} {problem}: {mend}")


@dataclass(frozen=True, slots=True)
class Part:
    """One object of a document, which knows where it stands.

    Every method takes the name of a field and raises ``HistoryFormatError`` if it is not so.
    """

    fields: Mapping[str, Any]
    path: str

    def refuse(self, name: str, problem: str, mend: str) -> NoReturn:
        """Say what is wrong with a field.

        Raises:
            HistoryFormatError: Always.
        """
        raise HistoryFormatError(f"{self.path}.{name}" if self.path else name, problem, mend)

    def allow(self, *names: str) -> None:
        """Refuse fields of other names: what is misspelt must not be overlooked."""
        for name in self.fields:
            if name not in names:
                mend = f"the fields there are {', '.join(names)}"
                self.refuse(str(name), "is no field of a recorded history", mend)

    def get(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return the value of a field that must be there."""
        if name not in self.fields:
            self.refuse(name, "is missing", AGAIN)
        return self.fields[name]

    def maybe(self, name: str, read: Callable[[str], T]) -> T | None:
        """Return what is read from a field that may be missing."""
        return read(name) if name in self.fields else None

    def string(self, name: str) -> str:
        """Return a text."""
        value = self.get(name)
        if not isinstance(value, str):
            self.refuse(name, f"is {shown(value)}, not text", AGAIN)
        return value

    def text(self, name: str) -> str:
        """Return a text that says something."""
        value = self.string(name)
        if not value:
            self.refuse(name, "is empty", AGAIN)
        return value

    def number(self, name: str) -> int:
        """Return a whole number that is not negative."""
        value = self.get(name)
        if type(value) is not int or value < 0:
            self.refuse(name, f"is {shown(value)}, not a whole number from 0", AGAIN)
        return value

    def one_of(self, name: str, values: Iterable[S]) -> S:
        """Return one of these values."""
        found = self.get(name)
        by_name = {value.value: value for value in values}
        if not isinstance(found, str) or found not in by_name:
            self.refuse(name, f"is {shown(found)}", f"it can be {', '.join(by_name)}")
        return by_name[found]

    def instant(self, name: str) -> int:
        """Return a time as milliseconds since 1970."""
        text = self.string(name)
        try:
            return instant(datetime.fromisoformat(text), name)
        except ValueError:
            example = "write it like 2026-01-31T12:00:00.000Z"
            self.refuse(name, f"is {text!r}, not a time with its zone", example)

    def payload(self, name: str) -> Payload:
        """Return any value as recorded text."""
        value = self.get(name)
        try:
            text = codec.dumps(value)
            return Payload(text=text, size=len(text.encode()))
        except (EverstepError, TypeError, UnicodeEncodeError) as error:
            self.refuse(name, f"cannot be recorded ({error})", AGAIN)

    def items(self, name: str) -> list[Any]:
        """Return a list."""
        value = self.get(name)
        if not isinstance(value, list):
            self.refuse(name, f"is {shown(value)}, not a list", AGAIN)
        return value

    def part(self, name: str, *allowed: str) -> Part:
        """Return an object with these fields and no others."""
        found = part_of(self.get(name), f"{self.path}.{name}" if self.path else name)
        found.allow(*allowed)
        return found

    def lines(self, name: str) -> str:
        """Return a text that stands as a list of its lines."""
        return "\n".join(self.texts(name, "lines"))

    def texts(self, name: str, what: str = "texts") -> tuple[str, ...]:
        """Return a list of texts."""
        found = self.items(name)
        if not all(isinstance(text, str) for text in found):
            self.refuse(name, f"is no list of {what}", AGAIN)
        return tuple(found)


def part_of(value: object, path: str) -> Part:
    """Return the object at a path of the document.

    Raises:
        HistoryFormatError: It is none.
    """
    if not isinstance(value, Mapping):
        raise HistoryFormatError(path, f"is {shown(value)}, not an object", AGAIN)
    return Part(value, path)


def shown(value: object) -> str:
    """Name a value without giving away what may be secret."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return repr(value)
        case str():
            return repr(value) if len(value) <= _SHORT else "a long text"
        case Mapping():
            return "an object"
        case list():
            return "a list"
        case _:
            return f"of type {type(value).__name__}"
