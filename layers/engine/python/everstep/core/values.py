"""Values of which a run has thousands: frozen, and quick to make all the same.

A frozen dataclass sets each of its fields by ``object.__setattr__``, which looks the field up by
its name; a replay makes several such values for every operation, and that is a good part of what
it takes. Here the fields are set by their slots themselves. In everything else these are frozen
dataclasses with slots, whose fields are given by name.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, TypeVar, dataclass_transform

from everstep.core.records import dataclass

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, frozen_default=True)
def frozen(made: type[T]) -> type[T]:
    """Make a class a frozen dataclass with slots; defaults are what stands in it, no factories.

    Raises:
        TypeError: A field's default is made by a factory.
    """
    kind = dataclass(frozen=True, slots=True, kw_only=True)(made)
    setters: dict[str, Any] = {}
    parameters, lines = [], []
    for field in fields(kind):  # type: ignore[arg-type] # the line before has made it one
        if field.default_factory is not MISSING:
            raise TypeError(f"{made.__name__}.{field.name} cannot have a factory")
        setters[f"set_{field.name}"] = getattr(kind, field.name).__set__
        setters[f"default_{field.name}"] = field.default
        given = "" if field.default is MISSING else f"=default_{field.name}"
        parameters.append(f"{field.name}{given}")
        lines.append(f"    set_{field.name}(self, {field.name})\n")
    source = f"def __init__(self, *, {', '.join(parameters)}):\n{''.join(lines)}"
    exec(source, setters)  # noqa: S102 - made of names of fields, as dataclasses do it
    init = setters["__init__"]
    init.__qualname__, init.__module__ = f"{made.__qualname__}.__init__", made.__module__
    kind.__init__ = init  # type: ignore[method-assign]
    return kind
