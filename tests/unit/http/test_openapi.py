"""``/openapi.json``: valid, of every call, and made from what is enforced."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from everstep.http.api import api_routes
from everstep.http.openapi import document
from everstep.http.trigger import trigger_routes
from tests.unit.http.described import described
from tests.unit.http.world import World

if TYPE_CHECKING:
    from everstep.app.keys import Keys
    from everstep.http.routes import Route


@pytest.fixture
def world() -> World:
    return World()


def no_keys() -> Keys:
    raise AssertionError("routes ask for no keys when they are made")


def routes() -> list[Route]:
    engine = World().engine
    return [*trigger_routes(engine), *api_routes(engine, lambda _: None, no_keys)]


def operation(path: str, method: str) -> dict[str, Any]:
    return cast("dict[str, Any]", described()["paths"][path][method])


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(described()).validate()


def test_the_document_is_served_with_a_tag(world: World) -> None:
    answer = world.get("/openapi.json")
    assert (answer.status, answer.body["openapi"]) == (200, "3.1.0")
    again = world.call("GET", "/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.text) == (304, "")


def test_every_call_of_both_functions_is_described() -> None:
    shown = {
        (method.upper(), path) for path, item in described()["paths"].items() for method in item
    }
    made = {(route.method, route.rule.replace("<", "{").replace(">", "}")) for route in routes()}
    assert shown == made
    assert ("POST", "/triggers/{workflow}") in shown


def test_every_answer_has_a_model() -> None:
    answers = import_module("everstep.http.answers")
    for route in routes():
        for name in filter(None, route.answers.values()):
            assert hasattr(answers, name), f"{route.rule}: {name}"


def test_operation_ids_are_unique() -> None:
    ids = [each["operationId"] for item in described()["paths"].values() for each in item.values()]
    assert len(ids) == len(set(ids))


def test_parameters_say_what_they_may_be() -> None:
    shown = {each["name"]: each for each in operation("/runs", "get")["parameters"]}
    assert shown["limit"]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 100,
        "default": 20,
    }
    assert shown["tag"]["explode"] is True
    assert shown["since"]["schema"] == {"type": "string", "format": "date-time"}
    included = operation("/runs/{run_id}", "get")["parameters"][1]
    assert (included["name"], included["explode"]) == ("include", False)
    named = {each["name"] for each in operation("/triggers/{workflow}", "post")["parameters"]}
    assert named >= {"Idempotency-Key", "Everstep-Delay", "delay", "tag"}


def test_a_body_that_need_not_be_there_may_be_null() -> None:
    pause = operation("/runs/{run_id}/pause", "post")["requestBody"]
    fork = operation("/runs/{run_id}/fork", "post")["requestBody"]
    assert (pause["required"], fork["required"]) == (False, True)
    assert {"type": "null"} in pause["content"]["application/json"]["schema"]["anyOf"]


def test_problems_name_their_types() -> None:
    gone = operation("/callbacks/{token}/complete", "post")["responses"]["410"]
    _, types = gone["content"]["application/problem+json"]["schema"]["allOf"]
    assert types["properties"]["type"]["enum"] == ["urn:everstep:problem:callback-gone"]


def test_the_document_does_not_depend_on_what_is_deployed() -> None:
    empty = World(workflows=()).engine
    made = document([*trigger_routes(empty), *api_routes(empty, lambda _: None, no_keys)], "0.1.0")
    assert made == described()
