"""Which functions are workflow code, which are steps, and how workflow code gets to a function."""

from __future__ import annotations

import ast
from collections import deque
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from everstep.check.known_types import CONTEXT, SAGA, STEP_DECORATOR, WORKFLOW_DECORATOR
from everstep.check.scopes import Parameter, ScopeKind

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        "itertools.filterfalse",
        "itertools.groupby",
        "itertools.starmap",
        "functools.reduce",
    }
)
_MAKERS: Final = {
    STEP_DECORATOR: STEP_DECORATOR,
    f"{STEP_DECORATOR}()": STEP_DECORATOR,
    f"{CONTEXT}.step": STEP_DECORATOR,
    f"{CONTEXT}.wait_for_condition": STEP_DECORATOR,
    f"{SAGA}.compensate": STEP_DECORATOR,
    WORKFLOW_DECORATOR: WORKFLOW_DECORATOR,
    f"{WORKFLOW_DECORATOR}()": WORKFLOW_DECORATOR,
}
# Methods of ctx that run functions as workflow code: position and names of those arguments.
_RUNNERS: Final[dict[str, tuple[int | None, tuple[str, ...]]]] = {
    f"{CONTEXT}.map": (0, ("fn",)),
    f"{CONTEXT}.parallel": (0, ("branches",)),
    f"{CONTEXT}.scope": (1, ()),
    f"{CONTEXT}.wait_for_condition": (None, ("until", "every")),
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
        self._declared = self._declared_workflows()
        self._follow(self._workflows())
        self._step_code = self._nested_in(self._steps | self._handed)

    def of(self, function: FunctionNode | None) -> Role | None:
        """Return the role of a function; None for others, and for code that runs at import."""
        if function in self._routes:
            return Role.WORKFLOW
        return Role.STEP if function in self._step_code else None

    @property
    def workflows(self) -> int:
        """Return how many functions are declared workflows."""
        return len(self._declared)

    @property
    def steps(self) -> int:
        """Return how many functions are declared steps, or handed to ``ctx.step``."""
        return len(self._steps | self._handed)

    @property
    def workflow_code(self) -> bool:
        """Return whether there is any workflow code."""
        return bool(self._routes)

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

    def _declared_workflows(self) -> set[FunctionNode]:
        made = self._made_by_call(WORKFLOW_DECORATOR)
        return {
            each
            for each in self._binder.scopes
            if each not in self._steps
            and (each in made or self._resolver.is_decorated(each, WORKFLOW_DECORATOR))
        }

    def _workflows(self) -> list[FunctionNode]:
        return [
            each
            for each in self._binder.scopes
            if each in self._declared or (each not in self._steps and self._takes_context(each))
        ]

    def _takes_context(self, function: FunctionNode) -> bool:
        return any(
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
                    made.update(self._resolver.functions_of(node.args[0]))
        return made

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
                if node not in self._handed and self._is_workflow_code(node):
                    yield node, route
            elif isinstance(node, ast.Call):
                for reached in self._called(node):
                    inside = self._binder.encloses(function, reached)
                    yield reached, route if inside else (*route, name_of_function(reached))

    def _is_workflow_code(self, nested: FunctionNode) -> bool:
        """Say whether a function inside workflow code is such code, even if none calls it there.

        What is only passed on may be on its way to ``ctx.step``; methods hardly are.
        """
        around = self._binder.scopes[nested].parent
        if isinstance(nested, ast.AsyncFunctionDef) or (around and around.kind is ScopeKind.CLASS):
            return True
        return any(
            isinstance(node, ast.Name) and self._resolver.name_of(node) == CONTEXT
            for node in self._own_nodes.get(nested, ())
        )

    def _called(self, call: ast.Call) -> Iterator[FunctionNode]:
        yield from self._resolver.functions_of(call.func)
        sorts = isinstance(call.func, ast.Attribute) and call.func.attr == "sort"
        if sorts or self._resolver.name_of(call.func) in _CALLERS:
            for value in (*call.args, *(each.value for each in call.keywords)):
                yield from self._resolver.functions_of(value)
        for value in self._run_by_context(call):
            yield from self._resolver.functions_of(value)

    def _run_by_context(self, call: ast.Call) -> Iterator[ast.expr]:
        """Yield the arguments that an operation runs as branches, or to find out how to go on."""
        at, names = _RUNNERS.get(self._resolver.name_of(call.func) or "", (None, ()))
        yield from () if at is None else call.args[at : at + 1]
        yield from (each.value for each in call.keywords if each.arg in names)

    def _nested_in(self, functions: set[FunctionNode]) -> set[FunctionNode]:
        found: set[FunctionNode] = set()
        # Those outside come before those inside them.
        for function, scope in self._binder.scopes.items():
            outer = None if scope.parent is None else scope.parent.owner
            if function in functions or outer in found:
                found.add(function)
        return found


def name_of_function(function: FunctionNode) -> str:
    """Return the name for messages."""
    return "a lambda" if isinstance(function, ast.Lambda) else function.name
