"""What is deployed, and whether it works."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Coroutine  # noqa: TC003 - read at run time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from everstep import Context, workflow
from everstep.authoring.registry import Registry
from everstep.http.api import VERSION
from tests.unit.http.world import World


@pytest.fixture
def world() -> World:
    return World()


def test_workflows_are_shown_with_versions_and_schemas(world: World) -> None:
    body = world.get("/workflows").body
    assert [each["name"] for each in body["workflows"]] == ["anything", "bare", "login", "shop"]
    shop = body["workflows"][3]
    assert [each["version"] for each in shop["versions"]] == ["1.0.0", "1.1.0"]
    assert shop["versions"][1]["input_schema"]["required"] == ["id", "total"]
    assert shop["versions"][0]["output_schema"] == {"type": "string"}
    assert body["workflows"][0]["versions"][0]["input_schema"] == {}
    assert body["workflows"][1]["versions"][0]["input_schema"] == {"type": "null"}
    assert body["faults"] == []


class Opaque:
    """A class that pydantic knows nothing of."""


async def gives_a_function(_ctx: Context) -> Callable[[], int]:
    return int


async def gives_something_opaque(_ctx: Context) -> Opaque:
    return Opaque()


async def gives_what_is_not_there(_ctx: Context) -> Nowhere:  # type: ignore[name-defined]  # noqa: F821
    return None


@pytest.mark.parametrize("fn", [gives_a_function, gives_something_opaque, gives_what_is_not_there])
def test_a_type_without_a_schema_is_shown_as_null(
    fn: Callable[[Context], Coroutine[Any, Any, Any]],
) -> None:
    (shown,) = World(workflows=(workflow(fn),)).get("/workflows").body["workflows"]
    assert shown["versions"] == [
        {"version": "1", "input_schema": {"type": "null"}, "output_schema": None}
    ]


def test_modules_that_could_not_be_imported_are_shown(world: World) -> None:
    registry = Registry([], {"workflows.broken": ImportError("no module named tea")})
    world.engine = replace(world.engine, registry=registry)
    assert world.get("/workflows").body == {
        "workflows": [],
        "faults": [
            {
                "module": "workflows.broken",
                "type": "ImportError",
                "message": "no module named tea",
            }
        ],
        "cursor": None,
    }


def test_health_is_told_without_asking_anybody(world: World) -> None:
    world.is_throttled()
    answer = world.get("/health")
    assert (answer.status, answer.body) == (200, {"status": "ok", "version": VERSION})


def test_deep_health_reads_the_table(world: World) -> None:
    assert world.get("/health?deep=1").status == 200
    world.is_throttled()
    assert world.get("/health?deep=0").status == 200
    assert world.get("/health?deep=1").status == 503


def test_the_version_is_that_of_the_package() -> None:
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    assert tomllib.loads(text)["project"]["version"] == VERSION
