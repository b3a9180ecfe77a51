"""What a setting can be: each kind reads text of the environment, and values of a TOML file.

A kind raises ``ValueError`` for what it does not take; who asks knows where that was given, and
says what is allowed. Kinds are named tuples because every cold start makes their classes, and a
dataclass takes ten times as long to make.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple, Protocol, Self

TRUE = "true"
FALSE = "false"
NONE = "none"


class Kind(Protocol):
    """Reads the values of a setting."""

    @property
    def allowed(self) -> str:
        """Return what is allowed, as it follows on *must*: ``be a whole number from 1``."""

    def of_text(self, text: str) -> object:
        """Return the value that a variable's text means, or raise ``ValueError``."""

    def of_data(self, data: object) -> object:
        """Return the value that a file's value means, or raise ``ValueError``."""

    def text(self, value: object) -> str:
        """Return the text that means this value: the inverse of ``of_text``."""


class Text(NamedTuple):
    """Any text that is not empty; ``what`` says of what."""

    what: str

    @property
    def allowed(self) -> str:
        """Return what is allowed."""
        return f"be {self.what}"

    def of_text(self, text: str) -> str:
        """Return the text without the blanks around it."""
        if not text.strip():
            raise ValueError
        return text.strip()

    def of_data(self, data: object) -> str:
        """Return the text of a file."""
        return self.of_text(_text(data))

    def text(self, value: object) -> str:
        """Return it as it is."""
        return str(value)


class Choice(NamedTuple):
    """One of some words."""

    options: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """Return what is allowed."""
        return f"be one of {', '.join(self.options)}"

    def of_text(self, text: str) -> str:
        """Return the word."""
        if text not in self.options:
            raise ValueError
        return text

    def of_data(self, data: object) -> str:
        """Return the word."""
        return self.of_text(_text(data))

    def text(self, value: object) -> str:
        """Return the word."""
        return str(value)


class Flag:
    """Yes or no."""

    @property
    def allowed(self) -> str:
        """Return what is allowed."""
        return f"be {TRUE} or {FALSE}"

    def of_text(self, text: str) -> bool:
        """Return whether it says yes."""
        if text not in (TRUE, FALSE):
            raise ValueError
        return text == TRUE

    def of_data(self, data: object) -> bool:
        """Return whether it says yes."""
        if not isinstance(data, bool):
            raise ValueError  # noqa: TRY004 - told with what is allowed, like every other one
        return data

    def text(self, value: object) -> str:
        """Return the word for it."""
        return TRUE if value else FALSE


class Whole(NamedTuple):
    """A whole number in a range; ``zero`` says what 0 means where that is something of its own."""

    lowest: int
    highest: int | None = None
    zero: str | None = None

    @property
    def allowed(self) -> str:
        """Return what is allowed."""
        found = f"be a whole number {_range(self.lowest, self.highest)}"
        return found if self.zero is None else f"{found}, or 0 for {self.zero}"

    def of_text(self, text: str) -> int:
        """Return the number that the digits mean."""
        if not (text.isascii() and text.isdigit()):
            raise ValueError
        return self._checked(int(text))

    def of_data(self, data: object) -> int:
        """Return the number."""
        if not isinstance(data, int) or isinstance(data, bool):
            raise ValueError  # noqa: TRY004 - told with what is allowed, like every other one
        return self._checked(data)

    def text(self, value: object) -> str:
        """Return its digits."""
        return str(value)

    def _checked(self, number: int) -> int:
        if not (number == 0 and self.zero is not None):
            _check_range(number, self.lowest, self.highest)
        return number


class Number(NamedTuple):
    """A number in a range, with or without a fraction."""

    lowest: float
    highest: float | None = None

    @property
    def allowed(self) -> str:
        """Return what is allowed."""
        return f"be a number {_range(self.lowest, self.highest)}"

    def of_text(self, text: str) -> float:
        """Return the number that the digits mean."""
        return self._checked(float(text))

    def of_data(self, data: object) -> float:
        """Return the number."""
        if not isinstance(data, int | float) or isinstance(data, bool):
            raise ValueError  # noqa: TRY004 - told with what is allowed, like every other one
        return self._checked(float(data))

    def text(self, value: object) -> str:
        """Return it in digits."""
        return f"{value:g}"

    def _checked(self, number: float) -> float:
        if not math.isfinite(number):
            raise ValueError
        _check_range(number, self.lowest, self.highest)
        return number


class Words(NamedTuple):
    """Words without commas, separated by commas; a list in a file. ``what`` says of what."""

    what: str

    @property
    def allowed(self) -> str:
        """Return what is allowed."""
        return f"name {self.what}, separated by commas"

    def of_text(self, text: str) -> tuple[str, ...]:
        """Return the words without the blanks around them."""
        return self._checked(text.split(","))

    def of_data(self, data: object) -> tuple[str, ...]:
        """Return the words of a list, or of such a text."""
        if not isinstance(data, list):
            return self.of_text(_text(data))
        return self._checked([_text(each) for each in data])

    def text(self, value: object) -> str:
        """Return them, separated by commas."""
        return ",".join(value) if isinstance(value, tuple) else str(value)

    def _checked(self, words: list[str]) -> tuple[str, ...]:
        found = tuple(each.strip() for each in words)
        if not all(map(self._fits, found)):
            raise ValueError
        return found

    def _fits(self, word: str) -> bool:
        return bool(word)


class Packages(Words):
    """Names of Python packages."""

    __slots__ = ()

    def __new__(cls) -> Self:
        """Say what they are."""
        return super().__new__(cls, "Python packages")

    def _fits(self, word: str) -> bool:
        return all(part.isidentifier() for part in word.split("."))


class Origins(Words):
    """Origins of web pages, or ``*`` for all."""

    __slots__ = ()

    def __new__(cls) -> Self:
        """Say what they are."""
        return super().__new__(cls, "origins such as https://app.example.org, or *")

    def _fits(self, word: str) -> bool:
        return re.fullmatch(r"\*|https?://[^/\s,]+", word) is not None


class Patterns(Words):
    """Regular expressions; ``none`` for none at all."""

    __slots__ = ()

    def __new__(cls) -> Self:
        """Say what they are."""
        return super().__new__(cls, f"regular expressions that match no empty text, or {NONE}")

    def of_text(self, text: str) -> tuple[str, ...]:
        """Return the expressions."""
        return () if text.strip() == NONE else self._checked(text.split(","))

    def text(self, value: object) -> str:
        """Return them, separated by commas."""
        return super().text(value) or NONE

    def _fits(self, word: str) -> bool:
        try:
            return bool(word) and re.compile(word).search("") is None
        except re.error:
            return False


class Codec(NamedTuple):
    """One of some words, or a factory of a module: ``package.module:factory``."""

    options: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """Return what is allowed."""
        return f"be one of {', '.join(self.options)}, or MODULE:FACTORY"

    def of_text(self, text: str) -> str:
        """Return the word, or the name of the factory."""
        found = text.strip()
        module, colon, factory = found.partition(":")
        named = colon and all(part.isidentifier() for part in (*module.split("."), factory))
        if found not in self.options and not named:
            raise ValueError
        return found

    def of_data(self, data: object) -> str:
        """Return the text of a file."""
        return self.of_text(_text(data))

    def text(self, value: object) -> str:
        """Return it as it is."""
        return str(value)


class Numbers(NamedTuple):
    """A whole number for each of some names: ``a=1,b=2``; a table in a file."""

    each: Whole

    @property
    def allowed(self) -> str:
        """Return what is allowed."""
        return f"be NAME=NUMBER, separated by commas; each must {self.each.allowed}"

    def of_text(self, text: str) -> dict[str, int]:
        """Return the numbers by name."""
        found: dict[str, int] = {}
        for part in text.split(","):
            name, equals, number = part.rpartition("=")
            if not equals:
                raise ValueError
            self._keep(found, name.strip(), self.each.of_text(number.strip()))
        return found

    def of_data(self, data: object) -> dict[str, int]:
        """Return the numbers by name."""
        if not isinstance(data, dict):
            raise ValueError  # noqa: TRY004 - told with what is allowed, like every other one
        found: dict[str, int] = {}
        for name, number in data.items():
            self._keep(found, name, self.each.of_data(number))
        return found

    def text(self, value: object) -> str:
        """Return them, separated by commas."""
        pairs = value.items() if isinstance(value, dict) else ()
        return ",".join(f"{name}={number}" for name, number in pairs)

    def _keep(self, found: dict[str, int], name: str, number: int) -> None:
        if not name or name in found:
            raise ValueError
        found[name] = number


def _text(data: object) -> str:
    if not isinstance(data, str):
        raise ValueError  # noqa: TRY004 - told with what is allowed, like every other one
    return data


def _range(lowest: float, highest: float | None) -> str:
    return f"from {lowest}" if highest is None else f"from {lowest} to {highest}"


def _check_range(number: float, lowest: float, highest: float | None) -> None:
    if number < lowest or (highest is not None and number > highest):
        raise ValueError
