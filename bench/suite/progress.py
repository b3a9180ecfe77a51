"""What a bench has come to so far, kept in a file: one that was interrupted can be gone on with."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bench.layer import ROOT
from bench.suite import facts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Data = dict[str, Any]
About = dict[str, str]

_WHY: Final = {
    "day": "it was begun on another day",
    "commit": "the code is not the same as when it was begun",
    "machine": "it was begun on another machine",
    "command": "it was begun with other options",
}
# Whatever is measured, or measures; results and pages may change meanwhile.
_CODE: Final = ("layers", "functions", "localstack", "bench", "template.yaml", ":!bench/results")


@dataclass(slots=True, kw_only=True)
class Progress:
    """The engines that were measured, and how that came about.

    Attributes:
        path: The file.
        about: Day, commit, machine and command: only with the same may it be gone on.
        machine: What figures depend on, when it was begun.
        engines: What came of those that are through.
        minutes: How long that took.
        sittings: How many calls it took.
    """

    path: Path
    about: About
    machine: Data
    engines: list[Data] = field(default_factory=list)
    minutes: float = 0
    sittings: int = 1

    def keep(self, engine: Data) -> None:
        """Write down what came of one more engine."""
        self.engines = [each for each in self.engines if each["name"] != engine["name"]]
        self.engines.append(engine)
        self.write()

    def write(self) -> None:
        """Write everything down, all or nothing."""
        draft = self.path.with_suffix(".draft")
        data = {
            "about": self.about,
            "machine": self.machine,
            "minutes": self.minutes,
            "sittings": self.sittings,
            "engines": self.engines,
        }
        draft.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
        draft.replace(self.path)

    def forget(self) -> None:
        """Remove the file: the result is written."""
        self.path.unlink(missing_ok=True)

    def through(self) -> set[str]:
        """Return the engines that need not be played again: those of which there are figures."""
        return {each["name"] for each in self.engines if "workloads" in each}

    def in_order(self, names: Sequence[str]) -> list[Data]:
        """Return what came of every engine, in the order of the names."""
        return sorted(self.engines, key=lambda each: names.index(each["name"]))


def begun(path: Path, about: About) -> Progress:
    """Return that nothing was measured yet."""
    return Progress(path=path, about=about, machine=facts.machine())


def taken_up(path: Path, about: About) -> Progress | str:
    """Return what an interrupted bench has left, or why it cannot be gone on with."""
    if not path.exists():
        return "no interrupted bench was kept"
    data = json.loads(path.read_text(encoding="utf-8"))
    differs = [why for name, why in _WHY.items() if data["about"].get(name) != about[name]]
    if differs:
        return "; ".join(differs)
    return Progress(
        path=path,
        about=about,
        machine=data["machine"],
        engines=data["engines"],
        minutes=data["minutes"],
        sittings=data["sittings"] + 1,
    )


def circumstances(day: str, command: str) -> About:
    """Return what has to be the same for a bench to be gone on with."""
    known = {name: value for name, value in facts.machine().items() if name != "load"}
    machine = json.dumps({**known, "name": platform.node()}, sort_keys=True)
    return {"day": day, "commit": _commit(), "machine": _digest(machine), "command": command}


def _commit() -> str:
    """Return the commit, and what was changed since; without git that nothing is known."""
    head = _git("rev-parse", "HEAD")
    changed = _git("diff", "HEAD", "--", *_CODE)
    new = _git("ls-files", "--others", "--exclude-standard", "--", *_CODE)
    return f"{head.strip()} {_digest(changed + new)}"


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return done.stdout


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
