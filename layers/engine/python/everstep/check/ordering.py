"""Sets: their order differs from process to process, and may not decide about operations."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from everstep.check import rules
from everstep.check.analysis import Mistake
from everstep.check.known_types import CONTEXT, SETS
from everstep.check.operations import ORDERED
from everstep.check.scopes import Assigned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.check.analysis import Analysis

# They go through their arguments in the order that these have.
_KEEPS_ORDER: Final = frozenset(
    f"builtins.{name}"
    for name in (
        *("dict.fromkeys", "enumerate", "filter", "iter", "list", "map", "reversed", "tuple"),
        "zip",
    )
)
# Position and name of the argument of which each element makes a branch.
_BRANCHES: Final = {f"{CONTEXT}.map": (1, "items"), f"{CONTEXT}.parallel": (0, "branches")}
_COMPREHENSIONS: Final = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_VIEWS: Final = ("items", "keys", "values")
_MEND: Final = "go through sorted(…)"


def unordered_loops(analysis: Analysis, node: ast.AST) -> Iterator[Mistake]:
    """Yield loops over sets in which operations are asked for."""
    match node:
        case ast.For(iter=iterable, body=body) if _uses_operations(analysis, body, node):
            yield from _loop(analysis, iterable)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for generator in node.generators if _asks_in_turn(analysis, node) else ():
                yield from _loop(analysis, generator.iter)
        case _:
            return


def unordered_arguments(analysis: Analysis, node: ast.AST) -> Iterator[Mistake]:
    """Yield arguments of operations that the order of a set decides about."""
    if not isinstance(node, ast.Call) or not analysis.uses(node, ORDERED):
        return
    for argument in (*node.args, *(each.value for each in node.keywords)):
        for taken in _taken(analysis, argument):
            yield _argument(taken)
    for branches in _branches(analysis, node):
        if _is_unordered(analysis, branches):
            yield _argument(branches)


def _argument(taken: ast.expr) -> Mistake:
    return Mistake(
        node=taken,
        code=rules.ORDER,
        message=f"{ast.unparse(taken)} takes the order of a set, which differs in a replay",
        mend=_MEND,
    )


def _branches(analysis: Analysis, call: ast.Call) -> Iterator[ast.expr]:
    """Yield what an operation goes through to make its branches."""
    at, name = _BRANCHES.get(analysis.name_of(call.func), (len(call.args), ""))
    yield from call.args[at : at + 1]
    yield from (each.value for each in call.keywords if each.arg == name)


def _loop(analysis: Analysis, iterable: ast.expr) -> Iterator[Mistake]:
    if _is_unordered(analysis, iterable):
        yield Mistake(
            node=iterable,
            code=rules.ORDER,
            message=f"operations are asked for in the order of the set {ast.unparse(iterable)}",
            mend=_MEND,
        )


def _asks_in_turn(analysis: Analysis, expression: ast.expr) -> bool:
    """Say whether this is a comprehension that asks for operations: it has a finding of its own."""
    comprehends = isinstance(expression, _COMPREHENSIONS)
    inside = [*ast.iter_child_nodes(expression)]
    return comprehends and _uses_operations(analysis, inside, expression)


def _uses_operations(analysis: Analysis, body: list[ast.AST] | list[ast.stmt], at: ast.AST) -> bool:
    return analysis.awaits(body, at) or any(
        analysis.uses(node, ORDERED) for node in analysis.within(body, at)
    )


def _is_unordered(analysis: Analysis, expression: ast.expr) -> bool:
    """Say whether going through an expression is going through a set."""
    match expression:
        case ast.ListComp() | ast.GeneratorExp() | ast.DictComp():
            return _is_unordered(analysis, expression.generators[0].iter)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            unpacked = [each.value for each in parts if isinstance(each, ast.Starred)]
            return any(_is_unordered(analysis, each) for each in unpacked)
        case ast.Call(func=called, args=arguments) if analysis.name_of(called) in _KEEPS_ORDER:
            return any(_is_unordered(analysis, each) for each in arguments)
        case ast.Call(func=ast.Attribute(value=of, attr=view)) if view in _VIEWS:
            return _is_unordered(analysis, of)
        case ast.Name():
            only = _only_value(analysis, expression)
            return analysis.name_of(expression) in SETS and not _is_of_numbers(only)
        case _:
            return analysis.name_of(expression) in SETS and not _is_of_numbers(expression)


def _is_of_numbers(expression: ast.expr | None) -> bool:
    """Say whether this is a set like ``{1, 2}``: numbers have the same place in each process."""
    return isinstance(expression, ast.Set) and all(
        isinstance(each, ast.Constant) and isinstance(each.value, int | float)
        for each in expression.elts
    )


def _taken(analysis: Analysis, argument: ast.expr) -> Iterator[ast.expr]:
    """Yield the parts of an argument that depend on the order of a set."""
    match argument:
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            for part in parts:
                yield from _taken(analysis, part)
        case ast.Dict(values=parts):
            for part in parts:
                yield from _taken(analysis, part)
        case ast.Starred(value=value):
            if _is_unordered(analysis, value) and not _asks_in_turn(analysis, value):
                yield argument
        case ast.Name():
            only = _only_value(analysis, argument)
            if only is not None and _takes_order(analysis, only):
                yield only
        case _:
            if _takes_order(analysis, argument):
                yield argument


def _takes_order(analysis: Analysis, expression: ast.expr) -> bool:
    match expression:
        case ast.ListComp():
            return _is_unordered(analysis, expression)
        case ast.Call(func=ast.Attribute(value=of, attr="pop"), args=[]):
            return analysis.name_of(of) in SETS
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[joined]):
            return _is_unordered(analysis, joined)
        case ast.Call(func=called, args=[first, *_]):
            name = analysis.name_of(called)
            return name in ("builtins.list", "builtins.tuple", "builtins.next") and _is_unordered(
                analysis, first
            )
        case _:
            return False


def _only_value(analysis: Analysis, name: ast.Name) -> ast.expr | None:
    """Return the one value that a variable ever has, if it is not sorted in place."""
    home = analysis.home_of(name)
    bindings = [] if home is None else home.bindings[name.id]
    if len(bindings) != 1 or not isinstance(bindings[0], Assigned):
        return None
    return None if name.id in analysis.sorted_in_place else bindings[0].value
