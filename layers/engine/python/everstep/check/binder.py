"""One walk over a module: which scope each node belongs to, and what binds each name."""

from __future__ import annotations

import ast
from contextlib import contextmanager
from typing import TYPE_CHECKING

from everstep import __all__ as EXPORTS  # noqa: N812
from everstep.check.scopes import (
    Annotated,
    Assigned,
    Binding,
    Defined,
    FunctionNode,
    Imported,
    Kept,
    Opaque,
    Parameter,
    Scope,
    ScopeKind,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Binder(ast.NodeVisitor):
    """Fills scopes from a tree.

    Attributes:
        scope_of: The scope in which a node is evaluated.
        nodes: Expressions and statements in source order, without annotations: they do nothing.
        scopes: The scope that each function opens.
        parents: The node that each node stands in.
    """

    def __init__(self, tree: ast.Module) -> None:
        """Walk the whole tree."""
        self.scope_of: dict[ast.AST, Scope] = {}
        self.nodes: list[ast.expr | ast.stmt] = []
        self.scopes: dict[FunctionNode, Scope] = {}
        self.parents: dict[ast.AST, ast.AST] = {
            inner: outer for outer in ast.walk(tree) for inner in ast.iter_child_nodes(outer)
        }
        self._scope = Scope(kind=ScopeKind.MODULE)
        self._in_annotation = False
        self.visit(tree)

    def visit(self, node: ast.AST) -> None:
        """Note where the node belongs, then go into it."""
        self.scope_of[node] = self._scope
        if isinstance(node, ast.expr | ast.stmt) and not self._in_annotation:
            self.nodes.append(node)
        super().visit(node)

    def encloses(self, outer: FunctionNode, inner: FunctionNode) -> bool:
        """Say whether a function is another one, or stands somewhere inside it."""
        scope: Scope | None = self.scopes[inner]
        while scope is not None and scope.function is not outer:
            scope = scope.parent
        return scope is not None

    # --- Imports ------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        """``import a.b`` binds ``a``; ``import a.b as c`` binds ``c`` to ``a.b``."""
        for alias in node.names:
            root = alias.name.partition(".")[0]
            target = alias.name if alias.asname else root
            self._scope.bind(alias.asname or root, Imported(target=target))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Bind to the full name; a relative one keeps its dots, and so is nothing known."""
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            # What a star brings is known of this package only.
            names = EXPORTS if (module, alias.name) == ("everstep", "*") else [alias.name]
            for name in names:
                self._scope.bind(alias.asname or name, Imported(target=f"{module}.{name}"))

    # --- Definitions --------------------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Decorators and defaults belong outside, parameters and body inside."""
        self._define(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """The same."""
        self._define(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """The same, without a name."""
        self._defaults(node.args)
        self._open_function(node, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Bases and decorators belong outside; the body has a scope that methods do not see."""
        self._scope.bind(node.name, Opaque())
        self._visit_all([*node.decorator_list, *node.bases, *node.keywords])
        with self._inside(Scope(kind=ScopeKind.CLASS, parent=self._scope)):
            self._visit_all(node.body)

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._scope.bind(node.name, Defined(function=node))
        self._visit_all(node.decorator_list)
        self._defaults(node.args)
        if node.returns is not None:
            self._annotation(node.returns)
        self._open_function(node, node.body)

    def _defaults(self, args: ast.arguments) -> None:
        self._visit_all([*args.defaults, *(each for each in args.kw_defaults if each is not None)])

    def _open_function(self, node: FunctionNode, body: Sequence[ast.AST]) -> None:
        scope = Scope(kind=ScopeKind.FUNCTION, parent=self._scope, function=node)
        self.scopes[node] = scope
        positional = [*node.args.posonlyargs, *node.args.args]
        named = [each for each in (node.args.vararg, node.args.kwarg) if each is not None]
        for each in (*positional, *node.args.kwonlyargs):
            position = positional.index(each) if each in positional else None
            scope.bind(each.arg, self._parameter(each, node, position))
        for each in named:
            # *args: int is a tuple of int: the annotation is not the type of the name.
            self._parameter(each, node, None)
            scope.bind(each.arg, Opaque())
        with self._inside(scope):
            self._visit_all(body)

    def _parameter(self, arg: ast.arg, function: FunctionNode, position: int | None) -> Parameter:
        annotation = None if arg.annotation is None else self._annotation(arg.annotation)
        return Parameter(name=arg.arg, annotation=annotation, function=function, position=position)

    def _annotation(self, annotation: ast.expr) -> ast.expr:
        """Visit an annotation, read from its quotes if it has some, and return it."""
        expression = unquoted(annotation)
        before, self._in_annotation = self._in_annotation, True
        self.visit(expression)
        self._in_annotation = before
        return expression

    # --- Statements that bind -----------------------------------------------------------------

    def visit_Assign(self, node: ast.Assign) -> None:
        """Bind each target to the value."""
        for target in node.targets:
            self._assign(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Bind to type and value."""
        annotation = self._annotation(node.annotation)
        if isinstance(node.target, ast.Name):
            self._scope.bind(node.target.id, Annotated(annotation=annotation, value=node.value))
        self._visit_all([node.target, *([node.value] if node.value is not None else [])])

    def visit_TypeAlias(self, node: ast.AST) -> None:
        """``type X = …`` binds ``X`` to what it stands for; Python 3.11 has no such node."""
        name, value = getattr(node, "name", None), getattr(node, "value", None)
        if isinstance(name, ast.Name) and isinstance(value, ast.expr):
            self._scope.bind(name.id, Assigned(value=value))
            self._annotation(value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """``x += …`` keeps what ``x`` is."""
        self._bind_names(node.target, Kept())
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """``:=`` binds outside of comprehensions."""
        scope = self._scope
        while scope.kind is ScopeKind.COMPREHENSION and scope.parent is not None:
            scope = scope.parent
        scope.bind(node.target.id, Assigned(value=node.value))
        self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> None:
        """``del x`` makes ``x`` a name of this scope."""
        for target in node.targets:
            self._bind_names(target, Kept())
        self.generic_visit(node)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        """The elements are not known."""
        self._bind_names(node.target, Opaque())
        self.generic_visit(node)

    visit_AsyncFor = visit_For  # noqa: N815

    def visit_withitem(self, node: ast.withitem) -> None:
        """Take what ``with`` gives for the context manager itself, as most managers do."""
        if node.optional_vars is not None:
            self._assign(node.optional_vars, node.context_expr)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """The exception is not known."""
        self._bind_optional(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        """Captures are not known."""
        self._bind_optional(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        """The same."""
        self._bind_optional(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """The same."""
        self._bind_optional(node.rest)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        """From here on the names are the module's."""
        self._scope.global_names.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        """From here on the names are an enclosing function's."""
        self._scope.nonlocal_names.update(node.names)

    # --- Comprehensions -----------------------------------------------------------------------

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        """The first iterable is evaluated outside, all else inside."""
        self._comprehension(node.generators, [node.elt])

    visit_SetComp = visit_GeneratorExp = visit_ListComp  # noqa: N815

    def visit_DictComp(self, node: ast.DictComp) -> None:
        """The same."""
        self._comprehension(node.generators, [node.key, node.value])

    def _comprehension(self, generators: list[ast.comprehension], elements: list[ast.expr]) -> None:
        self.visit(generators[0].iter)
        with self._inside(Scope(kind=ScopeKind.COMPREHENSION, parent=self._scope)):
            for generator in generators:
                self._bind_names(generator.target, Opaque())
                self._visit_all([generator.target, *generator.ifs])
            self._visit_all([*(each.iter for each in generators[1:]), *elements])

    # --- Tools --------------------------------------------------------------------------------

    @contextmanager
    def _inside(self, scope: Scope) -> Iterator[None]:
        before, self._scope = self._scope, scope
        yield
        self._scope = before

    def _visit_all(self, nodes: Sequence[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self._scope.bind(target.id, Assigned(value=value))
        elif pairs := _pairs(target, value):
            for each, its_value in pairs:
                self._assign(each, its_value)
        else:
            self._bind_names(target, Opaque())

    def _bind_names(self, target: ast.expr, binding: Binding) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                self._scope.bind(node.id, binding)

    def _bind_optional(self, name: str | None) -> None:
        if name is not None:
            self._scope.bind(name, Opaque())


def unquoted(annotation: ast.expr) -> ast.expr:
    """Return the expression that a quoted annotation holds; others, and broken ones, unchanged."""
    if not (isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)):
        return annotation
    try:
        return ast.parse(annotation.value.strip(), mode="eval").body
    except SyntaxError:
        return annotation


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """Return the pairs of ``a, b = x, y``; none if it is not that simple."""
    if not isinstance(target, ast.Tuple | ast.List) or not isinstance(value, ast.Tuple | ast.List):
        return []
    starred = any(isinstance(each, ast.Starred) for each in (*target.elts, *value.elts))
    if starred or len(target.elts) != len(value.elts):
        return []
    return list(zip(target.elts, value.elts, strict=True))
