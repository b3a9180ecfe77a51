"""The types of a function's parameters and result, wherever the function was defined."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from functools import cached_property
from typing import Any, Final

from everstep.core.errors import DefinitionError

MISSING: Final = inspect.Parameter.empty


class Annotations:
    """Reads a function's annotations when first needed, so that forward references work.

    Names that are local to the function in which a definition stands are found too.
    """

    def __init__(self, fn: Any, names: dict[str, Any]) -> None:  # noqa: ANN401 - any callable
        """Keep the function and the local names of the place where it is defined."""
        self._fn = fn
        self._names = names

    @cached_property
    def hints(self) -> dict[str, Any]:
        """Return the evaluated annotations by parameter name, ``return`` for the result.

        Raises:
            DefinitionError: An annotation names something that does not exist.
        """
        try:
            return typing.get_type_hints(
                _annotated(self._fn), localns=self._names or None, include_extras=True
            )
        except NameError as error:
            name = getattr(self._fn, "__qualname__", repr(self._fn))
            raise DefinitionError(
                f"an annotation of {name} cannot be resolved: {error}; "
                "import the type at module level (not under TYPE_CHECKING)"
            ) from error

    def of(self, parameter: str) -> object:
        """Return the annotation of a parameter, or of the result for ``return``."""
        return self.hints.get(parameter, MISSING)


def _annotated(fn: Any) -> Any:  # noqa: ANN401 - any callable
    """Return what carries the annotations: a partial's function, an object's ``__call__``."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    return fn if inspect.isroutine(fn) or inspect.isclass(fn) else fn.__call__


def local_names(depth: int) -> dict[str, Any]:
    """Return the local names of a calling function; none for code at module level."""
    frame = sys._getframe(depth + 1)  # noqa: SLF001 - as pydantic finds names for its models
    return {} if frame.f_locals is frame.f_globals else dict(frame.f_locals)
