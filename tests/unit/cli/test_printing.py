"""People get tables that fit their terminal, programs plain lines; nobody gets half an id."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from everstep.cli.printing import as_json, console, line, table

RUN = "01KDVDN080T8W5N3Y7QF2ZJ4X1"


def terminal(width: int) -> Console:
    return Console(
        file=io.StringIO(), force_terminal=True, width=width, markup=False, highlight=False
    )


def printed(to: Console) -> str:
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue()


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_terminal_however_narrow_shows_the_first_column_whole(width: int) -> None:
    to = terminal(width)
    table(to, ("run", "why", "times"), [(RUN, "a reason of several words " * 4, "12")])
    assert RUN in printed(to)
    assert "…" not in printed(to)


def test_a_table_fits_its_terminal_where_it_can() -> None:
    to = Console(file=io.StringIO(), force_terminal=True, no_color=True, width=60)
    table(to, ("run", "why"), [(RUN, "a reason of several words " * 4)])
    assert max(len(each.rstrip()) for each in printed(to).splitlines() if "\x1b" not in each) <= 60


def test_what_is_no_terminal_gets_plain_lines_of_any_length(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    table(console(), ("run", "runs", "why"), [(RUN, "3", "[b]reason[/b] " * 20)])
    line(console(), (RUN, "bold red"), " :smile: " * 20)
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 3
    assert "[b]reason[/b]" in out
    assert ":smile:" in out
    assert "\x1b" not in out


def test_a_terminal_keeps_its_width_and_has_colours(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "50")
    to = console()
    line(to, ("found", "red"))
    assert to.width == 50
    assert "\x1b[" in capsys.readouterr().out


def test_a_line_is_not_broken_by_us_in_a_terminal_either() -> None:
    to = terminal(20)
    line(to, (RUN, "bold"))
    assert RUN in printed(to)
    assert "\x1b[1m" in printed(to)


def test_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    as_json({"détail": ["[red]", 1]})
    out = capsys.readouterr().out
    assert json.loads(out) == {"détail": ["[red]", 1]}
    assert "détail" in out


def test_what_commands_a_terminal_is_shown_and_not_sent(capsys: pytest.CaptureFixture[str]) -> None:
    said = "before\x1b]0;title\x07\x9b2Jafter\tand on"
    line(console(), said, (said, "bold"))
    table(console(), ["what"], [[said]])
    out = capsys.readouterr().out
    assert out.count(r"before\x1b]0;title\x07\x9b2Jafter") == 3
    assert not set(out) & {"\x1b", "\x07", "\x9b"}
