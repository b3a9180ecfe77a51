"""Records are dataclasses: nobody can tell how they were made."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import typing
from dataclasses import FrozenInstanceError, asdict, field, replace
from typing import Any, Final, Generic, TypeVar

import pytest

from everstep.core import records

T = TypeVar("T")


class Counted:
    """Counts what is made."""

    made = 0

    @classmethod
    def one_more(cls) -> int:
        cls.made += 1
        return cls.made


@records.dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point."""

    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)
    hidden: str = field(default="h", repr=False, compare=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StandardPoint:
    """A point of the standard library."""

    x: int
    y: int = 0
    tags: list[str] = field(default_factory=list)
    hidden: str = field(default="h", repr=False, compare=False)


@records.dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    """Two of a kind, by position."""

    left: T
    right: T | None = None


@records.dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No fields."""


@records.dataclass(slots=True)
class Counter:
    """What may change."""

    count: int = 0
    seen: dict[str, int] = field(default_factory=dict)


@records.dataclass(slots=True, eq=False)
class Thing:
    """Itself alone is equal to it."""

    name: str


@records.dataclass(frozen=True, slots=True, kw_only=True)
class Derived(Point):
    """A point with one more."""

    z: int = 3


@records.dataclass(slots=True, kw_only=True)
class Worked:
    """Fields that nobody gives."""

    base: int
    double: int = field(init=False)
    number: int = field(init=False, default_factory=Counted.one_more)
    fixed: int = field(init=False, default=7)

    def __post_init__(self) -> None:
        """Double it."""
        self.double = 2 * self.base


@records.dataclass(frozen=True, slots=True, kw_only=True)
class Own:  # noqa: PLW1641 - the hash is what is tested
    """Its own ideas of itself."""

    name: str
    size: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Own) and other.name == self.name

    def __repr__(self) -> str:
        return f"<{self.name}>"


@records.dataclass(frozen=True, slots=True)
class Long:
    """As many fields as are set in another way."""

    a: int
    b: int = 2
    c: int = 3
    d: int = 4
    e: int = 5
    f: int = 6
    g: int = 7
    h: list[int] = field(default_factory=list)


@records.dataclass(frozen=True, slots=True)
class Longer(Long):
    """One more."""

    i: int = 9


@records.dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Something that can hold itself."""

    inner: list[object]


def test_a_record_is_shown_like_a_dataclass() -> None:
    assert repr(Point(x=1, tags=["a"])) == "Point(x=1, y=0, tags=['a'])"
    standard = repr(StandardPoint(x=1, tags=["a"])).removeprefix("Standard")
    assert repr(Point(x=1, tags=["a"])) == standard
    assert repr(Nothing()) == "Nothing()"
    node = Node(inner=[])
    node.inner.append(node)
    assert repr(node) == "Node(inner=[...])"


def test_records_are_compared_by_the_fields_that_count() -> None:
    assert Point(x=1, hidden="a") == Point(x=1, hidden="b")
    assert Point(x=1) != Point(x=2)
    other: object = StandardPoint(x=1)
    assert Point(x=1) != other
    assert Point(x=1) != Derived(x=1)
    assert Nothing() == Nothing()
    assert Thing("a") != Thing("a")
    assert Own(name="a", size=1) == Own(name="a", size=2)


def test_frozen_records_that_are_equal_hash_alike_and_those_that_change_do_not_hash() -> None:
    assert hash(Pair(1, "a")) == hash(Pair(1, "a"))
    assert len({Pair(1), Pair(1), Pair(2)}) == 2
    assert hash(Own(name="a")) == hash(Own(name="a"))
    assert hash(Thing("a"))
    with pytest.raises(TypeError, match="unhashable"):
        hash(Counter())


def test_frozen_records_cannot_be_changed() -> None:
    point = Point(x=1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x
    assert point.x == 1


@pytest.mark.parametrize("made", [Long, Longer])
def test_nor_can_frozen_records_of_many_fields(made: type[Long]) -> None:
    long = made(1, 0)
    assert (long.a, long.b, long.g, long.h) == (1, 0, 7, [])
    assert type(long) is made
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'b'"):
        long.b = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'b'"):
        del long.b
    assert long == made(a=1, b=0)


def test_other_records_can() -> None:
    counter = Counter()
    counter.count += 1
    assert counter == Counter(1)
    with pytest.raises(AttributeError):
        counter.other = 1  # type: ignore[attr-defined]


def test_every_object_has_defaults_of_its_own() -> None:
    Counter().seen["a"] = 1
    assert Counter().seen == {}
    assert Counter(seen={"b": 1}).seen == {"b": 1}


@pytest.mark.parametrize("arguments", [{}, {"x": 1, "w": 2}], ids=["too few", "too many"])
def test_what_does_not_fit_the_fields_is_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(TypeError, match=r"Point\.__init__\(\)"):
        Point(**arguments)  # type: ignore[arg-type]


def test_fields_are_given_by_name_or_by_position_as_was_said() -> None:
    assert Pair(1, 2) == Pair(left=1, right=2)
    make: Any = Point
    with pytest.raises(TypeError, match="positional"):
        make(1)
    match Pair("a", "b"):
        case Pair(left, right):
            assert (left, right) == ("a", "b")


def test_fields_that_nobody_gives_are_set() -> None:
    Counted.made = 0
    worked = Worked(base=4)
    assert (worked.double, worked.number, worked.fixed) == (8, 1, 7)
    assert Worked(base=4).number == 2


def test_what_a_class_defines_itself_stays() -> None:
    assert repr(Own(name="a")) == "<a>"


def test_a_derived_record_has_the_fields_of_both() -> None:
    derived = Derived(x=1, z=5)
    assert (derived.x, derived.y, derived.z) == (1, 0, 5)
    assert repr(derived) == "Derived(x=1, y=0, tags=[], z=5)"


@pytest.mark.parametrize(
    "record",
    [Point(x=1, tags=["a"]), Derived(x=1), Nothing(), Counter(2, {"a": 1}), Pair(1), Longer(1)],
)
def test_records_can_be_copied_and_sent_elsewhere(record: object) -> None:
    assert pickle.loads(pickle.dumps(record)) == record  # noqa: S301 - made here
    assert copy.copy(record) == record
    assert copy.deepcopy(record) == record


def test_the_functions_of_dataclasses_know_records() -> None:
    point = Point(x=1)
    assert replace(point, y=2) == Point(x=1, y=2)
    assert asdict(point) == {"x": 1, "y": 0, "tags": [], "hidden": "h"}
    assert [each.name for each in dataclasses.fields(point)] == ["x", "y", "tags", "hidden"]


@pytest.mark.parametrize(
    ("record", "changes"),
    [
        (Point(x=1, tags=["a"]), {"y": 2, "hidden": "i"}),
        (Derived(x=1), {"x": 2}),
        (Counter(2, {"a": 1}), {"count": 3}),
        (Pair("a", "b"), {"right": None}),
        (Own(name="a"), {"size": 2}),
        (Nothing(), {}),
    ],
)
def test_a_changed_copy_is_the_one_that_dataclasses_make(
    record: Any,  # noqa: ANN401 - of any class
    changes: dict[str, object],
) -> None:
    changed = records.replace(record, **changes)
    expected = replace(record, **changes)
    assert type(changed) is type(record)
    assert copy.copy(changed).__getstate__() == expected.__getstate__()
    assert records.replace(record) is not record


def test_a_changed_copy_sets_anew_what_nobody_gives() -> None:
    Counted.made = 0
    changed = records.replace(Worked(base=4), base=5)
    assert (changed.double, changed.number, changed.fixed) == (10, 2, 7)


@pytest.mark.parametrize("changes", [{"z": 1}, {"double": 1}])
def test_a_copy_cannot_change_what_is_no_field_to_be_given(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(changes))):
        records.replace(Worked(base=4), **changes)


ALIKE: Final = ("__slots__", "__match_args__", "__doc__")


@pytest.mark.parametrize("name", ALIKE)
def test_a_record_has_the_attributes_of_a_dataclass(name: str) -> None:
    expected = getattr(StandardPoint, name)
    expected = expected.replace(" of the standard library", "") if name == "__doc__" else expected
    assert getattr(Point, name) == expected


def test_a_constructor_says_what_it_takes() -> None:
    signature = inspect.signature(Point)
    assert list(signature.parameters) == ["x", "y", "tags", "hidden"]
    assert signature.parameters["y"].default == 0
    hints = typing.get_type_hints(Point.__init__)
    assert (hints["x"], hints["tags"], hints["return"]) == (int, list[str], type(None))
