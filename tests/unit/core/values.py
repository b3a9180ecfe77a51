"""Types of every kind that a user may annotate with, and some values."""

import dataclasses
import enum
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, Literal, NamedTuple, NotRequired, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    PrivateAttr,
    RootModel,
    SecretStr,
    SerializeAsAny,
    computed_field,
)
from typing_extensions import TypedDict

T = TypeVar("T")


class Colour(enum.Enum):
    RED = "red"
    DEEP = (1, 2)


class Level(enum.IntEnum):
    LOW = 1


class Unit(enum.StrEnum):
    KILO = "kg"


class Percent(int):
    """A number of the user's own."""


class Point(NamedTuple):
    x: int
    label: str = ""


class Patch(TypedDict):
    name: str
    colour: NotRequired[Colour]


@dataclasses.dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: str


class Line(BaseModel):
    sku: str
    price: Money


class Order(BaseModel):
    id: str
    lines: list[Line]
    colour: Colour | None = None


class Aliased(BaseModel):
    model_config = ConfigDict(extra="forbid")
    both: int = Field(alias="Both")
    apart: int = Field(validation_alias="in", serialization_alias="out")


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    colour: Colour
    when: datetime
    place: Path
    link: HttpUrl
    line: Line
    point: Point
    unique: frozenset[int]


class Computed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    side: int

    @computed_field
    def area(self) -> int:
        return self.side**2


class Raw(BaseModel):
    data: bytes
    secret: SecretStr


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    name: str


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str


class Box(BaseModel, Generic[T]):
    content: T


class Numbers(RootModel[list[int]]):
    def __iter__(self) -> Iterator[int]:  # type: ignore[override]
        return iter(self.root)


class Noted(BaseModel):
    name: str
    _seen: list[object] = PrivateAttr(default_factory=lambda: [object()])


class Loose(BaseModel):
    value: Any


class Partial(BaseModel):
    kept: int
    lost: int = Field(exclude=True)


class Parent(BaseModel):
    name: str


class Child(Parent):
    age: int


class Twin(BaseModel):
    name: str


class Holder(BaseModel):
    part: SerializeAsAny[Parent]


@dataclasses.dataclass
class Reading:
    value: float


class NoSchema:
    """A class that pydantic knows nothing about."""


PLUS_FIVE = timezone(timedelta(hours=5, minutes=30))
ORDER = Order(
    id="ä",
    lines=[Line(sku="s", price=Money(amount=Decimal("1.10"), currency="EUR"))],
    colour=Colour.DEEP,
)
