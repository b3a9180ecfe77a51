"""Plain data is told by looking, and nothing else is taken for it."""

from __future__ import annotations

import enum
import subprocess
import sys
import typing
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from everstep.core import codec
from everstep.core.plain_data import is_plain, recognised, recogniser_of
from everstep.core.shapes import Shape

ENGINE: Final = Path(__file__).parents[3] / "layers/engine/python"
ANNOTATIONS: Final[tuple[Any, ...]] = (
    *(None.__class__, bool, int, float, str, list, dict, Any),
    *(list[int], list[Any], list[list[str]], dict[str, int], dict[str, Any]),
    *(int | None, Optional[str], str | list[str], dict[str, float | None]),  # noqa: UP045
)
LEAVES: Final = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES: Final = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)


class Model(BaseModel):
    number: int


class Colour(enum.StrEnum):
    RED = "red"


class Word(str):
    __slots__ = ()


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
def test_annotations_of_plain_data_are_known(annotation: object) -> None:
    assert recogniser_of(annotation) is not None


@pytest.mark.parametrize(
    "annotation",
    [
        *(Model, Colour, bytes, date, tuple[int, ...], set[str], dict[int, str], list[Model]),
        *(Literal["a"], Annotated[str, "short"], Model | None, list[str] | Colour, "str"),
        *(object, typing.List, typing.Dict),  # noqa: UP006 - bare, they say nothing of their items
    ],
    ids=str,
)
def test_every_other_annotation_is_left_to_pydantic(annotation: object) -> None:
    assert recogniser_of(annotation) is None


@pytest.mark.parametrize("annotation", ANNOTATIONS, ids=str)
@given(VALUES)
def test_what_is_recognised_is_what_pydantic_would_make_of_it(
    annotation: Any,  # noqa: ANN401
    value: object,
) -> None:
    recogniser = recogniser_of(annotation)
    assert recogniser is not None
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)
    if recognised(recogniser, value):
        for made in (
            adapter.validate_python(value),
            adapter.validate_json(codec.dumps(value)),
            codec.decode(codec.encode(adapter.dump_python(value, warnings="error"))),
        ):
            assert (repr(made), type(made)) == (repr(value), type(value))


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        *((int, True), (int, 1.0), (int, "1"), (float, 1), (str, 1), (str, Word("a"))),
        *((str, Colour.RED), (list, ()), (dict, {1: 2}), (dict, {Word("a"): 2}), (bool, 1)),
        *((int | None, "1"), (list[int], [1, "2"]), (dict[str, int], {"a": None})),
        *((list[int], (1,)), (dict[str, int], [1]), (Any, date(2026, 1, 1)), (Any, [{"a": ()}])),
        *((float, float("nan")), (float, float("inf")), (int, 2**63), (str, "\ud800")),
        *((dict[str, int], {"\udfff": 1}), (type(None), 0)),
    ],
    ids=repr,
)
def test_what_only_resembles_the_annotation_is_not_recognised(
    annotation: object, value: object
) -> None:
    recogniser = recogniser_of(annotation)
    assert recogniser is not None
    assert not recognised(recogniser, value)


def test_text_of_any_language_is_plain() -> None:
    assert is_plain({"naïve": ["日本", "", None]})


def test_data_that_holds_itself_is_not_plain() -> None:
    circle: list[object] = []
    circle.append(circle)
    assert not is_plain(circle)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [("str", "'a'"), ("int | None", "None"), ("dict[str, Any]", "{'a': [1.5, True]}")],
)
def test_plain_data_is_recorded_without_loading_pydantic(annotation: str, value: str) -> None:
    script = (
        "import sys; from typing import Any; from everstep.core.shapes import shape_of, call_digest"
        f"\nshape = shape_of({annotation}); shape.check(); call_digest(dict(a={value}))"
        f"\nassert shape.validate(shape.decode(shape.encode({value}))) == {value}"
        "\nassert 'pydantic' not in sys.modules and 'pydantic_core' not in sys.modules"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, env={"PYTHONPATH": str(ENGINE)}
    )
    assert ended.returncode == 0


def test_a_value_that_pydantic_would_convert_still_is() -> None:
    assert Shape[int](int).validate("7") == 7
    assert Shape[float](float).decode("7") == 7.0
    with pytest.raises(ValidationError):
        TypeAdapter(int).validate_python("seven")
