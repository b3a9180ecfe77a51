"""Check the source text of one module."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from everstep.check import rules
from everstep.check.analysis import Analysis, Mistake
from everstep.check.calls import direct_steps, known_hazards, known_values
from everstep.check.catching import swallowed_signals
from everstep.check.depth import TOO_DEEP, with_room
from everstep.check.findings import Checked, Finding
from everstep.check.mutations import changed_state
from everstep.check.operations import dropped_operations
from everstep.check.ordering import unordered_arguments, unordered_loops
from everstep.check.roles import Role
from everstep.check.suppression import Comments, is_suppressed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Check: TypeAlias = Callable[[Analysis, ast.AST], Iterator[Mistake]]

# Where Python ends a line; str.splitlines knows more.
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
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
        is no Python, or is nested too deeply, gives one finding, EVS001.
    """
    return list(check_text(source, path).findings)


def check_text(source: str, path: str) -> Checked:
    """Check as ``check_source`` does, and count the workflows and steps that are recognised."""
    try:
        checked = with_room(lambda: _check(parse(source), path))
    except SyntaxError as error:
        # What an older Python refuses may be right in a newer one.
        said = f"no valid Python {_PYTHON}: {error.msg}"
        return Checked(findings=(unreadable(path, said, error.lineno, error.offset),))
    except (RecursionError, MemoryError):
        return Checked(findings=(unreadable(path, TOO_DEEP),))
    except ValueError as error:
        return Checked(findings=(unreadable(path, f"cannot be parsed: {error!r}"),))
    return replace(checked, findings=tuple(_reported(checked.findings, source)))


def parse(source: str) -> ast.Module:
    """Parse a module, without warnings: those are for the module's author, at another time."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def check_tree(tree: ast.Module, path: str) -> list[Finding]:
    """Find determinism mistakes in a syntax tree, ``noqa`` or not, in the order of lines.

    A tree knows columns in bytes only.
    """
    try:
        return list(with_room(lambda: _check(tree, path)).findings)
    except (RecursionError, MemoryError):
        return [unreadable(path, TOO_DEEP)]


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


def _check(tree: ast.Module, path: str) -> Checked:
    analysis = Analysis(tree)
    found = {_finding(each, analysis, path) for each in _mistakes(analysis)}
    return Checked(
        findings=tuple(
            sorted(found, key=lambda each: (each.line, each.column, each.code, each.message))
        ),
        workflows=analysis.workflows,
        steps=analysis.steps,
        workflow_code=analysis.workflow_code,
    )


def _reported(found: Iterable[Finding], source: str) -> Iterator[Finding]:
    """Yield findings that no comment takes back, with columns as editors count them."""
    lines = dict(enumerate(_LINE_END.split(source), start=1))
    comments = Comments(source)
    for each in found:
        if not any(is_suppressed(each.code, comment) for comment in comments.about(each.line)):
            yield _in_characters(each, lines.get(each.line, ""))


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
