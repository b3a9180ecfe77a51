"""Operations that are created and dropped: the engine stalls the run for it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from everstep.check import rules
from everstep.check.analysis import Mistake
from everstep.check.known_types import CHILD, CONTEXT, SAGA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.check.analysis import Analysis

_METHODS: Final = """
    step sleep sleep_until gather race map parallel scope wait_for wait_for_event
    wait_for_condition start call send_event continue_as_new
    """
# The methods that return an operation, of ctx and of child runs.
OPERATIONS: Final = frozenset(
    {
        *(f"{CONTEXT}.{name}" for name in _METHODS.split()),
        *(f"{CHILD}.{name}" for name in ("result", "send_event", "cancel")),
    }
)
# Those, and the ones that give something else with each call: their order counts.
ORDERED: Final = OPERATIONS | {
    *(f"{CONTEXT}.{name}" for name in ("random", "uuid", "callback")),
    f"{SAGA}.compensate",
}


def dropped_operations(analysis: Analysis, node: ast.AST) -> Iterator[Mistake]:
    """Yield operations that nothing can await any more."""
    match node:
        case ast.Expr(value=value):
            dropped = True
        case ast.Assign(targets=[ast.Name() as target], value=value):
            dropped = not _is_read(analysis, target)
        case ast.AnnAssign(target=ast.Name() as target, value=ast.expr() as value):
            dropped = not _is_read(analysis, target)
        case _:
            return
    for call in _created(value) if dropped else ():
        if analysis.calls(call, OPERATIONS):
            called = ast.unparse(call.func)
            yield Mistake(
                node=call,
                code=rules.NOT_AWAITED,
                message=f"{called}(…) only creates the operation, and nothing awaits it",
                mend=f"write await {called}(…)",
            )


def _created(value: ast.expr) -> Iterator[ast.Call]:
    """Yield the calls whose results a value is, or holds."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case ast.Call() as call:
                yield call
            case ast.IfExp(body=body, orelse=otherwise):
                waiting += (body, otherwise)
            case ast.BoolOp(values=parts):
                waiting += parts
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                waiting += parts
            case ast.ListComp(elt=element):
                waiting.append(element)
            case _:
                pass


def _is_read(analysis: Analysis, target: ast.Name) -> bool:
    home = analysis.home_of(target)
    return any(
        isinstance(name.ctx, ast.Load) and analysis.home_of(name) is home
        for name in analysis.names[target.id]
    )
