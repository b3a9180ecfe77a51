"""What Lambda starts a function from: its folder, the layers as built, and the runtime's SDK."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from filecmp import cmp
from pathlib import Path
from platform import machine
from typing import Final

ROOT: Final = Path(__file__).parents[2]
BUILT: Final = ROOT / ".everstep" / "build"
FUNCTIONS: Final = {
    "step_executor": "StepExecutorFunction",
    "trigger": "TriggerFunction",
    "sweeper": "SweeperFunction",
    "dead_letter": "DeadLetterFunction",
    "authorizer": "AuthorizerFunction",
    "api": "ApiFunction",
}
"""Folders of `functions/`, and what the template calls the function."""

_LAYERS: Final = {"engine": "EngineLayer", "workflows": "WorkflowsLayer"}
# botocore with what it needs, as the runtime has it; all of it is Python, for every version.
_SDK: Final = ("botocore", "dateutil", "jmespath", "six", "urllib3")
_WORKFLOWS: Final = """
from everstep import Context, Retry, step, workflow


@step(retry=Retry(max_attempts=5))
def greet(name: str) -> dict[str, str]:
    return {"greeting": f"Hello, {name}"}


@workflow(name="greeting")
async def greeting(ctx: Context, name: str) -> dict[str, str]:
    return await ctx.step(greet, name)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Everything that a function is started from.

    Attributes:
        interpreter: The Python that the byte code is for.
        built: Where functions and layers lie, by the names of the template.
        beside: Where a small package of workflows and the SDK lie.
    """

    interpreter: Path
    built: Path
    beside: Path

    def path(self, function: str) -> list[str]:
        """Return what Lambda puts in front of Python's own path, in its order."""
        return [
            str(self.built / FUNCTIONS[function]),
            str(self.built / _LAYERS["engine"] / "python"),
            str(self.beside / "workflows"),
            str(self.beside / "sdk"),
        ]


def artifact(folder: Path, version: str | None = None) -> Artifact:
    """Return what was built of this tree, else build it into a folder.

    Args:
        folder: Where to put what has to be made.
        version: Of Python, `3.13` for example; that of this process if not given.
    """
    interpreter = _interpreter(version)
    beside = folder / "beside"
    _write_workflows(beside / "workflows")
    _copy_sdk(beside / "sdk")
    _compile(interpreter, beside)
    built = BUILT if _is_of_this_tree(BUILT, interpreter) else _build(folder / "built", interpreter)
    return Artifact(interpreter=interpreter, built=built, beside=beside)


def _interpreter(version: str | None) -> Path:
    if version is None:
        return Path(sys.executable)
    found = _run([ROOT / "tools" / "find_python.sh", version])
    return Path(found.strip())


def _tag(interpreter: Path) -> str:
    return _run([interpreter, "-c", "import sys; print(sys.implementation.cache_tag)"]).strip()


def _is_of_this_tree(built: Path, interpreter: Path) -> bool:
    """Say whether what was built is of today's code, for an interpreter, and compiled."""
    tag = _tag(interpreter)
    sources = {built / FUNCTIONS[name]: ROOT / "functions" / name for name in FUNCTIONS}
    sources[built / "EngineLayer" / "python"] = ROOT / "layers" / "engine" / "python"
    copies = {
        path: there / path.relative_to(here)
        for there, here in sources.items()
        for path in here.rglob("*.py")
    }
    return all(_same(path, copy) and _compiled(copy, tag) for path, copy in copies.items())


def _same(path: Path, copy: Path) -> bool:
    return copy.is_file() and cmp(path, copy, shallow=False)


def _compiled(path: Path, tag: str) -> bool:
    return (path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc").is_file()


def _build(folder: Path, interpreter: Path) -> Path:
    """Build what is started as SAM does: with the makefiles of the project."""
    version = _run([interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]).strip()
    settings = {
        "RUNTIME": f"python{version}",
        "ARCHITECTURE": "arm64" if machine() in {"aarch64", "arm64"} else "x86_64",
    }
    _make(ROOT / "layers" / "engine", "Makefile", folder / "EngineLayer", settings)
    for name, title in FUNCTIONS.items():
        _make(ROOT / "functions" / name, "../Makefile", folder / title, settings)
    return folder


def _make(source: Path, makefile: str, target: Path, settings: dict[str, str]) -> None:
    target.mkdir(parents=True)
    variables = {**os.environ, **settings, "ARTIFACTS_DIR": str(target)}
    _run(["make", "-s", "-f", makefile, f"build-{target.name}"], source, variables)


def _write_workflows(folder: Path) -> None:
    package = folder / "flows"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "greeting.py").write_text(_WORKFLOWS, encoding="utf-8")


def _copy_sdk(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in _SDK:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(name=name)
        origin = Path(found.origin)
        if origin.name == "__init__.py":
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(origin.parent, folder / name, ignore=ignored)
        else:
            shutil.copy(origin, folder)


def _compile(interpreter: Path, folder: Path) -> None:
    mode = ("--invalidation-mode", "unchecked-hash")
    _run([interpreter, "-m", "compileall", "-q", *mode, folder])


def _run(
    command: list[str | Path], folder: Path = ROOT, variables: dict[str, str] | None = None
) -> str:
    ended = subprocess.run(
        command, cwd=folder, env=variables, check=True, stdout=subprocess.PIPE, text=True
    )
    return ended.stdout
