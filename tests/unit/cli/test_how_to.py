"""docs/how-to/operate-from-the-command-line.md: every answer shown is the answer given."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

from everstep.core.durations import MINUTE
from tests.unit.cli.operating import operated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.cli.operating import Operated

PAGE: Final = Path(__file__).parents[3] / "docs/how-to/operate-from-the-command-line.md"
_PART: Final = re.compile(
    r"^```console\n(?P<console>.*?)^```$|^<!-- meanwhile: (?P<what>.*?) -->$",
    re.MULTILINE | re.DOTALL,
)
_COMMAND: Final = re.compile(r"^\$ (?P<typed>.*)\n(?P<shown>(?:(?!\$ ).*\n)*)", re.MULTILINE)
# A run that goes on from another is named by a key that is drawn anew.
_MADE: Final = re.compile(r"run-0-0000[0-9A-Z]{16}")
MEANWHILE: Final = "its message is lost, and eight minutes pass"


def answer(at: Operated, typed: str, last: int) -> tuple[str, int]:
    """Return what a terminal shows after a line, and the exit code."""
    if typed == "echo $?":
        return f"{last}\n", 0
    _, *arguments = shlex.split(typed)
    seen = at.typed(*arguments)
    text = "".join(f"{each.rstrip()}\n" for each in (seen.err + seen.out).splitlines())
    return _MADE.sub("run-0-0000…", text), int(seen.code)


def shown_and_given() -> Iterator[tuple[str, str, str]]:
    """Yield every line typed on the page, what the page shows after it, and what it gives."""
    at, code = operated("direct"), 0
    for part in _PART.finditer(PAGE.read_text(encoding="utf-8")):
        if part["what"]:
            assert part["what"] == MEANWHILE
            at.world.queue._kept.clear()
            at.world.clock.advance(8 * MINUTE)
        for each in _COMMAND.finditer(part["console"] or ""):
            given, code = answer(at, each["typed"], code)
            yield each["typed"], each["shown"], given


def test_every_answer_on_the_page_is_the_one_given() -> None:
    answers = list(shown_and_given())
    assert [(line, shown) for line, shown, _ in answers] == [
        (line, given) for line, _, given in answers
    ]
    assert len(answers) >= 9
