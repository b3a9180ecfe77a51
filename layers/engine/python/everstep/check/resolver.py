"""What an expression stands for, as a dotted name: ``time.time``, ``pathlib.Path()``.

``X()`` is the object that calling ``X`` gives, so ``pathlib.Path().read_text`` is a method of a
path, wherever the path came from. Names are followed through imports, assignments and annotations,
without regard to the order of statements: all that binds a name must agree, else nothing is known,
and what is not known is never reported.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING, Final

from everstep.check.known_types import (
    BARE_ANNOTATIONS,
    CONTAINERS,
    CONTEXT,
    SEEDABLE,
    SETS,
    STEP,
    STEP_DECORATOR,
    TRANSPARENT_ANNOTATIONS,
    WORKFLOW_DECORATOR,
    awaited,
    canonical,
)
from everstep.check.scopes import (
    Annotated,
    Assigned,
    Binding,
    Defined,
    FunctionNode,
    Imported,
    Kept,
    Parameter,
    Scope,
)

if TYPE_CHECKING:
    from typing import TypeAlias

    from everstep.check.binder import Binder

    _Key: TypeAlias = tuple[Scope, str]

# Stands for a name that is being resolved right now, as in path = path / "x": agrees with all.
_ITSELF: Final = "?"
# Chains of names longer than this are given up.
_DEPTH: Final = 8
_SET_OPERATORS: Final = (ast.BitOr, ast.BitAnd, ast.Sub, ast.BitXor)


class Resolver:
    """Answers questions about the expressions of one module."""

    def __init__(self, binder: Binder) -> None:
        """Keep the scopes."""
        self._scope_of = binder.scope_of
        self._open: list[_Key] = []
        # What is known for good, and what is while a question is open: for the time being.
        self._known: dict[_Key, str | None] = {}
        self._so_far: dict[_Key, str | None] = {}
        self._names: dict[ast.expr, str | None] = {}

    def name_of(self, expression: ast.expr) -> str | None:
        """Return the dotted name of what an expression stands for; None if it is not known."""
        if expression not in self._names:
            found = self._name_of(expression)
            if self._open:  # it may have been asked in a circle
                return found
            self._names[expression] = found
        return self._names[expression]

    def _name_of(self, expression: ast.expr) -> str | None:
        match expression:
            case ast.Name():
                return self._variable(expression)
            case ast.Attribute():
                base = self.name_of(expression.value)
                return None if base is None else canonical(f"{base}.{expression.attr}")
            case ast.Call():
                return self._call(expression)
            case ast.NamedExpr():
                return self.name_of(expression.value)
            case ast.Await():
                return awaited(self.name_of(expression.value) or "")
            case ast.BinOp():
                return self._operation(expression)
            case ast.IfExp():
                return _agreed([self.name_of(expression.body), self.name_of(expression.orelse)])
            case _:
                return _display(expression)

    def callee_of(self, call: ast.Call) -> str | None:
        """Return the dotted name of what is called; ``Queue[int]()`` calls ``Queue``."""
        called = call.func
        return self.name_of(called.value if isinstance(called, ast.Subscript) else called)

    def home_of(self, name: ast.Name) -> Scope | None:
        """Return the scope that a name belongs to; None for built-in names."""
        return self._scope_of[name].find(name.id)

    def owner_of(self, node: ast.AST) -> FunctionNode | None:
        """Return the function whose code a node is; None at import, and inside annotations."""
        scope = self._scope_of.get(node)
        return None if scope is None else scope.owner

    def functions_of(self, expression: ast.expr) -> list[FunctionNode]:
        """Return the functions of this module that an expression may stand for, or holds."""
        found: dict[FunctionNode, None] = {}
        waiting = [expression]
        seen: set[_Key] = set()
        while waiting:
            part = waiting.pop()
            if isinstance(part, ast.Lambda):
                found[part] = None
            elif isinstance(part, ast.Name):
                if (home := self.home_of(part)) is None or (home, part.id) in seen:
                    continue
                seen.add((home, part.id))
                found.update(dict.fromkeys(home.functions(part.id)))
                waiting += home.values(part.id)
            else:
                waiting += self._parts_of(part)
        return list(found)

    def _parts_of(self, expression: ast.expr) -> list[ast.expr]:
        """Return expressions of which this is one, or which it holds."""
        match expression:
            case ast.IfExp(body=body, orelse=otherwise):
                return [body, otherwise]
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.BoolOp(values=parts):
                return parts
            case ast.Dict(values=parts):
                return parts
            case ast.ListComp(elt=part) | ast.GeneratorExp(elt=part) | ast.DictComp(value=part):
                return [part]
            case ast.Subscript(value=value) | ast.NamedExpr(value=value):
                return [value]
            case ast.Call(func=called, args=[first, *_]):
                return [first] if self.name_of(called) == "functools.partial" else []
            case _:
                return []

    def is_decorated(self, function: FunctionNode, decorator: str) -> bool:
        """Say whether a function has a decorator, with or without parentheses."""
        names = [] if isinstance(function, ast.Lambda) else function.decorator_list
        return any(self.name_of(each) in (decorator, f"{decorator}()") for each in names)

    def type_of(self, annotation: ast.expr) -> str | None:
        """Return what an annotation says a value is, as ``X()``."""
        inner = self._unwrapped(annotation)
        if inner is None or (name := self.name_of(inner)) is None:
            return None
        return canonical(f"{name}(seed)" if name in SEEDABLE else f"{name}()")

    # --- Names ----------------------------------------------------------------------------------

    def _variable(self, name: ast.Name) -> str | None:
        home = self.home_of(name)
        if home is None:
            return f"builtins.{name.id}" if hasattr(builtins, name.id) else None
        key = (home, name.id)
        if key in self._known:
            return self._known[key]
        if key in self._open:
            return _ITSELF
        if key in self._so_far:
            return self._so_far[key]
        if len(self._open) > _DEPTH:
            return None
        self._open.append(key)
        found = _agreed([self._binding(each) for each in home.bindings[name.id]])
        self._open.pop()
        # Else it may have been asked in a circle: that holds for this question only.
        self._so_far[key] = found
        if not self._open:
            self._known[key] = found
            self._so_far.clear()
        return found

    def _binding(self, binding: Binding) -> str | None:
        match binding:
            case Imported(target=target):
                return canonical(target)
            case Assigned(value=value):
                return _ITSELF if _is_none(value) else self.name_of(value)
            case Annotated(annotation=annotation, value=value):
                found = self.type_of(annotation)
                # How it was made says more than the class, but not for what has items.
                if value is None or found in SETS | CONTAINERS:
                    return found
                return self.name_of(value) or found
            case Defined(function=function):
                return STEP if self.is_decorated(function, STEP_DECORATOR) else None
            case Parameter():
                return self._parameter(binding)
            case Kept():
                return _ITSELF
            case _:
                return None

    def _parameter(self, parameter: Parameter) -> str | None:
        if parameter.annotation is not None:
            return self.type_of(parameter.annotation)
        function = parameter.function
        # Not annotated: the first one of a workflow, or what everybody calls ctx.
        first = parameter.position == 0 and self.is_decorated(function, WORKFLOW_DECORATOR)
        named = parameter.name == "ctx" and isinstance(function, ast.AsyncFunctionDef)
        return CONTEXT if first or named else None

    # --- Expressions ----------------------------------------------------------------------------

    def _call(self, call: ast.Call) -> str | None:
        called = self.callee_of(call)
        if called is None:
            return None
        if called == STEP_DECORATOR and call.args:
            return STEP
        if called in SEEDABLE and _is_seeded(call):
            return f"{called}(seed)"
        return canonical(f"{called}()")

    def _operation(self, operation: ast.BinOp) -> str | None:
        left = self.name_of(operation.left)
        if isinstance(operation.op, ast.Div):
            return left if left in (_ITSELF, "pathlib.Path()") else None
        if not isinstance(operation.op, _SET_OPERATORS):
            return None
        if left in SETS or left == _ITSELF:
            return left
        right = self.name_of(operation.right)
        return right if right in SETS else None

    def _unwrapped(self, annotation: ast.expr) -> ast.expr | None:
        """Return the class in ``X[…]``, ``X | None``, ``Optional[X]``, ``Annotated[X, …]``."""
        match annotation:
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                sides = [each for each in (left, right) if not _is_none(each)]
                return self._unwrapped(sides[0]) if len(sides) == 1 else None
            case ast.Subscript(value=value, slice=inner):
                if self.name_of(value) not in TRANSPARENT_ANNOTATIONS:
                    return value
                first = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
                return self._unwrapped(first)
            case _:
                bare = self.name_of(annotation) in BARE_ANNOTATIONS
                return None if bare else annotation


def _agreed(found: list[str | None]) -> str | None:
    """Return the one name that all agree on."""
    names = {each for each in found if each is None or not each.startswith(_ITSELF)}
    return names.pop() if len(names) == 1 else None


def _display(expression: ast.expr) -> str | None:
    match expression:
        case ast.Set() | ast.SetComp():
            return "builtins.set()"
        case ast.List() | ast.ListComp():
            return "builtins.list()"
        case ast.Dict() | ast.DictComp():
            return "builtins.dict()"
        case _:
            return None


def _is_none(expression: ast.expr) -> bool:
    return isinstance(expression, ast.Constant) and expression.value is None


def _is_seeded(call: ast.Call) -> bool:
    given = [*call.args, *(each.value for each in call.keywords)]
    return bool(given) and not _is_none(given[0])
