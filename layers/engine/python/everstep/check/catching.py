"""Handlers that swallow what the engine itself raises at an ``await``."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from everstep.check import rules
from everstep.check.analysis import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from everstep.check.analysis import Analysis

# Classes that are, or hold, more than errors.
_TOO_WIDE: Final = frozenset(
    {
        "asyncio.CancelledError",
        "builtins.BaseException",
        "builtins.BaseExceptionGroup",
        "builtins.GeneratorExit",
        "concurrent.futures.CancelledError",
    }
)
_MEND: Final = "catch StepFailed or Exception, or raise it again"
_LOOPS: Final = (ast.For, ast.AsyncFor, ast.While)
_OTHER_CODE: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def swallowed_signals(analysis: Analysis, node: ast.AST) -> Iterator[Mistake]:
    """Yield handlers around awaits that do not let the engine's signals through."""
    match node:
        case ast.Try() | ast.TryStar():
            if analysis.awaits(node.body, node):
                yield from _handlers(analysis, node)
            if analysis.awaits([*node.body, *node.handlers, *node.orelse], node):
                yield from _leaving_finally(analysis, node)
        case ast.With(items=items, body=body):
            for item in items:
                if _suppresses(analysis, item.context_expr) and analysis.awaits(body, node):
                    yield _mistake(item.context_expr, ast.unparse(item.context_expr))
        case _:
            return


def _handlers(analysis: Analysis, node: ast.Try | ast.TryStar) -> Iterator[Mistake]:
    for handler in node.handlers:
        if not _is_too_wide(analysis, handler.type):
            continue
        if not _Caught(analysis, handler).is_raised_in(handler.body):
            caught = "" if handler.type is None else f" {ast.unparse(handler.type)}"
            yield _mistake(handler, f"except{caught}:")


def _leaving_finally(analysis: Analysis, node: ast.Try | ast.TryStar) -> Iterator[Mistake]:
    for inner in analysis.within(node.finalbody, node):
        if isinstance(inner, ast.Return):
            yield _mistake(inner, "return in finally")


def _mistake(node: ast.expr | ast.stmt | ast.ExceptHandler, what: str) -> Mistake:
    return Mistake(
        node=node,
        code=rules.SWALLOWED,
        message=f"{what} around an await swallows the engine's own signals",
        mend=_MEND,
    )


def _is_too_wide(analysis: Analysis, caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    classes = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(analysis.name_of(each) in _TOO_WIDE for each in classes)


def _suppresses(analysis: Analysis, manager: ast.expr) -> bool:
    return (
        isinstance(manager, ast.Call)
        and analysis.name_of(manager.func) == "contextlib.suppress"
        and any(_is_too_wide(analysis, each) for each in manager.args)
    )


class _Caught:
    """What a handler caught, and whether it lets it go on."""

    def __init__(self, analysis: Analysis, handler: ast.ExceptHandler) -> None:
        self._analysis = analysis
        self._names = {handler.name} if handler.name else set[str]()

    def is_raised_in(self, body: Sequence[ast.stmt]) -> bool:
        """Say whether every way through some statements raises it, if it is no mere error."""
        for statement in body:
            if isinstance(statement, ast.Raise):
                return self._is_it(statement.exc)
            ways = self._ways(statement)
            if ways and all(self.is_raised_in(each) for each in ways):
                return True
            if any(_leaves(each) for each in self._passed(statement)):
                return False
            self._note_other_name(statement)
        return False

    def _is_it(self, raised: ast.expr | None) -> bool:
        match raised:
            case None:
                return True
            case ast.Name(id=name):
                return name in self._names
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="with_traceback")):
                return name in self._names
            case _:
                return False

    def _ways(self, statement: ast.stmt) -> list[list[ast.stmt]]:
        """Return the ways through a statement, each of which would have to raise it."""
        match statement:
            case ast.If(test=test, body=then, orelse=otherwise):
                if self._is_error(test):
                    return [otherwise]
                if isinstance(test, ast.UnaryOp) and self._is_no_error(test):
                    return [then]
                return [then, otherwise]
            case ast.With(body=inner) | ast.Try(finalbody=inner):
                return [inner]
            case _:
                return []

    def _passed(self, statement: ast.stmt) -> list[ast.stmt]:
        """Return what may run if a statement is passed with more than an error in hand."""
        if isinstance(statement, ast.If):
            return [each for way in self._ways(statement) for each in way]
        return [statement]

    def _is_error(self, test: ast.expr) -> bool:
        """Say whether a test asks whether it is of some class of mere errors."""
        match test:
            case ast.Call(func=called, args=[ast.Name(id=name), classes]) if name in self._names:
                isinstance_ = self._analysis.name_of(called) == "builtins.isinstance"
                return isinstance_ and not _is_too_wide(self._analysis, classes)
            case _:
                return False

    def _is_no_error(self, test: ast.UnaryOp) -> bool:
        return isinstance(test.op, ast.Not) and self._is_error(test.operand)

    def _note_other_name(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Assign(targets=[ast.Name(id=other)], value=ast.Name(id=name)):
                if name in self._names:
                    self._names.add(other)
            case _:
                pass


def _leaves(node: ast.AST, *, in_loop: bool = False) -> bool:
    """Say whether a node may leave the code that it stands in, other than by an exception."""
    if isinstance(node, ast.Return):
        return True
    if isinstance(node, ast.Break | ast.Continue):
        return not in_loop
    if isinstance(node, _OTHER_CODE):
        return False
    # break in the else of a loop belongs to the loop around it.
    own = {*node.body} if isinstance(node, _LOOPS) else set[ast.AST]()
    return any(_leaves(each, in_loop=in_loop or each in own) for each in ast.iter_child_nodes(node))
