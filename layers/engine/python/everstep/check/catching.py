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
_LEAVING: Final = (ast.Return, ast.Break, ast.Continue)


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
        if _is_too_wide(analysis, handler.type) and not _raises_again(handler.body, handler.name):
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


def _raises_again(body: Sequence[ast.stmt], name: str | None) -> bool:
    """Say whether every way through a handler raises what it caught."""
    for statement in body:
        match statement:
            case ast.Raise(exc=None):
                return True
            case ast.Raise(exc=ast.Name(id=raised)):
                return raised == name
            case ast.If(body=then, orelse=otherwise) if otherwise:
                if _raises_again(then, name) and _raises_again(otherwise, name):
                    return True
            case ast.With(body=inner) | ast.Try(finalbody=inner):
                if _raises_again(inner, name):
                    return True
            case _:
                pass
        if any(isinstance(inner, _LEAVING) for inner in ast.walk(statement)):
            return False
    return False
