"""Messages that come when nobody expects them, and what is found when nobody told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from everstep import Context, EventTimeout, workflow
from everstep.app.advance import advance
from everstep.app.outcomes import Done
from everstep.app.verify import verify
from everstep.core.model import Event, Message, MessageKind, Payload, RunStatus
from everstep.core.unreadable import Unreadable, UnreadableError
from everstep.testing import TestEngine

if TYPE_CHECKING:
    import pytest

    from everstep.core.model import History


@workflow
async def waits(ctx: Context) -> int:
    try:
        return await ctx.wait_for_event("word", int, timeout=60)
    except EventTimeout:
        return 0


@workflow
async def goes_on(ctx: Context, number: int) -> int:
    if number:
        await ctx.continue_as_new(number - 1)
    return await ctx.wait_for_event("word", int)


def test_an_end_that_nobody_asked_for_changes_nothing() -> None:
    engine = TestEngine([waits])
    run = engine.start(waits)
    engine.run_until_idle()
    message = Message(run_id=run.id, kind=MessageKind.CANCEL, token="nobody's")
    assert advance(engine._world.inside, message) is Done.SUPERSEDED
    assert engine.get(run.id).status is RunStatus.WAITING


def test_an_event_of_which_nobody_told_is_found_when_time_is_up() -> None:
    engine = TestEngine([waits])
    run = engine.start(waits)
    engine.run_until_idle()
    word = Event(name="word", number=1, payload=Payload(text="5"), at=0)
    assert engine._world.store.put_event(run.id, word)
    engine.advance(60)
    assert run.result == 5
    engine.verify()


def test_a_successor_that_cannot_be_read_is_told_of_as_such(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = TestEngine([goes_on])
    run = engine.start(goes_on, 1)
    engine.run_until_idle()
    store = engine._world.store
    following = engine.get(run.id).successor
    assert following is not None
    successor = following.id
    load = store.load

    def damaged(run_id: str) -> History | None:
        if run_id == successor:
            raise UnreadableError([Unreadable(run_id=run_id, key="", reason="damaged")])
        return load(run_id)

    monkeypatch.setattr(store, "load", damaged)
    found = [
        each.invariant for report in verify(engine._world.inside) for each in report.violations
    ]
    assert set(found) == {"records_are_readable"}
