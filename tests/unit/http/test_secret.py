"""What a run's callback tokens are made of leaves the table in no form."""

from __future__ import annotations

import io
import json
import logging
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from everstep import logs
from everstep.adapters.dynamodb import damage, items
from everstep.app import start
from everstep.app.payloads import load
from everstep.app.verify import verify
from everstep.core.exported import document_text, export_history
from everstep.core.model import Head
from tests.contract.builders import make_full_head
from tests.unit.http.world import ORDER, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from everstep.adapters.dynamodb.values import Item

SECRET = "what-tokens-are-made-of"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Give a world in which every run has the same secret."""

    def with_secret(**fields: Any) -> Head:  # noqa: ANN401
        return Head(**{**fields, "secret": SECRET})

    monkeypatch.setattr(start, "Head", with_secret)
    return World()


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    root = logging.getLogger("everstep")
    before = root.handlers, root.level, root.propagate
    text = io.StringIO()
    logs.configure("DEBUG", text)
    yield text
    root.handlers, root.level, root.propagate = before
    logs.invocation("")


def test_no_answer_and_no_log_line_tells_it(world: World, logged: io.StringIO) -> None:
    answers = [
        world.start("shop", ORDER, key="one"),
        world.start("shop", ORDER, key="one"),
        world.start("shop", {**ORDER, "total": 3}, key="one"),
    ]
    done = answers[0].body["run_id"]
    failed = world.started("shop", {**ORDER, "total": -1})
    answers.append(world.call("POST", f"/runs/{failed}/events/paid", json.dumps(1)))
    world.work()
    world.advance(60)
    still = world.stalled("the message")
    for run_id in (done, failed, still):
        assert world.store._heads[run_id].secret == SECRET
        answers += [
            world.get(f"/runs/{run_id}?include=steps"),
            world.get(f"/runs/{run_id}/result"),
            world.call("POST", f"/runs/{run_id}/events/paid", json.dumps(1)),
            world.call("POST", f"/runs/{run_id}/resume"),
        ]
    answers += [world.get("/runs"), world.get("/workflows"), world.get("/health?deep=true")]
    world.breaks(RuntimeError(f"broken at {world.store._heads[done]}"))
    answers.append(world.get(f"/runs/{done}"))

    assert {each.status for each in answers} >= {200, 202, 409, 500}
    assert "not answered" in logged.getvalue()
    assert SECRET not in "".join([each.text + str(each.headers) for each in answers])
    assert SECRET not in logged.getvalue()


def test_no_export_tells_it(world: World) -> None:
    history = load(world.engine, world.stalled())
    assert history is not None
    assert history.head.secret == SECRET
    assert SECRET not in document_text(export_history(history))


def test_no_error_that_names_a_head_tells_it() -> None:
    head = replace(make_full_head("run"), secret=SECRET)
    assert SECRET not in f"{head} {head!r}"
    with pytest.raises(ValueError, match="run") as caught:
        raise ValueError(head)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_what_is_found_in_a_damaged_table_does_not_tell_it(world: World) -> None:
    item = items.from_head(replace(make_full_head("run"), secret=SECRET))
    damaged: list[Item] = [
        {**item, "gen": {"S": "many"}},
        {name: value for name, value in item.items() if name != "by"},
    ]
    assert [damage.unreadable(each).reason.partition(" ")[0] for each in damaged] == [
        "gen",
        "by",
    ]
    assert SECRET not in str([damage.unreadable(each) for each in damaged])
    world.stalled()
    assert SECRET not in str(list(verify(world.engine)))
