"""The checker as a plugin of flake8, which brings its own files, ``noqa`` and output."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, ClassVar

from everstep.check.checker import check_tree

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator


def installed_version() -> str:
    """Return the version of this package; "unknown" where it runs without being installed."""
    try:
        return version("everstep")
    except PackageNotFoundError:
        return "unknown"


class Plugin:
    """What flake8 makes for each file, by the entry point ``EVS``."""

    name: ClassVar[str] = "everstep"
    version: ClassVar[str] = installed_version()

    def __init__(self, tree: ast.Module, filename: str = "(none)") -> None:
        """Keep what flake8 hands over."""
        self._tree = tree
        self._filename = filename

    def run(self) -> Iterator[tuple[int, int, str, type[Plugin]]]:
        """Yield line, column counted from 0, text, and this class."""
        for each in check_tree(self._tree, self._filename):
            yield each.line, each.column - 1, f"{each.code} {each.message}: {each.mend}", Plugin
