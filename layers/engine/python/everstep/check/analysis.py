"""A module as the rules look at it."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

from everstep.check.binder import Binder
from everstep.check.resolver import Resolver
from everstep.check.roles import Role, Roles

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from everstep.check.scopes import FunctionNode, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """What a rule found; ``node`` says where."""

    node: ast.expr | ast.stmt | ast.ExceptHandler
    code: str
    message: str
    mend: str


class Analysis:
    """Everything that is known of a module.

    Attributes:
        nodes: Expressions and statements in source order.
        names: All uses of each name.
        sorted_in_place: Names of which ``.sort`` is taken.
    """

    def __init__(self, tree: ast.Module) -> None:
        """Bind names, then find workflows and steps."""
        binder = Binder(tree)
        self.nodes = binder.nodes
        self._resolver = Resolver(binder)
        self._roles = Roles(binder, self._resolver)
        self._scopes = binder.scopes
        self._parents = binder.parents
        self.names: dict[str, list[ast.Name]] = {}
        self.sorted_in_place: set[str] = set()
        for node in self.nodes:
            self._note(node)

    @property
    def workflows(self) -> int:
        """Return how many functions are declared workflows."""
        return self._roles.workflows

    @property
    def steps(self) -> int:
        """Return how many functions are steps, by decorator or because they are used as one."""
        return self._roles.steps

    @property
    def workflow_code(self) -> bool:
        """Return whether there is any workflow code."""
        return self._roles.workflow_code

    def name_of(self, expression: ast.expr) -> str:
        """Return the dotted name of what an expression stands for; empty if it is not known."""
        return self._resolver.name_of(expression) or ""

    def callee_of(self, call: ast.Call) -> str:
        """Return the dotted name of what is called; empty if it is not known."""
        return self._resolver.callee_of(call) or ""

    def role_of(self, node: ast.AST) -> Role | None:
        """Return the role of the code that a node belongs to."""
        return self._roles.of(self._resolver.owner_of(node))

    def route_to(self, node: ast.AST) -> tuple[str, ...]:
        """Return the functions through which workflow code gets to a node; none if it is in one."""
        return self._roles.route_to(self._resolver.owner_of(node))

    def home_of(self, name: ast.Name) -> Scope | None:
        """Return the scope that a name belongs to; None for built-in names."""
        return self._resolver.home_of(name)

    def role_of_home(self, home: Scope) -> Role | None:
        """Return the role of the function that has the scope; None for a module."""
        return self._roles.of(home.owner)

    def scope_of_function(self, node: ast.AST) -> Scope | None:
        """Return the scope of the function that a node belongs to."""
        owner = self._resolver.owner_of(node)
        return None if owner is None else self._scopes[owner]

    def calls(self, expression: ast.expr, names: Collection[str]) -> bool:
        """Say whether an expression calls one of these functions or methods."""
        return isinstance(expression, ast.Call) and self.name_of(expression.func) in names

    def uses(self, node: ast.AST, names: Iterable[str]) -> bool:
        """Say whether a node calls one of these methods, or a method of what one gives."""
        if not isinstance(node, ast.Call):
            return False
        called = self.name_of(node.func)
        return any(called == name or called.startswith(f"{name}().") for name in names)

    def parent_of(self, node: ast.AST) -> ast.AST | None:
        """Return the node that a node stands in; None for the module."""
        return self._parents.get(node)

    def within(self, nodes: Iterable[ast.AST], owner_of: ast.AST) -> Iterator[ast.AST]:
        """Yield all nodes inside some nodes, without those of nested functions."""
        owner = self._owner(owner_of)
        for top in nodes:
            for node in ast.walk(top):
                if not isinstance(node, ast.expr | ast.stmt) or self._owner(node) is owner:
                    yield node

    def awaits(self, nodes: Iterable[ast.AST], owner_of: ast.AST) -> bool:
        """Say whether some nodes await anything, nested functions left out."""
        return any(
            isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith)
            or (isinstance(node, ast.comprehension) and bool(node.is_async))
            for node in self.within(nodes, owner_of)
        )

    def _note(self, node: ast.expr | ast.stmt) -> None:
        match node:
            case ast.Name(id=name):
                self.names.setdefault(name, []).append(node)
            case ast.Attribute(value=ast.Name(id=name), attr="sort"):
                self.sorted_in_place.add(name)
            case _:
                pass

    def _owner(self, node: ast.AST) -> FunctionNode | None:
        return self._resolver.owner_of(node)


def root_of(expression: ast.expr) -> ast.expr:
    """Return what stands at the beginning of ``a.b[c].d``."""
    while isinstance(expression, ast.Attribute | ast.Subscript):
        expression = expression.value
    return expression
