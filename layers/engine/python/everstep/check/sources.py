"""Find files to check, by path or by module name, without importing anything."""

from __future__ import annotations

import os
import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, Final

from everstep.check.checker import check_text, unreadable
from everstep.check.findings import Checked
from everstep.core.errors import EverstepError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from everstep.check.findings import Finding

# Folders that hold no code of the user's own; virtual environments are known by their pyvenv.cfg.
_FOREIGN: Final = frozenset({"__pycache__", "node_modules", "site-packages"})


class CheckTargetError(EverstepError):
    """Say that something cannot be checked, because it is neither a path nor a module."""


def find_sources(target: str) -> list[Path]:
    """Return the Python files that a path or the name of a module stands for, sorted.

    Args:
        target: A file, a folder, or a dotted module name. Modules are looked for in the current
            folder and along ``sys.path``; they are not imported, nor are their parents.

    Returns:
        Each file once, however many links lead to it. A folder that cannot be read is among them:
        checking it says so.

    Raises:
        CheckTargetError: There is no such path or module, or no Python file in it.
    """
    path = Path(target)
    found = path if target and _exists(path) else _find_module(target)
    if found is None:
        raise CheckTargetError(
            f"{target!r} is neither an existing file or folder nor the dotted name of a module "
            "that can be found from here (app/workflows, app/workflows/order.py and app.workflows "
            "are allowed)"
        )
    sources = _sources_of(found)
    if not sources:
        raise CheckTargetError(f"{target!r} is a folder without any Python file (*.py)")
    return sources


def check_paths(paths: Iterable[Path]) -> list[Finding]:
    """Find determinism mistakes in files and folders; nothing is imported or executed.

    Args:
        paths: Files, and folders that are searched for ``*.py`` (hidden folders and virtual
            environments left out). A file that is named twice is checked once.

    Returns:
        Findings by path and line. A file or folder that cannot be read gives one finding, EVS001.
    """
    sources = distinct(source for path in paths for source in _sources_of(path))
    return [finding for source in sources for finding in check_file(source).findings]


def check_file(path: Path) -> Checked:
    """Check one file, and count the workflows and steps that are recognised in it."""
    if _is_folder(path):
        return _nothing_of(path, "cannot be read: the folder cannot be listed")
    if _exists(path) and not _is_file(path):
        return _nothing_of(path, "cannot be read: it is no regular file")
    try:
        # As Python itself reads: with the encoding that the file declares.
        with tokenize.open(path) as file:
            source = file.read()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        return _nothing_of(path, f"cannot be read: {error}")
    return check_text(source, str(path))


def distinct(paths: Iterable[Path]) -> list[Path]:
    """Return paths without those that lead to the same file as one before them."""
    found: dict[str, Path] = {}
    for path in paths:
        found.setdefault(os.path.realpath(path), path)
    return list(found.values())


def _nothing_of(path: Path, why: str) -> Checked:
    return Checked(findings=(unreadable(str(path), why),))


def _sources_of(path: Path) -> list[Path]:
    """Return a file itself, or the Python files below a folder, sorted."""
    return sorted(distinct(_walk(path))) if _is_folder(path) else [path]


def _walk(top: Path) -> Iterator[Path]:
    """Yield Python files, and folders that cannot be listed; links may lead in a circle."""
    waiting, seen = [top], set[str]()
    while waiting:
        folder = waiting.pop(0)
        place = os.path.realpath(folder)
        if place in seen:
            continue
        seen.add(place)
        try:
            # What is there by itself goes before links to it.
            entries = sorted(folder.iterdir(), key=lambda each: (each.is_symlink(), each))
        except OSError:
            yield folder
            continue
        inner = [each for each in entries if _is_folder(each) and not _is_foreign(each)]
        waiting[:0] = [each for each in inner if not each.is_symlink()]
        waiting.extend(each for each in inner if each.is_symlink())
        yield from (each for each in entries if _is_source(each))


def _is_source(entry: Path) -> bool:
    return entry.suffix == ".py" and not entry.name.startswith(".") and not _is_folder(entry)


# Unlike its counterparts in os.path, pathlib raises where it may not look.


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113


def _is_foreign(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in _FOREIGN
    return hidden or _exists(folder / "pyvenv.cfg")


def _find_module(name: str) -> Path | None:
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    for folder in (Path(), *map(Path, sys.path)):
        place = folder.joinpath(*parts)
        module = place.with_name(f"{place.name}.py")
        if _is_folder(place):
            return place
        if _is_file(module):
            return module
    return None
