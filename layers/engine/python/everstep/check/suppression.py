"""``# noqa`` comments, as flake8 and ruff understand them."""

from __future__ import annotations

import io
import re
import tokenize
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODE: Final = r"[A-Z]+[0-9]+"
_NOQA: Final = re.compile(rf"#\s*noqa(?::\s*(?P<codes>{_CODE}(?:[,\s]+{_CODE})*))?", re.IGNORECASE)
# Tokens with which no statement begins.
_NO_CODE: Final = frozenset({tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})


class Comments:
    """The comments of a module, by the lines that they may be about."""

    def __init__(self, source: str) -> None:
        """Read the comments, if any of them could matter."""
        self._on: dict[int, str] = {}
        self._last: dict[int, int] = {}
        if _NOQA.search(source):
            self._read(source)

    def about(self, line: int) -> Iterator[str]:
        """Yield the comment on a line, and the one where the statement around it ends."""
        for each in {line, self._last.get(line, line)}:
            if each in self._on:
                yield self._on[each]

    def _read(self, source: str) -> None:
        first = 0
        # As the parser takes line ends; what is asked here has been parsed before.
        for token in tokenize.generate_tokens(io.StringIO(source, newline=None).readline):
            if token.type == tokenize.COMMENT:
                self._on[token.start[0]] = token.string
            elif token.type == tokenize.NEWLINE:
                last = token.start[0]
                self._last.update(dict.fromkeys(range(first, last), last))
                first = 0
            elif token.type not in _NO_CODE and not first:
                first = token.start[0]


def is_suppressed(code: str, comment: str) -> bool:
    """Say whether a comment takes back all findings, or those with this code.

    A code may be shortened: ``EVS1`` takes back all that begins with it.
    """
    said = _NOQA.search(comment)
    if said is None:
        return False
    codes = re.findall(_CODE, (said["codes"] or "").upper())
    return not codes or code.startswith(tuple(codes))
