"""How the command line prints: tables and colours for people, plain text and JSON for programs.

Nothing here cuts a value short: ids are there to be copied.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Cell = str | tuple[str, str]

_COMMANDS: Final = {
    code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"
}
"""Characters that command a terminal, and how they are shown instead."""
_UNLIMITED: Final = 10_000
"""Columns of what is no terminal: a program reads lines, and has no edge to keep to."""


def console(*, stderr: bool = False) -> Console:
    """Return a console that prints what it is given, letter by letter.

    On a terminal it has colours and the terminal's width; otherwise plain text and no width.
    """
    made = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not made.is_terminal:
        made.width = _UNLIMITED
    return made


def line(to: Console, *parts: str | tuple[str, str]) -> None:
    """Print parts, or (part, style), as one line: the terminal may wrap it, nothing cuts it."""
    to.print(Text.assemble(*map(_harmless, parts)), soft_wrap=True)


def _harmless(cell: Cell) -> Cell:
    """Return a text that commands no terminal: what runs say may come from anybody."""
    if isinstance(cell, str):
        return cell.translate(_COMMANDS)
    return cell[0].translate(_COMMANDS), cell[1]


def table(to: Console, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Print a table: the first column is kept whole, the others fold where a terminal is narrow.

    Numbers stand on the right. A cell is text, or text and its style.
    """
    styled = [tuple(map(_harmless, row)) for row in rows]
    cells = [tuple(cell if isinstance(cell, str) else cell[0] for cell in row) for row in styled]
    made = Table(
        box=box.SIMPLE_HEAD if to.is_terminal else None,
        pad_edge=to.is_terminal,
        header_style="bold",
    )
    for position, title in enumerate(columns):
        numbers = bool(cells) and all(row[position].isdecimal() for row in cells)
        whole = max((len(row[position]) for row in cells), default=0) if position == 0 else None
        made.add_column(
            title,
            justify="right" if numbers else "left",
            overflow="fold",
            no_wrap=position == 0,
            min_width=whole,
        )
    for row in styled:
        made.add_row(*(Text(*([cell] if isinstance(cell, str) else cell)) for cell in row))
    to.print(made, crop=False)


def facts(to: Console, told: Mapping[str, Cell | None]) -> None:
    """Print names and values, one pair a line; what is not there is left out."""
    width = max((len(name) for name, value in told.items() if value is not None), default=0)
    for name, value in told.items():
        if value is not None:
            line(to, (f"{name:<{width}}  ", "bold"), value)


def as_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can express
    """Print a value as JSON on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def as_json_line(value: Any) -> None:  # noqa: ANN401 - whatever JSON can express
    """Print a value as one line of JSON on standard output, at once."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
    sys.stdout.flush()
