"""Sources whose wrong lines say themselves what the checker shall find there.

A line that ends in ``#! EVS101 EVS102`` is expected to give just these findings; all others none.
"""

from __future__ import annotations

import re
import textwrap
from typing import Final

from everstep.check import Finding, check_source

_MARK: Final = re.compile(r"#!(?P<codes>( EVS\d{3})+)\s*$")


def expected(source: str) -> list[tuple[int, str]]:
    """Return line and code of every mark."""
    return [
        (number, code)
        for number, line in enumerate(source.splitlines(), start=1)
        if (mark := _MARK.search(line))
        for code in mark["codes"].split()
    ]


def found(source: str) -> list[tuple[int, str]]:
    """Return line and code of every finding."""
    return [(each.line, each.code) for each in check_source(source, "app.py")]


def module(body: str, before: str = "") -> str:
    """Return a module with a workflow of this body, and ``before`` in front of it."""
    return "\n".join(
        (
            "from everstep import Context, StepFailed, step, workflow",
            textwrap.dedent(before).strip("\n"),
            "@step",
            "def charge(order: object) -> str:",
            "    return 'charged'",
            "@workflow",
            "async def shop(ctx: Context, order: str) -> None:",
            textwrap.indent(textwrap.dedent(body).strip("\n"), "    "),
            "    await ctx.step(charge, order)",
        )
    )


def findings(body: str, before: str = "") -> list[Finding]:
    """Return what is found in such a module."""
    return check_source(module(body, before), "app.py")


def assert_as_marked(source: str) -> None:
    """Check a source, and compare with its marks."""
    source = textwrap.dedent(source)
    assert found(source) == expected(source), [str(each) for each in check_source(source, "app.py")]


def assert_body_as_marked(body: str, before: str = "") -> None:
    """Check a workflow with this body, and compare with the marks in it."""
    assert_as_marked(module(body, before))
