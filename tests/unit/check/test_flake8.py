"""The plugin of flake8, called as flake8 calls it."""

from __future__ import annotations

import ast
from importlib.metadata import version

from everstep.check.flake8 import Plugin

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


def test_the_plugin_has_a_name_and_the_packages_version() -> None:
    assert (Plugin.name, Plugin.version) == ("everstep", version("everstep"))
