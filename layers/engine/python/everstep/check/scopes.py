"""Scopes and what binds a name in them: just enough to know what a name stands for."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

FunctionNode: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """Bound by an import; ``target`` is the full dotted name."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Bound to the value of an expression, by an assignment or as a context manager."""

    value: ast.expr


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotated:
    """Bound with a type, and perhaps a value."""

    annotation: ast.expr
    value: ast.expr | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a function; ``position`` is None where it has none that is fixed."""

    name: str
    annotation: ast.expr | None
    function: FunctionNode
    position: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Defined:
    """Bound by a ``def``."""

    function: ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Opaque:
    """Bound to something that is not known: a class, an element, an exception."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Changed in place or deleted: what the name stands for is said elsewhere."""


Binding: TypeAlias = Imported | Assigned | Annotated | Parameter | Defined | Opaque | Kept


class ScopeKind(StrEnum):
    """What kind of code has the scope."""

    MODULE = "module"
    FUNCTION = "function"
    CLASS = "class"
    COMPREHENSION = "comprehension"


@dataclass(slots=True, kw_only=True, eq=False)
class Scope:
    """The names of one module, function, class or comprehension."""

    kind: ScopeKind
    parent: Scope | None = None
    function: FunctionNode | None = None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    global_names: set[str] = field(default_factory=set)
    nonlocal_names: set[str] = field(default_factory=set)

    def bind(self, name: str, binding: Binding) -> None:
        """Note a binding in the scope that the name belongs to."""
        home = self._home(name)
        home.bindings.setdefault(name, []).append(binding)

    def find(self, name: str) -> Scope | None:
        """Return the scope that a name read here belongs to; None for built-in names."""
        if name in self.global_names:
            return self.module
        if name in self.nonlocal_names and self.parent is not None:
            return self.parent.find(name)
        for scope in self._visible():
            if name in scope.bindings:
                return scope
        return None

    def functions(self, name: str) -> list[FunctionNode]:
        """Return the functions that a name is defined as."""
        return [each.function for each in self.bindings[name] if isinstance(each, Defined)]

    def values(self, name: str) -> list[ast.expr]:
        """Return the expressions that a name is assigned."""
        return [each.value for each in self.bindings[name] if isinstance(each, Assigned)]

    @property
    def module(self) -> Scope:
        """Return the scope of the module."""
        return self if self.parent is None else self.parent.module

    @property
    def owner(self) -> FunctionNode | None:
        """Return the function whose code this is; None for code that runs at import."""
        if self.function is not None or self.parent is None:
            return self.function
        return self.parent.owner

    def _visible(self) -> Iterator[Scope]:
        """Yield this scope and those around it; a class is seen by its own body only."""
        yield self
        scope = self.parent
        while scope is not None:
            if scope.kind is not ScopeKind.CLASS:
                yield scope
            scope = scope.parent

    def _home(self, name: str) -> Scope:
        if name in self.global_names:
            return self.module
        if name in self.nonlocal_names and self.parent is not None:
            return self.parent.find(name) or self.parent
        return self
