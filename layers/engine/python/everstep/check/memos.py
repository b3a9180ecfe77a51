"""What is made once and kept: a client, a cache. It outlives a pass, and is the same in each.

Known by how it is written: ``if X is None: X = …``, ``if not X: X = …``, ``X = X or …``,
``if key not in X: X[key] = …``, and the same after ``if X is not None: return …``. Workflow code
may not await in there, nor ask for operations: a second pass, which finds the value, would not ask
for them again.
"""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING

from everstep.check.operations import ORDERED
from everstep.check.roles import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.check.analysis import Analysis


def made_once(analysis: Analysis, target: ast.Name | ast.Attribute | ast.Subscript) -> bool:
    """Say whether something is assigned only where it is not there yet."""
    around = list(_around(analysis, target))
    after = [each for each in _before(analysis, around) if _returns_if_there(each, target)]
    return any(
        _is_about(each, target) and _is_repeatable(analysis, each) for each in around
    ) or any(_is_repeatable(analysis, each) for each in after and around[-1:])


def _around(analysis: Analysis, target: ast.expr) -> Iterator[ast.stmt]:
    """Yield the statements around a node, from the inside out, its function left out."""
    parent = analysis.parent_of(target)
    while parent is not None and not isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef):
        if isinstance(parent, ast.stmt):
            yield parent
        parent = analysis.parent_of(parent)


def _before(analysis: Analysis, around: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of the function before those around a node."""
    function = analysis.parent_of(around[-1]) if around else None
    if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from itertools.takewhile(lambda each: each is not around[-1], function.body)


def _returns_if_there(statement: ast.stmt, target: ast.expr) -> bool:
    match statement:
        case ast.If(test=test, body=[*_, ast.Return()]):
            return _is_there(test, target)
        case _:
            return False


def _is_about(statement: ast.stmt, target: ast.expr) -> bool:
    match statement:
        case ast.If(test=test, body=body):
            inside = any(node is target for each in body for node in ast.walk(each))
            return inside and _asks_for(test, target)
        case ast.Assign(targets=[only], value=ast.BoolOp(op=ast.Or(), values=[first, *_])):
            return only is target and _same(first, target)
        case _:
            return False


def _asks_for(test: ast.expr, target: ast.expr) -> bool:
    """Say whether a test asks whether something is missing."""
    match test:
        case ast.Compare(left=left, ops=[ast.Is()], comparators=[ast.Constant(value=None)]):
            return _same(left, target)
        case ast.Compare(left=key, ops=[ast.NotIn()], comparators=[container]):
            return (
                isinstance(target, ast.Subscript)
                and _same(container, target.value)
                and _same(key, target.slice)
            )
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _same(operand, target)
        case ast.BoolOp(values=parts):
            return any(_asks_for(each, target) for each in parts)
        case _:
            return False


def _is_there(test: ast.expr, target: ast.expr) -> bool:
    """Say whether a test asks whether something is there already."""
    match test:
        case ast.Compare(left=left, ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return _same(left, target)
        case ast.Compare(left=key, ops=[ast.In()], comparators=[container]):
            return (
                isinstance(target, ast.Subscript)
                and _same(container, target.value)
                and _same(key, target.slice)
            )
        case _:
            return _same(test, target)


def _same(one: ast.expr, other: ast.expr) -> bool:
    return ast.unparse(one) == ast.unparse(other)


def _is_repeatable(analysis: Analysis, statement: ast.stmt) -> bool:
    if analysis.role_of(statement) is not Role.WORKFLOW:
        return True
    asks = any(analysis.uses(each, ORDERED) for each in ast.walk(statement))
    return not asks and not analysis.awaits([statement], statement)
