"""Find files to check, by path or by module name, without importing anything."""

from __future__ import annotations

import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, Final

from everstep.check.checker import check_source, unreadable
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

    Raises:
        CheckTargetError: There is no such path or module, or no Python file in it.
    """
    path = Path(target)
    found = path if target and path.exists() else _find_module(target)
    if found is None:
        raise CheckTargetError(
            f"{target!r} is neither an existing file or folder nor the dotted name of a module "
            "that can be found from here (app/workflows, app/workflows/order.py and app.workflows "
            "are allowed)"
        )
    sources = sorted(_sources_of(found))
    if not sources:
        raise CheckTargetError(f"{target!r} is a folder without any Python file (*.py)")
    return sources


def check_paths(paths: Iterable[Path]) -> list[Finding]:
    """Find determinism mistakes in files and folders; nothing is imported or executed.

    Args:
        paths: Files, and folders that are searched for ``*.py`` (hidden folders and virtual
            environments left out). A file that is named twice is checked once.

    Returns:
        Findings by path and line. A file that cannot be read gives one finding, EVS001.
    """
    sources = dict.fromkeys(source for path in paths for source in sorted(_sources_of(path)))
    return [finding for source in sources for finding in _check_file(source)]


def _check_file(path: Path) -> list[Finding]:
    try:
        # As Python itself reads: with the encoding that the file declares.
        with tokenize.open(path) as file:
            source = file.read()
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        return [unreadable(str(path), f"cannot be read: {error}")]
    return check_source(source, str(path))


def _sources_of(path: Path) -> Iterator[Path]:
    """Yield a file itself, or the Python files below a folder."""
    if not path.is_dir():
        yield path
        return
    for entry in path.iterdir():
        if entry.is_dir():
            if not _is_foreign(entry):
                yield from _sources_of(entry)
        elif entry.suffix == ".py" and not entry.name.startswith("."):
            yield entry


def _is_foreign(folder: Path) -> bool:
    hidden = folder.name.startswith(".") or folder.name in _FOREIGN
    return hidden or (folder / "pyvenv.cfg").exists()


def _find_module(name: str) -> Path | None:
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    for folder in (Path(), *map(Path, sys.path)):
        place = folder.joinpath(*parts)
        module = place.with_name(f"{place.name}.py")
        if place.is_dir():
            return place
        if module.is_file():
            return module
    return None
