"""State that outlives a pass: changed by each replay again, or by a step and then forgotten.

What a function may change is what belongs to itself: to a workflow everything inside the workflow,
to a step everything inside the step. All else is foreign: the module, and enclosing functions.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from everstep.check import rules
from everstep.check.analysis import Mistake, root_of
from everstep.check.catalogue import VALUES
from everstep.check.known_types import CONTAINERS
from everstep.check.memos import made_once
from everstep.check.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.check.analysis import Analysis

_MUTATING_NAMES: Final = """
    add append appendleft clear difference_update discard extend extendleft insert
    intersection_update move_to_end pop popitem popleft remove reverse rotate setdefault sort
    subtract symmetric_difference_update update
    """
_MUTATING: Final = frozenset(_MUTATING_NAMES.split())
# Functions that change their first argument.
_CHANGERS_NAMES: Final = """
    bisect.insort bisect.insort_left bisect.insort_right builtins.delattr builtins.setattr
    heapq.heapify heapq.heappop heapq.heappush heapq.heappushpop heapq.heapreplace
    """
_CHANGERS: Final = frozenset(_CHANGERS_NAMES.split())
# What next() moves on.
_ITERATORS: Final = frozenset(
    {"builtins.iter()", "itertools.count()", "itertools.cycle()", "builtins.enumerate()"}
)
_CACHE: Final = "or, for a cache, set it only where it is not there yet (if X is None: X = …)"
_MEND: Final = {
    Role.WORKFLOW: (
        f"keep it in a local variable of the workflow: each replay runs this again; {_CACHE}"
    ),
    Role.STEP: (
        "return a value from the step: a replay takes its result and does not run it again; "
        f"{_CACHE}"
    ),
}


def changed_state(analysis: Analysis, node: ast.AST) -> Iterator[Mistake]:
    """Yield what changes anything foreign."""
    role = Role.STEP if analysis.role_of(node) is Role.STEP else Role.WORKFLOW
    for at, what in _changes(analysis, node):
        yield Mistake(
            node=at,
            code=rules.SHARED_STATE,
            message=f"{what}, which outlives this {role.value}",
            mend=_MEND[role],
        )


def _changes(analysis: Analysis, node: ast.AST) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    match node:
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            for name in names:
                if _is_rebound(analysis, node, name):
                    yield node, f"{name} is assigned"
        case (
            ast.Attribute(ctx=ast.Store() | ast.Del()) | ast.Subscript(ctx=ast.Store() | ast.Del())
        ):
            root = root_of(node)
            foreign = isinstance(root, ast.Name) and _is_foreign(analysis, root)
            # The environment has a rule of its own.
            known = analysis.name_of(node.value) in VALUES
            if foreign and not known and not made_once(analysis, node):
                yield node, f"{ast.unparse(node)} is assigned"
        case ast.Call():
            changed = _changed_by(analysis, node)
            if changed is not None:
                yield node, f"{ast.unparse(changed)} is changed by {ast.unparse(node.func)}()"
        case _:
            return


def _is_rebound(analysis: Analysis, declaration: ast.Global | ast.Nonlocal, name: str) -> bool:
    """Say whether the function assigns the foreign name that it declares."""
    own = analysis.scope_of_function(declaration)
    for node in analysis.names.get(name, ()):
        if isinstance(node.ctx, ast.Load) or analysis.scope_of_function(node) is not own:
            continue
        if _is_foreign(analysis, node) and not made_once(analysis, node):
            return True
    return False


def _changed_by(analysis: Analysis, call: ast.Call) -> ast.expr | None:
    """Return the foreign object that a call changes."""
    name = analysis.name_of(call.func)
    if isinstance(call.func, ast.Attribute) and call.func.attr in _MUTATING:
        changed = call.func.value
        return changed if _is_foreign_container(analysis, changed) else None
    if not call.args or not isinstance(root := root_of(call.args[0]), ast.Name):
        return None
    moved_on = name == "builtins.next" and analysis.name_of(call.args[0]) in _ITERATORS
    if not moved_on and name not in _CHANGERS:
        return None
    return call.args[0] if _is_foreign(analysis, root) else None


def _is_foreign_container(analysis: Analysis, changed: ast.expr) -> bool:
    """Say whether this is known to be a container, or stands in one, and is foreign."""
    root = changed
    while isinstance(root, ast.Subscript):
        root = root.value
    if not isinstance(root, ast.Name) or not _is_foreign(analysis, root):
        return False
    home = analysis.home_of(root)
    of_workflow = home is not None and analysis.role_of_home(home) is Role.WORKFLOW
    return of_workflow or analysis.name_of(root) in CONTAINERS


def _is_foreign(analysis: Analysis, name: ast.Name) -> bool:
    home = analysis.home_of(name)
    return home is not None and analysis.role_of_home(home) is not analysis.role_of(name)
