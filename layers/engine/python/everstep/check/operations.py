"""Operations that are created and dropped: the engine stalls the run for it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from everstep.check import rules
from everstep.check.analysis import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.check.analysis import Analysis

# The methods of ctx that return an operation.
OPERATIONS: Final = ("step", "sleep", "sleep_until")


def dropped_operations(analysis: Analysis, node: ast.AST) -> Iterator[Mistake]:
    """Yield operations that nothing can await any more."""
    match node:
        case ast.Expr(value=value):
            dropped = True
        case ast.Assign(targets=[ast.Name() as target], value=value):
            dropped = not _is_read(analysis, target)
        case _:
            return
    if dropped and isinstance(value, ast.Call) and analysis.is_operation(value, OPERATIONS):
        called = ast.unparse(value.func)
        yield Mistake(
            node=value,
            code=rules.NOT_AWAITED,
            message=f"{called}(…) only creates the operation, and nothing awaits it",
            mend=f"write await {called}(…)",
        )


def _is_read(analysis: Analysis, target: ast.Name) -> bool:
    home = analysis.home_of(target)
    return any(
        isinstance(node, ast.Name)
        and node.id == target.id
        and isinstance(node.ctx, ast.Load)
        and analysis.home_of(node) is home
        for node in analysis.nodes
    )
