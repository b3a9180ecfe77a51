"""Events that workflow code sends to runs: each exactly once, or an error that says why not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pytest
from pydantic import BaseModel

from everstep import Context, EventNotSent, step, workflow
from everstep.app.engine import Limits
from everstep.core.errors import DefinitionError
from everstep.testing import TestEngine, crash_matrix

if TYPE_CHECKING:
    from everstep import Workflow


@step
def note(text: str) -> str:
    return text


@workflow
async def collects(ctx: Context) -> list[Any]:
    first = await ctx.wait_for_event("item")
    await ctx.sleep(HOUR)
    rest = []
    while (item := await ctx.wait_for_event("item")) != "end":
        rest.append(item)
    return [first, *rest]


@workflow
async def sends(ctx: Context, run_id: str) -> str:
    for item in ("a", "a", {"b": 1}):
        await ctx.send_event(run_id, "item", item)
    await ctx.send_event(run_id, "item", "end")
    return "sent"


@workflow
async def whole(ctx: Context) -> list[Any]:
    child = await ctx.start(collects)
    for item in ("a", "a", "end"):
        await child.send_event("item", item)
    return await child.result()


@workflow
async def tries(ctx: Context, run_id: str) -> str:
    try:
        await ctx.send_event(run_id, "item", "x" * 300)
    except EventNotSent as error:
        return str(error)
    return "sent"


@workflow
async def to_itself(ctx: Context) -> Any:  # noqa: ANN401 - JSON
    await ctx.send_event(ctx.run_id, "item", 1)
    return await ctx.wait_for_event("item")


class Word(BaseModel):
    text: str
    price: Decimal


@workflow
async def listens(ctx: Context) -> list[object]:
    word = await ctx.wait_for_event("word", Word)
    return [word.text, word.price, await ctx.wait_for_event("when", datetime)]


@workflow
async def speaks(ctx: Context, run_id: str) -> None:
    await ctx.send_event(run_id, "word", Word(text="tea", price=Decimal("2.50")))
    await ctx.send_event(run_id, "when", ctx.now())


@workflow
async def mumbles(ctx: Context, run_id: str) -> None:
    await ctx.send_event(run_id, "word", object())


HOUR: Final = 3600
ALL: Final[tuple[Workflow[Any, Any], ...]] = (
    *(collects, sends, whole, tries, to_itself),
    *(listens, speaks, mumbles),
)


@pytest.fixture
def engine() -> TestEngine:
    return TestEngine(ALL)


def test_models_and_times_arrive_as_what_is_waited_for(engine: TestEngine) -> None:
    run = engine.start(listens)
    engine.start(speaks, run.id)
    engine.run_until_idle()
    assert run.result == ["tea", Decimal("2.50"), datetime(2026, 1, 1, tzinfo=UTC)]
    engine.verify()


def test_a_payload_that_is_no_json_data_fails_the_sender_and_nobody_else(
    engine: TestEngine,
) -> None:
    run = engine.start(listens)
    sender = engine.start(mumbles, run.id)
    engine.run_until_idle()
    assert (sender.status, run.status) == ("FAILED", "WAITING")
    assert sender.error is not None
    assert sender.error.type == "SerializationError"
    assert "the payload of event word is no JSON data" in sender.error.message


def test_events_arrive_in_the_order_in_which_they_were_sent(engine: TestEngine) -> None:
    run = engine.start(collects)
    sender = engine.start(sends, run.id)
    engine.advance(HOUR + 1)
    assert (sender.result, run.result) == ("sent", ["a", "a", {"b": 1}])
    engine.verify()


def test_a_run_can_send_to_itself(engine: TestEngine) -> None:
    run = engine.start(to_itself)
    engine.run_until_idle()
    assert run.result == 1


def test_an_event_for_a_run_that_is_not_there_is_an_error_that_stays_the_same(
    engine: TestEngine,
) -> None:
    run = engine.start(tries, "nobody")
    engine.run_until_idle()
    assert run.result == "there is no run nobody"
    engine.verify()


def test_an_event_for_a_run_that_has_ended_is_an_error(engine: TestEngine) -> None:
    ended = engine.start(tries, "nobody")
    engine.run_until_idle()
    run = engine.start(tries, ended.id)
    engine.run_until_idle()
    assert run.result == f"run {ended.id} is COMPLETED: it takes no more events"


def test_an_event_that_is_too_large_is_an_error() -> None:
    engine = TestEngine(ALL, limits=Limits(inline=100, payload=200))
    run = engine.start(tries, engine.start(collects).id)
    engine.run_until_idle()
    assert run.result is not None
    assert "the limit is 200" in run.result


def test_an_event_is_sent_once_whatever_goes_wrong() -> None:
    report = crash_matrix(whole, workflows=[collects])
    assert report.outcome.brief() == "COMPLETED, result ['a', 'a']"


@pytest.mark.parametrize("name", ["", "a/b", "a#b"])
def test_an_event_needs_a_name(name: str) -> None:
    @workflow
    async def wrong(ctx: Context) -> None:
        await ctx.send_event("run", name)

    engine = TestEngine([wrong])
    run = engine.start(wrong)
    engine.run_until_idle()
    assert (run.status, run.error and run.error.type) == ("STALLED", DefinitionError.__name__)


def test_only_workflows_and_names_of_them_can_be_started() -> None:
    @workflow
    async def wrong(ctx: Context) -> None:
        await ctx.start(note)  # type: ignore[call-overload]

    engine = TestEngine([wrong])
    run = engine.start(wrong)
    engine.run_until_idle()
    assert run.error is not None
    assert "of a workflow or by its name" in run.error.message
