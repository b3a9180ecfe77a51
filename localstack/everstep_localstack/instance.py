"""One LocalStack instance: its options, its folders, and what is remembered while it runs."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

DEFAULT_PORT: Final = 4566
PROJECT: Final = Path(__file__).resolve().parents[2]
HOME_VARIABLE: Final = "EVERSTEP_HOME"


def home() -> Path:
    """Return the project's state folder: `$EVERSTEP_HOME`, or `.everstep` in the project."""
    configured = os.environ.get(HOME_VARIABLE)
    return Path(configured).resolve() if configured else PROJECT / ".everstep"


def _functions_interpreter() -> Path:
    return home() / "venvs/functions/bin/python"


def _localstack_interpreter() -> Path:
    return home() / "venvs/localstack/bin/python"


class DynamoDb(StrEnum):
    """Who answers DynamoDB's API."""

    MOTO = "moto"
    LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to run an instance.

    Attributes:
        instance: Name; two instances have different names and different ports.
        port: Where the instance listens, on 127.0.0.1.
        pollers: Batches of one SQS event source mapping that are handled at the same time.
        dynamodb: Who answers DynamoDB's API.
        python: Interpreter that runs the functions.
        localstack_python: Interpreter that runs LocalStack.
    """

    instance: str = "default"
    port: int = DEFAULT_PORT
    pollers: int = 8
    dynamodb: DynamoDb = DynamoDb.MOTO
    python: Path = field(default_factory=_functions_interpreter)
    localstack_python: Path = field(default_factory=_localstack_interpreter)

    def describe(self) -> str:
        """Return the options that matter to a running instance, as one line."""
        return (
            f"port {self.port}, {self.pollers} pollers, DynamoDB by {self.dynamodb}, {self.python}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where an instance keeps its things: `.everstep/localstack/<instance>`."""

    root: Path

    @classmethod
    def of(cls, instance: str) -> Self:
        """Return the folders of the instance with this name."""
        return cls(root=home() / "localstack" / instance)

    @property
    def record(self) -> Path:
        """What runs at the moment: see `Record`."""
        return self.root / "instance.json"

    @property
    def log(self) -> Path:
        """What LocalStack itself prints."""
        return self.root / "localstack.log"

    @property
    def volume(self) -> Path:
        """LocalStack's own files; emptied by every start, since nothing is meant to persist."""
        return self.root / "volume"

    @property
    def scratch(self) -> Path:
        """Temporary files: unpacked code and the functions' /tmp; emptied by every start."""
        return self.root / "tmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The running instance.

    `started` is the kernel's start time of the process: together with the process id it stays
    unique when the id is used again.
    """

    pid: int
    started: int
    port: int
    description: str

    def save(self, path: Path) -> None:
        """Write the record, all or nothing."""
        content = {
            "pid": self.pid,
            "started": self.started,
            "port": self.port,
            "description": self.description,
        }
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """Read the record, or return None if there is none."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return cls(**content)
