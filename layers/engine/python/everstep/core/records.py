"""Dataclasses as ``dataclasses`` makes them, in a third of the time.

Every cold start makes all classes anew, and most of what the engine is made of are small frozen
ones: making their methods took longer than everything else in its modules. ``dataclasses`` writes,
compiles and runs code for each of up to eight methods of a class. Here the constructor alone is
written; the other methods are the same functions for all classes.

Type checkers see the decorator of ``dataclasses``, whose ``field``, ``fields``, ``replace`` and
``asdict`` work as ever. Fields and slots are made by it, too. ``replace`` is here again in a third
of its time: each step copies its record, its message and its history with something changed.
"""

from __future__ import annotations

import dataclasses
import sys
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["dataclass", "replace"]

_ABSENT: Final = "_absent"
_VALUES: Final = "__record_values__"
"""Where a class keeps what returns the fields by which its objects are compared."""


def _equal(self: Any, other: Any) -> Any:  # noqa: ANN401 - it may be NotImplemented
    if other.__class__ is not self.__class__:
        return NotImplemented
    values = self.__record_values__
    return values(self) == values(other)


def _hash(self: Any) -> int:  # noqa: ANN401 - any record
    return hash(self.__record_values__(self))


@recursive_repr()
def _shown(self: Any) -> str:  # noqa: ANN401 - any record
    shown = (f"{f.name}={getattr(self, f.name)!r}" for f in dataclasses.fields(self) if f.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _no_change(self: object, name: str, value: object) -> NoReturn:
    del self, value
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _no_removal(self: object, name: str) -> NoReturn:
    del self
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:  # noqa: ANN401 - any record
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _restore(self: Any, state: list[object]) -> None:  # noqa: ANN401 - any record
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


# What a copy of an object without a dictionary is made from, which may not be assigned to.
_FROZEN: Final = {
    "__setattr__": _no_change,
    "__delattr__": _no_removal,
    "__getstate__": _state,
    "__setstate__": _restore,
}

# What objects are made of while their fields are set: Python assigns to them without a detour.
_OPEN: Final = {
    "__slots__": (),
    "__setattr__": object.__setattr__,
    "__delattr__": object.__delattr__,
}
_BECOME: Final = vars(object)["__class__"].__set__
_MANY: Final = 8


def _made(cls: type, *, frozen: bool, kw_only: bool, eq: bool) -> type:
    # Python itself says None of the hash of a class that says what is equal.
    own = {name for name, value in vars(cls).items() if value is not None}
    made: type = dataclasses.dataclass(
        init=False, repr=False, eq=False, slots=True, kw_only=kw_only
    )(cls)
    methods: dict[str, Any] = {"__init__": _constructor(made, frozen=frozen), "__repr__": _shown}
    if eq:
        setattr(made, _VALUES, _compared(made))
        methods |= {"__eq__": _equal, "__hash__": _hash if frozen else None}
    if frozen:
        methods |= _FROZEN
    for name, method in methods.items():
        if name not in own:
            setattr(made, name, method)
    return made


def _compared(cls: Any) -> Any:  # noqa: ANN401 - from any record to its values
    names = [each.name for each in dataclasses.fields(cls) if each.compare] or ["__class__"]
    # At least two, so that it returns a tuple; what is compared twice is still equal.
    return attrgetter(*names, names[0])


def _constructor(cls: Any, *, frozen: bool) -> Any:  # noqa: ANN401 - of any record
    """Return what sets the fields of a new object."""
    fields = dataclasses.fields(cls)
    given: dict[str, object] = {_ABSENT: dataclasses.MISSING}
    valued = [(at, each, _value(each, at, given)) for at, each in enumerate(fields)]
    found = [(at, each.name, value) for at, each, value in valued if value is not None]
    lines = _assigned(cls, found, given) if frozen else [f"self.{n}={v}" for _, n, v in found]
    lines.append("self.__post_init__()" if hasattr(cls, "__post_init__") else "return")
    parameters = _parameters([each for each in fields if each.init], given)
    head = [f"def make({','.join(given)}):", f" def __init__({parameters}):"]
    made: dict[str, Any] = {}
    text = "\n".join([*head, *[f"  {line}" for line in lines], " return __init__"])
    exec(text, vars(sys.modules[cls.__module__]), made)  # noqa: S102 - as dataclasses does
    constructor = made["make"](**given)
    constructor.__qualname__ = f"{cls.__qualname__}.__init__"
    types = {each.name: each.type for each in fields if each.init}
    constructor.__annotations__ = types | {"return": None}
    return constructor


def _assigned(
    cls: Any,  # noqa: ANN401 - any record
    found: list[tuple[int, str, str]],
    given: dict[str, object],
) -> list[str]:
    """Return what sets fields to which nothing can be assigned.

    Through their slots. Many of them are set faster while the object is of a class to whose
    objects one can assign: that takes as long as three slots, whatever there is to set.
    """
    if len(found) < _MANY:
        given.update({f"_set{at}": getattr(cls, name).__set__ for at, name, _ in found})
        return [f"_set{at}(self,{value})" for at, _, value in found]
    given["_open"], given["_become"] = type("_Open", (cls,), dict(_OPEN)), _BECOME
    return [
        "_class=self.__class__",
        "_become(self,_open)",
        *[f"self.{name}={value}" for _, name, value in found],
        "self.__class__=_class",
    ]


def _value(each: dataclasses.Field[Any], at: int, given: dict[str, object]) -> str | None:
    """Return what a field is set to, None for nothing; what that needs is given by name."""
    if each.default_factory is not dataclasses.MISSING:
        given[f"_new{at}"] = each.default_factory
        return (
            f"_new{at}() if {each.name} is {_ABSENT} else {each.name}"
            if each.init
            else f"_new{at}()"
        )
    if each.default is not dataclasses.MISSING:
        given[f"_default_{each.name}"] = each.default
        return each.name if each.init else f"_default_{each.name}"
    return each.name if each.init else None


def _parameters(fields: list[dataclasses.Field[Any]], given: dict[str, object]) -> str:
    positional = [_parameter(each, given) for each in fields if not each.kw_only]
    named = [_parameter(each, given) for each in fields if each.kw_only]
    return ",".join(["self", *positional, *(["*", *named] if named else [])])


def _parameter(each: dataclasses.Field[Any], given: dict[str, object]) -> str:
    if each.default_factory is not dataclasses.MISSING:
        return f"{each.name}={_ABSENT}"
    default = f"_default_{each.name}"
    return f"{each.name}={default}" if default in given else each.name


class _Copiers(dict[type, Any]):
    """What copies objects of a class; written, as the constructor is, when it is first used."""

    def __missing__(self, cls: type) -> Any:  # noqa: ANN401 - of any record
        copier = self[cls] = _copier(cls)
        return copier


def _copier(cls: Any) -> Any:  # noqa: ANN401 - of any record
    fields = [each for each in dataclasses.fields(cls) if each.init]
    parameters = ",".join(["self", *(["*"] if fields else []), *_each(fields, f"={_ABSENT}")])
    values = [f"self.{name} if {name} is {_ABSENT} else {name}" for name in _each(fields)]
    given = ",".join(map("{}={}".format, _each(fields), values))
    made: dict[str, Any] = {}
    text = f"def replace({parameters}):\n return _cls({given})"
    exec(text, {"_cls": cls, _ABSENT: dataclasses.MISSING}, made)  # noqa: S102 - as above
    return made["replace"]


def _each(fields: list[dataclasses.Field[Any]], end: str = "") -> list[str]:
    return [each.name + end for each in fields]


_copiers: Final = _Copiers()


if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:

    def replace(record: object, /, **changes: object) -> object:
        """Return a copy of a record with some fields changed, as ``dataclasses.replace`` does."""
        return _copiers[record.__class__](record, **changes)

    def dataclass(
        *, slots: Literal[True], frozen: bool = False, kw_only: bool = False, eq: bool = True
    ) -> Callable[[type], type]:
        """Make a class with slots for its fields, as ``dataclasses.dataclass`` does."""
        del slots
        return lambda cls: _made(cls, frozen=frozen, kw_only=kw_only, eq=eq)
