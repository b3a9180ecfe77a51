"""Calls that workflow code may not make: what the catalogue names, and steps themselves."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from everstep.check import rules
from everstep.check.analysis import Mistake, root_of
from everstep.check.catalogue import RANDOM, VALUES, Hazard, hazard_of, is_listed
from everstep.check.known_types import STEP
from everstep.check.roles import Role
from everstep.check.scopes import Imported, Parameter, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.check.analysis import Analysis

_PRINTERS: Final = {"builtins.print": "file", "pprint.pprint": "stream", "pprint.pp": "stream"}
_TERMINAL: Final = frozenset({"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"})
_OPENERS: Final = frozenset(
    {"bz2.open", "gzip.open", "lzma.open", "tarfile.open", "zipfile.ZipFile"}
)
_BUFFERS: Final = frozenset({"io.BytesIO()", "io.StringIO()"})


def known_hazards(analysis: Analysis, node: ast.AST) -> Iterator[Mistake]:
    """Yield calls of functions that the catalogue names."""
    if not isinstance(node, ast.Call):
        return
    name = analysis.callee_of(node)
    hazard = _shared_generator(analysis, node, name) or hazard_of(name)
    if hazard is None or _is_harmless(analysis, node, hazard) or _said_before(analysis, node, name):
        return
    shown = f"{name.removeprefix('builtins.').replace('(seed)', '(…)')}()"
    yield Mistake(node=node, code=hazard.code, message=f"{shown} {hazard.does}", mend=hazard.mend)


def known_values(analysis: Analysis, node: ast.AST) -> Iterator[Mistake]:
    """Yield uses of values that the catalogue names, such as ``os.environ``."""
    if not isinstance(node, ast.Attribute | ast.Name) or isinstance(node.ctx, ast.Store):
        return
    name = analysis.name_of(node)
    if name in VALUES and not _is_local_alias(analysis, node):
        hazard = VALUES[name]
        yield Mistake(
            node=node, code=hazard.code, message=f"{name} {hazard.does}", mend=hazard.mend
        )


def direct_steps(analysis: Analysis, node: ast.AST) -> Iterator[Mistake]:
    """Yield steps that are called without ``ctx``."""
    if isinstance(node, ast.Call) and analysis.name_of(node.func) in (STEP, f"{STEP}.fn"):
        called = ast.unparse(node.func)
        yield Mistake(
            node=node,
            code=rules.DIRECT_STEP,
            message=f"{called}() is called directly: nothing of it is recorded",
            mend=f"write await ctx.step({called.removesuffix('.fn')}, …)",
        )


def _is_local_alias(analysis: Analysis, node: ast.expr) -> bool:
    """Say whether this is a variable: the value was reported where the variable was set."""
    home = analysis.home_of(node) if isinstance(node, ast.Name) else None
    if not isinstance(node, ast.Name) or home is None:
        return False
    imported = any(isinstance(each, Imported) for each in home.bindings[node.id])
    return analysis.role_of_home(home) is Role.WORKFLOW and not imported


def _is_harmless(analysis: Analysis, call: ast.Call, hazard: Hazard) -> bool:
    enough = hazard.harmless_with
    given = len(call.args) + len(call.keywords)
    return (
        (enough is not None and given >= enough)
        or analysis.name_of(call).endswith("(seed)")
        or _goes_elsewhere(analysis, call)
        or _is_in_memory(analysis, call)
    )


def _goes_elsewhere(analysis: Analysis, call: ast.Call) -> bool:
    """Say whether this prints to something that is not known to be the terminal."""
    keyword = _PRINTERS.get(analysis.callee_of(call))
    return any(
        each.arg == keyword
        and not (isinstance(each.value, ast.Constant) and each.value.value is None)
        and analysis.name_of(each.value) not in _TERMINAL
        for each in (call.keywords if keyword else ())
    )


def _is_in_memory(analysis: Analysis, call: ast.Call) -> bool:
    """Say whether a function that opens files is given one that is no file."""
    given = (*call.args, *(each.value for each in call.keywords))
    return analysis.callee_of(call) in _OPENERS and any(
        analysis.name_of(each) in _BUFFERS for each in given
    )


def _shared_generator(analysis: Analysis, call: ast.Call, name: str) -> Hazard | None:
    """Return the hazard of a seeded generator that lives longer than a pass."""
    if "(seed)." not in name:
        return None
    root = root_of(call.func)
    home = analysis.home_of(root) if isinstance(root, ast.Name) else None
    return RANDOM if home is not None and home.kind is ScopeKind.MODULE else None


def _said_before(analysis: Analysis, call: ast.Call, name: str) -> bool:
    """Say whether this only goes on with an object whose making is a finding already."""
    if "()." not in name or is_listed(name):
        return False
    root = root_of(call.func)
    if not isinstance(root, ast.Name):
        return isinstance(root, ast.Call)
    home = analysis.home_of(root)
    if home is None or any(isinstance(each, Parameter) for each in home.bindings[root.id]):
        return False
    return analysis.role_of_home(home) is Role.WORKFLOW
