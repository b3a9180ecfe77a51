"""Declaring workflows, and finding them by name and version."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from everstep import Context, Workflow, workflow
from everstep.authoring.registry import Registry
from everstep.core.definition import Definition
from everstep.core.errors import DefinitionError, UnknownWorkflowError, WorkflowMissingError


async def order(_ctx: Context, amount: int) -> str:
    return str(amount)


async def nightly(_ctx: Context) -> None: ...


def sync(_ctx: Context) -> None: ...


async def no_context() -> None: ...


async def three(_ctx: Context, _a: int, _b: int) -> None: ...


async def keywords(_ctx: Context, *, a: int) -> None: ...


async def variadic(*_args: object) -> None: ...


async def generator(_ctx: Context) -> AsyncIterator[int]:
    yield 1


def test_a_workflow_takes_the_functions_name_and_version_1() -> None:
    declared = workflow(order)

    assert (declared.name, declared.version) == ("order", "1")
    assert declared.takes_input
    assert str(declared.input) == "int"
    assert str(declared.output) == "str"
    assert repr(declared) == "<workflow order version 1>"


def test_options_name_it_and_its_version() -> None:
    declared = workflow(name="restaurant order", version="2.0.1")(nightly)

    assert (declared.name, declared.version) == ("restaurant order", "2.0.1")
    assert not declared.takes_input
    assert str(declared.input) == "NoneType"
    assert str(declared.output) == "NoneType"


@pytest.mark.parametrize(
    ("fn", "said"),
    [
        (sync, "workflow sync must be an async def function"),
        (5, "workflow 5 must be an async def function"),
        (generator, "must be an async def function"),
        (no_context, r"must take \(ctx\) or \(ctx, input\); put several inputs into one model"),
        (three, r"must take \(ctx\) or \(ctx, input\)"),
        (keywords, r"must take \(ctx\) or \(ctx, input\)"),
        (variadic, r"must take \(ctx\) or \(ctx, input\)"),
    ],
    ids=["sync", "int", "generator", "none", "three", "keywords", "variadic"],
)
def test_a_function_that_cannot_be_a_workflow_is_refused(fn: Any, said: str) -> None:  # noqa: ANN401
    with pytest.raises(DefinitionError, match=said):
        workflow(fn)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "a/b"}, "the name of a workflow 'a/b'"),
        ({"version": ""}, "the version of workflow order must be a non-empty text"),
        ({"version": 1}, "the version of workflow order must be a non-empty text, not 1"),
    ],
    ids=str,
)
def test_a_name_or_version_that_cannot_stand_in_a_url_is_refused(
    options: dict[str, Any], said: str
) -> None:
    with pytest.raises(DefinitionError, match=said):
        workflow(**options)(order)


# --- The registry


def made(name: str = "order", version: str = "1") -> Workflow[Any, Any]:
    return Workflow(nightly, name=name, version=version)


def test_versions_sort_as_people_count() -> None:
    versions = ["1.10", "1.9", "2", "1.9-rc", "beta", "1.9.1", "²"]
    registry = Registry(made(version=version) for version in versions)

    assert registry.versions("order") == ["1.9", "1.9.1", "1.9-rc", "1.10", "2", "beta", "²"]
    assert registry.to_start("order").version == "²"


def test_all_workflows_are_found_by_name_and_version() -> None:
    workflows = [made("b"), made("a", "2"), made("a", "1")]
    registry = Registry(workflows)

    assert [(each.name, each.version) for each in registry] == [("a", "1"), ("a", "2"), ("b", "1")]
    assert registry.names == ["a", "b"]
    assert registry.to_continue("a", "1") is workflows[2]
    assert registry.to_start("a", "1") is workflows[2]


def test_the_same_workflow_may_be_named_twice_but_two_may_not_share_a_version() -> None:
    one = made()

    assert Registry([one, one]).names == ["order"]
    with pytest.raises(DefinitionError, match="two workflows are called order version 1"):
        Registry([one, made()])


def test_an_empty_registry_says_that_there_is_none() -> None:
    with pytest.raises(UnknownWorkflowError, match="there is no workflow x; deployed: none"):
        Registry([]).to_start("x")


def test_a_module_that_could_not_be_imported_is_named_where_its_workflow_is_missing() -> None:
    registry = Registry([], {"orders": SyntaxError("bad")})

    with pytest.raises(WorkflowMissingError, match=r"versions: none.*orders: SyntaxError: bad"):
        registry.to_continue("order", "1")


def test_callers_do_not_see_why_a_module_could_not_be_imported() -> None:
    registry = Registry([], {"orders": SyntaxError("secret")})

    with pytest.raises(UnknownWorkflowError, match="could not be imported, see the logs") as raised:
        registry.to_start("order")
    assert "secret" not in str(raised.value)


def declared_inside() -> Callable[..., Any]:
    class Inner: ...

    @workflow
    async def local(_ctx: Context, _value: "Inner") -> None: ...

    return local.input.check


def test_an_annotation_may_name_a_type_of_the_function_around() -> None:
    with pytest.raises(DefinitionError, match="Inner cannot be recorded"):
        declared_inside()()


def test_an_import_error_without_a_usable_message_hides_no_missing_version() -> None:
    class SilentError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    with pytest.raises(WorkflowMissingError, match=r"orders: SilentError: .its message could not"):
        Registry([], {"orders": SilentError()}).to_continue("order", "1")


def test_a_workflow_is_what_the_core_asks_for() -> None:
    @workflow(version="2", steps_per_message=3)
    async def made(ctx: Context) -> None: ...

    defined: Definition = made
    assert (defined.name, defined.version, defined.steps_per_message) == ("made", "2", 3)
    assert {name for name in vars(Definition) if not name.startswith("_")} <= set(dir(made))
