"""Find and run the Python snippets of a Markdown page.

An own runner and no library: what is needed is a fence parser and `exec`. Of the two libraries that
are well kept, pytest-examples runs each block by itself, and sybil brings a document model and
directives in comments; neither demands a reason for a block that is not run.

The rules: blocks fenced as `python` share one namespace per page and run from top to bottom. A
block that cannot run says so, with its reason: ```python no-run: needs an AWS account
"""

from __future__ import annotations

import re
import sys
import textwrap
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OPENING: Final = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<info>.*)$")
_LANGUAGES: Final = ("python", "py", "python3")
_NO_RUN: Final = "no-run:"


class SnippetError(Exception):
    """A page has a fence that cannot be understood; the message names page and line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """One fenced Python block; `line` is that of its first line of code, counted from 1."""

    page: Path
    line: int
    code: str
    reason_not_run: str | None = None

    def run(self, namespace: dict[str, object]) -> None:
        """Execute the block. Tracebacks show the line of the page."""
        padding = "\n" * (self.line - 1)
        program = compile(padding + self.code, str(self.page), "exec", dont_inherit=True)
        exec(program, namespace)  # noqa: S102 - the project's own documentation


def snippets_of(page: Path) -> Iterator[Snippet]:
    """Yield the Python blocks of a page in order.

    Raises:
        SnippetError: A fence is not closed, or its words after `python` are not understood.
    """
    lines = enumerate(page.read_text(encoding="utf-8").splitlines(), start=1)
    for number, line in lines:
        if not (opening := _OPENING.match(line)):
            continue
        body: list[str] = []
        for _, inner in lines:
            if _closes(inner, opening["fence"]):
                break
            body.append(inner)
        else:
            message = f"{page}:{number}: this fence is never closed"
            raise SnippetError(message)
        language, _, words = opening["info"].strip().partition(" ")
        if language in _LANGUAGES:
            yield Snippet(
                page=page,
                line=number + 1,
                code=textwrap.dedent("\n".join(body)),
                reason_not_run=_reason(words.strip(), f"{page}:{number}"),
            )


def run_page(page: Path) -> int:
    """Run the blocks of a page in one namespace and return how many ran."""
    # A real module, because dataclasses and pydantic look their annotations up in sys.modules.
    module = types.ModuleType(f"page_{page.stem.replace('-', '_')}")
    sys.modules[module.__name__] = module
    try:
        runnable = [each for each in snippets_of(page) if each.reason_not_run is None]
        for snippet in runnable:
            snippet.run(module.__dict__)
    finally:
        del sys.modules[module.__name__]
    return len(runnable)


def prose_of(text: str) -> str:
    """Return a page without what stands in fences; fence lines stay, as empty ones."""
    kept: list[str] = []
    fence = None
    for line in text.splitlines():
        opening = _OPENING.match(line)
        if fence is None and opening:
            fence = opening["fence"]
        elif fence is not None and _closes(line, fence):
            fence = None
        elif fence is None:
            kept.append(line)
            continue
        kept.append("")
    return "\n".join(kept)


def _closes(line: str, fence: str) -> bool:
    stripped = line.strip()
    return len(stripped) >= len(fence) and set(stripped) == {fence[0]}


def _reason(words: str, where: str) -> str | None:
    if not words:
        return None
    reason = words.removeprefix(_NO_RUN).strip()
    if not words.startswith(_NO_RUN) or not reason:
        message = f"{where}: only `{_NO_RUN} <reason>` may follow the language, not {words!r}"
        raise SnippetError(message)
    return reason
