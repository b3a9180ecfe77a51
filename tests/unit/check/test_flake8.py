"""The plugin of flake8, called as flake8 calls it."""

from __future__ import annotations

import ast
from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING
from unittest.mock import Mock

from everstep.check.flake8 import Plugin, installed_version

if TYPE_CHECKING:
    import pytest

SOURCE = "import time\nfrom everstep import workflow\n@workflow\nasync def shop(ctx): time.time()\n"


def test_the_plugin_yields_places_as_flake8_counts_them() -> None:
    assert list(Plugin(ast.parse(SOURCE), "app.py").run()) == [
        (
            4,
            21,
            "EVS101 time.time() reads the clock, which has moved on in every replay: use ctx.now()",
            Plugin,
        )
    ]


def test_the_plugin_leaves_noqa_to_flake8() -> None:
    tree = ast.parse(SOURCE.rstrip() + "  # noqa\n")
    assert len(list(Plugin(tree).run())) == 1


def test_the_plugin_says_what_is_nested_too_deeply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("everstep.check.checker.Analysis", Mock(side_effect=RecursionError))
    ((line, column, text, _),) = Plugin(ast.parse(SOURCE), "app.py").run()
    assert (line, column) == (1, 0)
    assert text.startswith("EVS001 nested too deeply for this check: ")


def test_the_plugin_has_the_name_and_the_version_of_the_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("everstep.check.flake8.version", lambda name: f"1.2.3 of {name}")
    assert installed_version() == "1.2.3 of everstep"
    assert Plugin.name == "everstep"


def test_the_version_is_unknown_where_the_package_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("everstep.check.flake8.version", missing)
    assert installed_version() == "unknown"
