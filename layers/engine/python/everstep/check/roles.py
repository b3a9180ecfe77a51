"""Which functions are workflow code, which are steps, and how workflow code gets to a function."""

from __future__ import annotations

import ast
from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from everstep.check.known_types import CONTEXT, STEP_DECORATOR, WORKFLOW_DECORATOR
from everstep.check.scopes import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from everstep.check.binder import Binder
    from everstep.check.resolver import Resolver
    from everstep.check.scopes import FunctionNode

# Built-in functions that call what they are given.
_CALLERS: Final = frozenset(
    {
        "builtins.filter",
        "builtins.map",
        "builtins.max",
        "builtins.min",
        "builtins.sorted",
        "functools.partial",
        "functools.reduce",
    }
)
_MAKERS: Final = {
    STEP_DECORATOR: STEP_DECORATOR,
    f"{STEP_DECORATOR}()": STEP_DECORATOR,
    f"{CONTEXT}.step": STEP_DECORATOR,
    WORKFLOW_DECORATOR: WORKFLOW_DECORATOR,
    f"{WORKFLOW_DECORATOR}()": WORKFLOW_DECORATOR,
}


class Role(StrEnum):
    """What a function is to the engine."""

    WORKFLOW = "workflow"
    STEP = "step"


class Roles:
    """The role of each function of a module; functions that have none are not checked.

    A function that workflow code calls is workflow code, even if it also serves as a step.
    """

    def __init__(self, binder: Binder, resolver: Resolver) -> None:
        """Find workflows and steps, then follow the calls."""
        self._binder = binder
        self._resolver = resolver
        self._routes: dict[FunctionNode, tuple[str, ...]] = {}
        self._steps = self._declared_steps()
        self._handed = self._made_by_call(STEP_DECORATOR)
        self._own_nodes = self._by_owner()
        self._follow(self._workflows())
        self._step_code = self._nested_in(self._steps | self._handed)

    def of(self, function: FunctionNode | None) -> Role | None:
        """Return the role of a function; None for others, and for code that runs at import."""
        if function in self._routes:
            return Role.WORKFLOW
        return Role.STEP if function in self._step_code else None

    def route_to(self, function: FunctionNode | None) -> tuple[str, ...]:
        """Return the names from a workflow to a function that it calls; none if it is inside."""
        route = () if function is None else self._routes.get(function, ())
        return route if len(route) > 1 else ()

    # --- Declarations ---------------------------------------------------------------------------

    def _declared_steps(self) -> set[FunctionNode]:
        return {
            each
            for each in self._binder.scopes
            if self._resolver.is_decorated(each, STEP_DECORATOR)
        }

    def _workflows(self) -> list[FunctionNode]:
        made = self._made_by_call(WORKFLOW_DECORATOR)
        return [
            each
            for each in self._binder.scopes
            if each not in self._steps and (each in made or self._is_workflow(each))
        ]

    def _is_workflow(self, function: FunctionNode) -> bool:
        return self._resolver.is_decorated(function, WORKFLOW_DECORATOR) or any(
            self._resolver.type_of(annotation) == CONTEXT
            for annotation in self._annotations_of(function)
        )

    def _annotations_of(self, function: FunctionNode) -> Iterator[ast.expr]:
        for bindings in self._binder.scopes[function].bindings.values():
            for each in bindings:
                if isinstance(each, Parameter) and each.annotation is not None:
                    yield each.annotation

    def _made_by_call(self, decorator: str) -> set[FunctionNode]:
        """Return what is handed to ``ctx.step(fn, …)``, ``step(fn)``, ``step(…)(fn)``."""
        made: set[FunctionNode] = set()
        for node in self._binder.nodes:
            if isinstance(node, ast.Call) and node.args:
                name = self._resolver.name_of(node.func)
                if name is not None and _MAKERS.get(name) == decorator:
                    made.update(self._resolver.functions_of(self._without_partial(node.args[0])))
        return made

    def _without_partial(self, expression: ast.expr) -> ast.expr:
        if isinstance(expression, ast.Call) and expression.args:
            name = self._resolver.name_of(expression.func)
            return expression.args[0] if name == "functools.partial" else expression
        return expression

    # --- Following calls ------------------------------------------------------------------------

    def _by_owner(self) -> dict[FunctionNode, list[ast.expr | ast.stmt]]:
        nodes: dict[FunctionNode, list[ast.expr | ast.stmt]] = {}
        for node in self._binder.nodes:
            owner = self._resolver.owner_of(node)
            if owner is not None:
                nodes.setdefault(owner, []).append(node)
        return nodes

    def _follow(self, workflows: list[FunctionNode]) -> None:
        self._routes.update((each, (name_of_function(each),)) for each in workflows)
        waiting = deque(workflows)
        while waiting:
            function = waiting.popleft()
            for reached, route in self._reached_from(function):
                if reached not in self._routes and reached not in self._steps:
                    self._routes[reached] = route
                    waiting.append(reached)

    def _reached_from(
        self, function: FunctionNode
    ) -> Iterator[tuple[FunctionNode, tuple[str, ...]]]:
        route = self._routes[function]
        for node in self._own_nodes.get(function, ()):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                if node not in self._handed:
                    yield node, route
            elif isinstance(node, ast.Call):
                for reached in self._called(node):
                    inside = self._binder.encloses(function, reached)
                    yield reached, route if inside else (*route, name_of_function(reached))

    def _called(self, call: ast.Call) -> Iterable[FunctionNode]:
        yield from self._resolver.functions_of(call.func)
        if self._resolver.name_of(call.func) in _CALLERS:
            for value in (*call.args, *(each.value for each in call.keywords)):
                # A partial may also be on its way to ctx.step.
                for each in self._resolver.functions_of(value):
                    if each not in self._handed:
                        yield each

    def _nested_in(self, functions: set[FunctionNode]) -> set[FunctionNode]:
        return {
            each
            for each in self._binder.scopes
            if any(self._binder.encloses(outer, each) for outer in functions)
        }


def name_of_function(function: FunctionNode) -> str:
    """Return the name for messages."""
    return "a lambda" if isinstance(function, ast.Lambda) else function.name
