"""Check the source text of one module."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from everstep.check import rules
from everstep.check.analysis import Analysis, Mistake
from everstep.check.calls import direct_steps, known_hazards, known_values
from everstep.check.catching import swallowed_signals
from everstep.check.findings import Finding
from everstep.check.mutations import changed_state
from everstep.check.operations import dropped_operations
from everstep.check.ordering import unordered_arguments, unordered_loops
from everstep.check.roles import Role
from everstep.check.suppression import is_suppressed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Check: TypeAlias = Callable[[Analysis, ast.AST], Iterator[Mistake]]

# Where Python ends a line; str.splitlines knows more.
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_CHECKS: Final[dict[Role, tuple[Check, ...]]] = {
    Role.WORKFLOW: (
        known_hazards,
        known_values,
        direct_steps,
        dropped_operations,
        unordered_loops,
        unordered_arguments,
        swallowed_signals,
        changed_state,
    ),
    Role.STEP: (changed_state,),
}


def check_source(source: str, path: str) -> list[Finding]:
    """Find determinism mistakes in the text of a module; nothing of it is executed.

    Args:
        source: The text.
        path: Named in the findings; nothing is read from it.

    Returns:
        Findings in the order of lines, without those that a ``noqa`` comment takes back. Text that
        is no Python gives one finding, EVS001.
    """
    try:
        found = check_tree(parse(source), path)
    except SyntaxError as error:
        return [unreadable(path, f"no valid Python: {error.msg}", error.lineno, error.offset)]
    except (ValueError, RecursionError, MemoryError) as error:
        return [unreadable(path, f"cannot be parsed: {error!r}")]
    lines = dict(enumerate(_LINE_END.split(source), start=1))
    return [
        _in_characters(each, line)
        for each in found
        if not is_suppressed(each.code, line := lines.get(each.line, ""))
    ]


def parse(source: str) -> ast.Module:
    """Parse a module, without warnings: those are for the module's author, at another time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def check_tree(tree: ast.Module, path: str) -> list[Finding]:
    """Find determinism mistakes in a syntax tree, ``noqa`` or not, in the order of lines.

    A tree knows columns in bytes only.
    """
    analysis = Analysis(tree)
    found = {_finding(each, analysis, path) for each in _mistakes(analysis)}
    return sorted(found, key=lambda each: (each.line, each.column, each.code, each.message))


def unreadable(
    path: str, message: str, line: int | None = None, column: int | None = None
) -> Finding:
    """Return the finding for a file that cannot be checked."""
    return Finding(
        path=path,
        line=line or 1,
        column=column or 1,
        code=rules.UNREADABLE,
        message=message,
        mend="mend the file, or leave it out",
    )


def _in_characters(finding: Finding, line: str) -> Finding:
    before = line.encode()[: finding.column - 1]
    return replace(finding, column=len(before.decode(errors="replace")) + 1)


def _mistakes(analysis: Analysis) -> Iterator[Mistake]:
    for node in analysis.nodes:
        role = analysis.role_of(node)
        for check in _CHECKS[role] if role is not None else ():
            yield from check(analysis, node)


def _finding(mistake: Mistake, analysis: Analysis, path: str) -> Finding:
    route = analysis.route_to(mistake.node)
    way = f" (workflow code gets here through {' → '.join(route)})" if route else ""
    return Finding(
        path=path,
        line=mistake.node.lineno,
        column=mistake.node.col_offset + 1,
        code=mistake.code,
        message=mistake.message + way,
        mend=mistake.mend,
    )
