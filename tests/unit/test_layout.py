"""The tree holds what the layout says, and nothing grows where nobody decided that it should."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
ENGINE: Final = ROOT / "layers" / "engine" / "python" / "everstep"

# A new entry at the top level is added here on purpose.
TOP_LEVEL: Final = frozenset(
    {
        ".ci",
        ".editorconfig",
        ".git",
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "bench",
        "docs",
        "events",
        "examples",
        "functions",
        "layers",
        "localstack",
        "pyproject.toml",
        "requirements",
        "template.yaml",
        "tests",
        "tools",
    }
)
CODE: Final = ("layers", "functions", "localstack", "tests", "bench", "tools", "examples")
VAGUE_NAMES: Final = frozenset({"utils", "util", "helpers", "helper", "common", "misc"})
LONGEST_MODULE: Final = 400
# Module → the decision record that says why it may be longer.
LONG_MODULES: Final[dict[str, str]] = {}


def modules() -> list[Path]:
    return sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_top_level_holds_what_the_layout_says() -> None:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [line.rstrip("/") for line in lines if line and not line.startswith("#")]
    present = {
        entry.name
        for entry in ROOT.iterdir()
        if not any(fnmatch(entry.name, pattern) for pattern in ignored)
    }
    assert present - TOP_LEVEL == set()


def test_no_module_or_package_has_a_vague_name() -> None:
    vague = [
        relative(path)
        for path in modules()
        if VAGUE_NAMES & {path.stem, *path.relative_to(ROOT).parts}
    ]
    assert vague == []


def test_no_module_is_too_long_without_a_decision_record() -> None:
    lengths = {relative(path): len(path.read_bytes().splitlines()) for path in modules()}
    too_long = {path for path, lines in lengths.items() if lines > LONGEST_MODULE}
    assert too_long == set(LONG_MODULES)
    records = [ROOT / "docs" / "adr" / record for record in LONG_MODULES.values()]
    assert [relative(record) for record in records if not record.is_file()] == []


def test_every_package_of_the_engine_is_marked_and_typed() -> None:
    folders = {path.parent for path in ENGINE.rglob("*.py")}
    assert [relative(each) for each in folders if not (each / "__init__.py").is_file()] == []
    assert (ENGINE / "py.typed").is_file()


def test_all_lists_exactly_the_public_names() -> None:
    everstep = importlib.import_module("everstep")
    listed: list[str] = everstep.__all__
    tree = ast.parse((ENGINE / "__init__.py").read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module != "__future__"
        for alias in node.names
    }
    public = {name for name in imported if not name.startswith("_")}
    assert public <= set(listed)
    assert [name for name in listed if not hasattr(everstep, name)] == []


def test_a_function_is_a_folder_with_a_handler() -> None:
    folders = [path for path in ROOT.glob("functions/*/") if path.name != "__pycache__"]
    assert [relative(path) for path in folders if not (path / "handler.py").is_file()] == []


def pins(lock: str) -> dict[str, str]:
    """Return name → version of a lock file."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    pinned = (re.match(r"([\w.-]+)==(\S+)", line) for line in lines)
    return {found[1]: found[2] for found in pinned if found}


@pytest.mark.parametrize("lock", ["requirements/functions.lock", "layers/engine/requirements.txt"])
def test_what_runs_is_what_is_tested(lock: str) -> None:
    tested = pins("requirements/dev.lock")
    other = {name: v for name, v in pins(lock).items() if name in tested and tested[name] != v}
    assert other == {}


def test_the_layer_ships_every_dependency_but_those_of_the_lambda_runtime() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {each.split(">=")[0] for each in project["dependencies"]}
    assert needed - set(pins("layers/engine/requirements.txt")) == {"boto3"}
