"""docs/reference/http.md: every answer shown is the answer given, and every call is shown."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from everstep import Workflow
from everstep.adapters.memory.ids import SequenceIds
from everstep.http.problems import INTERNAL, TABLE
from tests.docs.snippets import snippets_of
from tests.unit.http.page import Meanwhile, ShownAnswer, ShownRequest, parts_of
from tests.unit.http.world import Answer, World

PAGE: Final = Path(__file__).parents[3] / "docs" / "reference" / "http.md"


class ReadableIds(SequenceIds):
    """Ids that look like the real ones."""

    def run_id(self) -> str:
        return f"01KDVDN080T8W5N3Y7QF2ZJ4X{super().run_id()[-1]}"


def world_of_the_page() -> tuple[World, list[str]]:
    """Return a deployment of what the page defines, and the callback tokens that it hands out."""
    namespace: dict[str, Any] = {"__name__": "page"}
    for snippet in snippets_of(PAGE):
        snippet.run(namespace)
    world = World(
        workflows=tuple(item for item in namespace.values() if isinstance(item, Workflow))
    )
    world.engine = replace(world.engine, ids=ReadableIds())
    return world, namespace["asked"]


def happens(world: World, what: str) -> None:
    """Let happen what the page says happens between two requests."""
    match what.split():
        case ["the", "executor", "works"]:
            world.work()
        case ["seconds", "pass", seconds]:
            world.advance(int(seconds))
        case _:
            raise AssertionError(f"the page says {what!r}")


def sent(world: World, request: ShownRequest, tokens: list[str]) -> Answer:
    target = request.target.replace("TOKEN", tokens[-1] if tokens else "none")
    return world.call(request.method, target, request.body, request.headers)


def test_every_answer_on_the_page_is_the_one_given() -> None:
    world, tokens = world_of_the_page()
    answer: Answer | None = None
    compared = 0
    for part in parts_of(PAGE):
        match part:
            case Meanwhile():
                happens(world, part.what)
            case ShownRequest():
                answer = sent(world, part, tokens)
            case ShownAnswer():
                assert answer is not None
                given = {name: answer.headers.get(name) for name in part.headers}
                assert (answer.status, given) == (part.status, part.headers)
                assert (answer.body if answer.text else None) == part.body
                compared += 1
    assert compared >= 12


def test_every_call_has_an_example() -> None:
    shown = {
        re.sub(r"/runs/[0-9A-Z]{26}", "/runs/{id}", part.target.partition("?")[0])
        for part in parts_of(PAGE)
        if isinstance(part, ShownRequest)
    }
    assert shown >= {
        "/triggers/shop",
        "/runs",
        "/runs/{id}",
        "/runs/{id}/result",
        "/runs/{id}/history",
        "/runs/{id}/events",
        "/runs/{id}/pause",
        "/runs/{id}/resume",
        "/runs/{id}/events/paid",
        "/runs/{id}/retry",
        "/runs/{id}/fork",
        "/runs/{id}/audit",
        "/runs/{id}/diagnosis",
        "/runs/{id}/repair",
        "/runs/{id}/remove",
        "/runs/{id}/cancel",
        "/callbacks/TOKEN/complete",
        "/callbacks/TOKEN/fail",
        "/callbacks/TOKEN/heartbeat",
        "/workflows",
        "/keys",
        "/health",
    }


def test_every_kind_of_problem_is_in_the_table_of_the_page() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for kind in (*TABLE.values(), INTERNAL):
        assert f"| {kind.status} | `{kind.name}` |" in text
