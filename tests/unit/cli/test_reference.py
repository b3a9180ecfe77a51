"""docs/reference/cli.md: every answer shown is the answer given.

A Python block that begins with a file's name is written to that file when its turn comes.
``$ echo $?`` shows the exit code of the command before it. A comment ``<!-- meanwhile: … -->`` says
what happens before the next command.
"""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto import mock_aws
from typer.core import TyperGroup
from typer.main import get_command

from everstep.adapters.dynamodb import keys
from everstep.adapters.memory.ids import SequenceIds
from everstep.adapters.memory.queue import MemoryQueue
from everstep.adapters.system import SystemClock
from everstep.app.start import start
from everstep.cli.root import app
from everstep.cli.session import real
from everstep.core.model import OpKind, OpRecord, OpStatus
from everstep.core.transitions import ARMED
from everstep.settings import Settings
from everstep.wiring import Clients, build_engine
from tests.contract.backends import create_table
from tests.unit.cli.stacks import OUTPUTS, Stacks
from tests.unit.cli.typed import Seen, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.app.engine import Engine

PAGE: Final = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"
RUN: Final = "01KDVDN080T8W5N3Y7QF2ZJ4X"
ASLEEP: Final = OpRecord(
    key="sleep#1",
    kind=OpKind.SLEEP,
    status=OpStatus.WAITING,
    by="token",
    input_hash="for=3600000",
    started_at=0,
    wake_at=3_600_000,
)
_PART: Final = re.compile(
    r"^```console\n(?P<console>.*?)^```$"
    r"|^```python\n# (?P<file>\S+\.py)\n(?P<code>.*?)^```$"
    r"|^<!-- meanwhile: (?P<what>.*?) -->$",
    re.MULTILINE | re.DOTALL,
)
_COMMAND: Final = re.compile(r"^\$ (?P<typed>.*)\n(?P<shown>(?:(?!\$ ).*\n)*)", re.MULTILINE)


class ReadableIds(SequenceIds):
    """Ids that look like the real ones."""

    def run_id(self) -> str:
        return f"{RUN}{super().run_id()[-1]}"


class World:
    """What the page is about: an empty folder, and the stack ``shop``, whose queue nobody reads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = replace(real(), environment={}, readers=Stacks)
        self.dynamodb = boto3.client("dynamodb")
        create_table(self.dynamodb, OUTPUTS["TableName"])
        self.last = Seen(code=0, out="", err="")

    def write(self, name: str, code: str) -> None:
        (self.folder / name).write_text(code, encoding="utf-8")
        sys.modules.pop("flows", None)

    def type(self, line: str) -> str:
        """Return what a terminal shows after a line."""
        if line == "echo $?":
            return f"{int(self.last.code)}\n"
        program, *arguments = shlex.split(line)
        assert program == "everstep"
        self.last = typed(*arguments, by=self.session)
        return self.last.out + self.last.err

    def happens(self, what: str) -> None:
        match what.split():
            case [number, "runs", "are", "started"]:
                engine = self.engine()
                for _ in range(int(number)):
                    start(engine, "reminder", "Ann")
            case ["a", "run", "loses", "its", "place", "in", "the", "due", "index"]:
                self.dynamodb.update_item(
                    TableName=OUTPUTS["TableName"],
                    Key={"PK": {"S": keys.run(f"{RUN}2")}, "SK": {"S": keys.RUN_HEAD}},
                    UpdateExpression="REMOVE due_pk, due_at",
                )
            case ["a", "run", "falls", "asleep"]:
                # The others are over by now.
                for number in "123":
                    self.dynamodb.delete_item(
                        TableName=OUTPUTS["TableName"],
                        Key={"PK": {"S": keys.run(f"{RUN}{number}")}, "SK": {"S": keys.RUN_HEAD}},
                    )
                engine = self.engine()
                run_id = start(engine, "reminder", "Ann").run_id
                assert engine.runs.put(run_id, ASLEEP, ARMED)
            case _:
                raise AssertionError(f"the page says {what!r}")

    def engine(self) -> Engine:
        environment = {
            "EVERSTEP_TABLE": OUTPUTS["TableName"],
            "EVERSTEP_BUCKET": OUTPUTS["BucketName"],
            "EVERSTEP_QUEUE_URL": OUTPUTS["QueueUrl"],
            "EVERSTEP_WORKFLOWS": "flows",
        }
        built = build_engine(Settings.read(environment), Clients())
        return replace(built, ids=ReadableIds(), queue=MemoryQueue(SystemClock()))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with mock_aws():
        yield World(tmp_path)
    sys.modules.pop("flows", None)


def shown_and_given(world: World) -> Iterator[tuple[str, str, str]]:
    """Yield every line typed on the page, what the page shows after it, and what it gives."""
    for part in _PART.finditer(PAGE.read_text(encoding="utf-8")):
        if part["file"]:
            world.write(part["file"], part["code"])
        elif part["what"]:
            world.happens(part["what"])
        for each in _COMMAND.finditer(part["console"] or ""):
            yield each["typed"], each["shown"], without_padding(world.type(each["typed"]))


def without_padding(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_every_answer_on_the_page_is_the_one_given(world: World) -> None:
    answers = list(shown_and_given(world))
    assert [(line, shown) for line, shown, _ in answers] == [
        (line, given) for line, _, given in answers
    ]
    assert len(answers) >= 10


def test_every_command_and_every_option_is_on_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    commands = dict(commands_of("everstep", get_command(app)))
    options = {
        option
        for command in commands.values()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--")
    }
    assert {each for each in (*commands, *options) if each not in text} == set()


def commands_of(name: str, command: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Yield the commands of a group, those of its groups included, by what is typed."""
    if not isinstance(command, TyperGroup):
        yield name, command
        return
    for word, inner in command.commands.items():
        yield from commands_of(f"{name} {word}", inner)
