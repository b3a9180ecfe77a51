"""What Lambda itself brings along: a Python, the runtime client and boto3."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final, Self

BROUGHT: Final = ("awslambdaric", "boto3")
"""What the runtime has besides Python, with what these need."""
_ASK: Final = """
import json, sys, sysconfig
print(json.dumps({
    "version": "%d.%d" % sys.version_info[:2],
    "program": sys._base_executable,
    "stdlib": sysconfig.get_path("stdlib"),
    "packages": sysconfig.get_path("purelib"),
}))
"""
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python of this machine.

    Attributes:
        version: Such as ``3.13``.
        program: The interpreter itself, outside of any virtual environment.
        stdlib: Folder of the standard library.
        packages: Folder of the packages of the environment that was asked.
    """

    version: str
    program: Path
    stdlib: Path
    packages: Path

    @classmethod
    def of(cls, python: Path) -> Self:
        """Return what an interpreter, usually that of a virtual environment, says of itself."""
        said = subprocess.run(
            [python, "-I", "-c", _ASK], capture_output=True, text=True, check=True
        )
        told = json.loads(said.stdout)
        return cls(
            version=told["version"],
            program=Path(told["program"]).resolve(),
            stdlib=Path(told["stdlib"]),
            packages=Path(told["packages"]),
        )

    @property
    def runtime(self) -> str:
        """Return Lambda's name for this Python, such as ``python3.13``."""
        return f"python{self.version}"


def lay_runtime(interpreter: Interpreter, folder: Path) -> Path:
    """Copy `BROUGHT`, and what it needs, from the interpreter's environment into a folder.

    Nothing else of the environment gets there: what a function needs besides must be in its
    artifacts, as on Lambda.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for each in _needed(interpreter.packages):
        for file in each.files or ():
            source = Path(str(file.locate()))
            if ".." in file.parts or not source.is_file() or source.suffix == ".pyc":
                continue
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    return folder


def _needed(packages: Path) -> list[Distribution]:
    present = {_normal(each.name): each for each in distributions(path=[str(packages)])}
    found: dict[str, Distribution] = {}
    wanted = list(BROUGHT)
    while wanted:
        name = _normal(wanted.pop())
        if name not in found and name in present:
            found[name] = present[name]
            wanted += [_required(each) for each in present[name].requires or ()]
    return list(found.values())


def _required(requirement: str) -> str:
    """Return the name in a requirement such as ``urllib3>=1.25; python_version > "3.9"``."""
    found = _NAME.match(requirement)
    return found[0] if found else ""


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
