"""Declaring steps: mistakes show where they are written."""

import functools
import weakref
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from everstep import Context, Retry, Step, step
from everstep.authoring.steps import as_step
from everstep.core.errors import DefinitionError
from tests.unit.core.builders import broken, decide, frontier, raised


def plain(a: int, *, b: int = 0) -> int:
    return a + b


class Callable_:  # noqa: N801 - a class whose objects are called
    __name__ = "object"

    def __call__(self, a: int) -> str:
        return str(a)


class NoSchema: ...


def test_a_decorator_without_parentheses_takes_the_functions_name() -> None:
    declared = step(plain)

    assert (declared.name, declared.retry, declared.timeout) == ("plain", None, None)
    assert declared.fn(1, b=2) == 3
    assert repr(declared) == "<step plain>"


def test_a_decorator_with_options_keeps_them() -> None:
    @step(name="charge", retry=Retry.never(), timeout=timedelta(seconds=2))
    def charge() -> None: ...

    assert (charge.name, charge.retry, charge.timeout) == ("charge", Retry.never(), 2000)


def test_options_can_be_changed_on_a_copy() -> None:
    first = step(name="a", timeout=2)(plain)
    second = first.with_options(name="b", retry=Retry.never())

    assert (first.name, first.retry, first.timeout) == ("a", None, 2000)
    assert (second.name, second.retry, second.timeout) == ("b", Retry.never(), 2000)
    assert second.with_options(timeout=None).timeout is None
    assert step(plain).with_options(timeout=3).timeout == 3000
    assert step(plain).with_options(name="c").timeout is None


def test_a_step_runs_at_most_once_and_is_probed_only_where_that_is_said() -> None:
    ordinary = step(plain)
    once = ordinary.with_options(at_most_once=True, probe=plain)
    assert (ordinary.at_most_once, ordinary.probe) == (False, None)
    assert (once.at_most_once, once.probe) == (True, plain)
    assert once.with_options(name="other").probe is plain
    assert once.with_options(probe=None).probe is None
    assert not once.with_options(at_most_once=False, probe=None).at_most_once


def test_a_probe_that_takes_other_arguments_is_refused_before_it_is_needed() -> None:
    once = step(at_most_once=True, probe=lambda: 1)(plain)
    with pytest.raises(DefinitionError, match="must take the arguments of the step"):
        once.call((1,), {})


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: step(lambda: 1), r"has no name of its own: give it one with step\(name=…\)"),
        (lambda: step(functools.partial(plain, 1)), "has no name of its own"),
        (lambda: step(name="a/b")(plain), "the name of a step 'a/b' may not contain"),
        (lambda: step(timeout=0)(plain), "step plain: timeout must be longer than 0"),
        (lambda: step(timeout=-1)(plain), "step plain: timeout must be between 0 and"),
        (lambda: step(timeout=True)(plain), "step plain: timeout must be seconds or"),
        (lambda: step(probe=plain)(plain), "step plain: a probe needs at_most_once=True"),
        (
            lambda: step(at_most_once=True, probe=step(plain))(plain),  # type: ignore[call-overload]
            "probe must be a plain function, not <step plain>",
        ),
        (
            lambda: step(at_most_once=True, probe="find")(plain),  # type: ignore[call-overload]
            "probe must be a plain function, not 'find'",
        ),
        (lambda: Step(5), "a step must be a function, not int"),  # type: ignore[arg-type]
    ],
    ids=[str(at) for at in range(10)],
)
def test_a_declaration_that_makes_no_sense_is_refused(
    declare: Callable[[], object], said: str
) -> None:
    with pytest.raises(DefinitionError, match=said):
        declare()


def test_a_direct_call_is_refused_with_what_to_write() -> None:
    charge: Any = step(plain)

    with pytest.raises(DefinitionError, match=r"write await ctx\.step\(plain, …\) .* plain\.fn\("):
        charge(1)


def test_any_named_function_can_be_a_step_and_is_made_one_once() -> None:
    assert as_step(plain) is as_step(plain)
    declared = step(plain)
    assert as_step(declared) is declared


def test_a_function_that_cannot_be_hashed_can_be_a_step() -> None:
    class Unhashable(Callable_):
        __hash__ = None  # type: ignore[assignment]

    assert as_step(Unhashable()).name == "object"


@pytest.mark.parametrize("odd", [5, "x", lambda: 1])
def test_what_cannot_be_a_step_is_refused(odd: object) -> None:
    with pytest.raises(DefinitionError):
        as_step(odd)


@pytest.mark.parametrize(
    ("fn", "annotation"),
    [
        (plain, "int"),
        (functools.partial(plain, b=1), "int"),
        (functools.partial(functools.partial(plain, b=1), b=2), "int"),
        (Callable_(), "str"),
        (Callable_().__call__, "str"),
        (len, "typing.Any"),
    ],
    ids=["function", "partial", "partial of a partial", "object", "method", "builtin"],
)
def test_the_result_type_of_any_callable_is_found(
    fn: Callable[..., object], annotation: str
) -> None:
    shape = step(name="x")(fn).call((1,), {}).result

    assert shape.annotation is int or str(shape) in {annotation, "_empty"}


def test_arguments_that_do_not_fit_stall_the_run_with_the_step() -> None:
    unfitting: Any = {"c": 2}

    async def wrong(ctx: Context) -> None:
        await ctx.step(plain, 1, **unfitting)

    failed = broken(decide(wrong))

    assert failed.type == "DefinitionError"
    assert "step plain: got an unexpected keyword argument 'c'" in failed.message


def test_an_argument_that_cannot_be_hashed_fails_the_run_with_its_name() -> None:
    async def wrong(ctx: Context) -> None:
        await ctx.step(plain, object())  # type: ignore[call-overload]

    assert "argument a: a object at $ cannot be recorded" in raised(decide(wrong)).message


def test_a_result_type_that_cannot_be_recorded_stalls_the_run_before_the_step_runs() -> None:
    def make() -> NoSchema:
        return NoSchema()

    async def wrong(ctx: Context) -> None:
        await ctx.step(step(make))

    failed = broken(decide(wrong))

    assert failed.type == "DefinitionError"
    assert "values of NoSchema cannot be recorded" in failed.message


def test_a_lambda_without_a_name_stalls_the_run_with_advice() -> None:
    async def wrong(ctx: Context) -> None:
        await ctx.step(lambda: 1)

    assert "give it one with step(name=…)" in broken(decide(wrong)).message


def test_a_lambda_with_a_name_is_a_step() -> None:
    named = step(name="one")(lambda: 1)

    async def right(ctx: Context) -> int:
        return await ctx.step(named)

    assert frontier(decide(right)) == ["one#1"]


def test_an_annotation_may_name_a_local_type() -> None:
    class Local: ...

    @step
    def make() -> "Local":
        return Local()

    with pytest.raises(DefinitionError, match="Local cannot be recorded"):
        make.call((), {})


def test_an_annotation_that_names_nothing_says_where_to_import() -> None:
    @step
    def lost() -> "Nowhere":  # type: ignore[name-defined]  # noqa: F821
        ...

    with pytest.raises(DefinitionError, match=r"lost cannot be resolved.*at module level"):
        lost.call((), {})


def test_an_object_whose_annotation_names_nothing_is_shown_as_it_is() -> None:
    class Lost:
        __name__ = "lost"

        def __call__(self) -> "Nowhere":  # type: ignore[name-defined]  # noqa: F821
            ...

    with pytest.raises(DefinitionError, match=r"Lost object at .* cannot be resolved"):
        step(Lost()).call((), {})


def test_a_local_function_is_let_go_with_its_run() -> None:
    class Data: ...

    def used() -> weakref.ref[Data]:
        data = Data()

        def local() -> Data:
            return data

        assert as_step(local).fn() is data
        return weakref.ref(data)

    assert used()() is None
