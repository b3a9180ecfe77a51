"""What nobody outside is to read, taken out of text and data.

Two rules, both blind to where a text comes from:

* **By name.** The value of a key that matches a pattern, in data and in text: ``password=…``,
  ``"token": "…"``, ``Authorization: Bearer …``, the password of an address.
* **By value.** A registered value wherever it stands, also as JSON, an address or base64 write it.

Where it is not certain how far a secret goes, more is masked rather than less. Masking what was
masked before changes nothing.
"""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

from everstep.core.records import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MASKED: Final = "***"
"""What stands where a secret stood."""

SHORTEST_VALUE: Final = 4
"""Characters; what is shorter would be found in every other word."""

DEFAULT_PATTERNS: Final = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "authorization",
    "api[_-]?key",
    "access[_-]?key",
    "private[_-]?key",
    "credential",
    "cookie",
)

_BRACES: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[\[{(]|[\]})]', re.DOTALL)
_BEARER: Final = re.compile(r"\b(bearer)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_USER_INFO: Final = re.compile(r"(://[^\s/:@]{0,256}:)[^\s/@]{1,256}@")
# After a name: the rest of the word, its closing quote, and what says that a value follows.
_ASSIGNS: Final = re.compile(
    r"""[\w.-]{0,64}(?:
        (?:\\{0,7}["'])?\]?[ \t]{0,4}(?:=>|==|:=|[=:])[ \t]{0,4}
        | \\{0,7}["'][ \t]{0,4},[ \t]{0,4}(?=[bruf]{0,2}\\{0,7}["'])
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_QUOTED: Final = re.compile(
    r"""(?P<opening>[bruf]{0,2}(?P<quote>\\{0,7}["'])).*?(?P<closing>(?<!\\)(?P=quote)|\Z)""",
    re.DOTALL | re.IGNORECASE,
)
_WORD: Final = re.compile(
    r"(?:(?:bearer|basic|digest|negotiate|token)[ \t]+)?[^\s&]+", re.IGNORECASE
)
_LINE: Final = re.compile(r"[^\r\n]+")
# Headers whose values have blanks in them.
_HEADERS: Final = re.compile(r"authorization|cookie", re.IGNORECASE)
# Names of numbers that say how much of something there is: max_tokens, cookie_count.
_MEASURES: Final = re.compile(
    r"tokens|(?<![a-z])(?:count|total|number|limit|size|length|usage|used|max|min|ttl|expires|"
    r"seconds|version)(?![a-z])",
    re.IGNORECASE,
)
_AFTER_WORDS: Final = ",;.)]}>\"'\\"
TYPED: Final = {"$secret": MASKED, "$secret_bytes": base64.b64encode(MASKED.encode()).decode()}
"""What stands in recorded text, by its tag, in place of what is typed as secret."""
# Shorter parts of base64 would be found in ordinary words.
_SHORTEST_PART: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """What is to be masked; as it is made here, nothing.

    Attributes:
        patterns: Regular expressions that are looked for in names, in any case.
        values: What is masked wherever it stands.
    """

    patterns: tuple[str, ...] = ()
    values: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        """Say whether there is anything to mask."""
        return bool(self.patterns or self.values)

    def with_values(self, values: Iterable[str]) -> Masking:
        """Return a masking that masks these values, too."""
        more = self.values.union(values)
        return self if more == self.values else replace(self, values=more)

    def text(self, text: str) -> str:
        """Return a text without what is to be masked."""
        if self.values:
            text = _known(self.values).sub(MASKED, text)
        if self.patterns:
            text = _without_named(text, _names(self.patterns))
        return text

    def data(self, data: Any) -> Any:  # noqa: ANN401 - JSON is recursive
        """Return JSON data, or data with the tags of ``codec``, without what is to be masked."""
        return self._masked(data) if self else data

    def hides(self, name: str) -> bool:
        """Say whether the value of a key is masked for its name."""
        return bool(self.patterns) and _names(self.patterns).search(name) is not None

    def _masked(self, data: Any) -> Any:  # noqa: ANN401 - JSON is recursive
        match data:
            case str():
                return self.text(data)
            case None | bool():
                return data
            case int() | float():
                return MASKED if self._is_known(str(data)) else data
            case {"$map": [*pairs], **rest} if not rest:
                return {"$map": [self._pair(pair) for pair in pairs]}
            case dict():
                return {self.text(str(key)): self._item(key, item) for key, item in data.items()}
            case _:
                return [self._masked(item) for item in data]

    def _pair(self, pair: Any) -> Any:  # noqa: ANN401 - JSON is recursive
        match pair:
            case [str() as key, item]:
                return [self.text(key), self._item(key, item)]
            case _:
                return self._masked(pair)

    def _item(self, key: object, item: Any) -> Any:  # noqa: ANN401 - JSON is recursive
        """Return the value of a key; none, yes and no, and sizes give nothing away."""
        if isinstance(item, bool) or item is None or not self.hides(str(key)):
            return self._masked(item)
        if isinstance(item, dict) and len(item) == 1 and not TYPED.keys().isdisjoint(item):
            # Typed as secret: what has the mask's form can still be read as what it was.
            return {name: TYPED[name] for name in item}
        measured = isinstance(item, int | float) and _MEASURES.search(str(key)) is not None
        return self._masked(item) if measured else MASKED

    def _is_known(self, text: str) -> bool:
        return bool(self.values) and _known(self.values).search(text) is not None


NOTHING: Final = Masking()
"""Masks nothing."""

BY_NAME: Final = Masking(patterns=DEFAULT_PATTERNS)
"""Masks what is masked where nobody says anything else."""


def agrees(recorded: str, text: str) -> bool:
    """Say whether a text is what was recorded of it, what was masked in that aside."""
    first, *others = recorded.split(MASKED)
    if not others:
        return recorded == text
    *between, last = others
    if not text.startswith(first) or not text.endswith(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in between:
        at = text.find(part, at, end) + len(part)
        if at < len(part):
            return False
    return at <= end


@lru_cache(maxsize=64)
def _names(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in patterns), re.IGNORECASE)


@lru_cache(maxsize=256)
def _known(values: frozenset[str]) -> re.Pattern[str]:
    # The longest first: of two values one may be part of the other.
    forms = {form for value in values for form in _forms(value)}
    return re.compile("|".join(map(re.escape, sorted(forms, key=lambda each: (-len(each), each)))))


def _forms(value: str) -> Iterator[str]:
    """Return a value as it may stand in a text."""
    raw = value.encode(errors="surrogatepass")
    yield value
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    yield repr(value)[1:-1]
    for quoted in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        yield from (whole, whole.rstrip("="))
        yield from _parts(raw, encode)


def _parts(raw: bytes, encode: Any) -> Iterator[str]:  # noqa: ANN401 - a function of base64
    """Return what of a value's base64 does not depend on what stands before and after it."""
    for before in range(3):
        bits = 8 * (before + len(raw))
        part = encode(bytes(before) + raw).decode()[-(-8 * before // 6) : bits // 6]
        if len(part) >= _SHORTEST_PART:
            yield part


def _without_named(text: str, names: re.Pattern[str]) -> str:
    # Most texts are words without an assignment.
    if not any(sign in text for sign in "=:,"):
        return _BEARER.sub(rf"\1 {MASKED}", text)
    kept, at = [], 0
    # A pattern of a user's may match nothing at all, even at the end.
    while at <= len(text) and (found := names.search(text, at)):
        assigned = _ASSIGNS.match(text, found.end())
        if assigned is None:
            end = max(found.end(), at + 1)
            kept.append(text[at:end])
        else:
            shown, end = _value(text, found[0], assigned.end())
            kept.append(text[at : assigned.end()] + shown)
        at = end
    rest = "".join(kept) + text[at:]
    return _USER_INFO.sub(rf"\1{MASKED}@", _BEARER.sub(rf"\1 {MASKED}", rest))


def _value(text: str, name: str, at: int) -> tuple[str, int]:
    """Return what is shown of the value that begins here, and where it ends."""
    if quoted := _QUOTED.match(text, at):
        return f"{quoted['opening']}{MASKED}{quoted['closing']}", quoted.end()
    if text[at : at + 1] in tuple("[{("):
        # Quoted, so that JSON stays JSON.
        return f'"{MASKED}"', _closed(text, at)
    found = (_LINE if _HEADERS.search(name) else _WORD).match(text, at)
    if found is None:
        return "", at
    value = found[0].rstrip(_AFTER_WORDS)
    return (MASKED if value else ""), at + len(value)


def _closed(text: str, at: int) -> int:
    """Return where the bracket that opens here is closed, or the text ends."""
    depth = 0
    for found in _BRACES.finditer(text, at):
        depth += {"[": 1, "{": 1, "(": 1, "]": -1, "}": -1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return found.end()
    return len(text)
