"""Messages that come when nobody expects them, and what is found when nobody told of it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from everstep import Context, EventTimeout, workflow
from everstep.app.advance import advance
from everstep.app.audit import link_of
from everstep.app.continuation import _successor
from everstep.app.outcomes import Done
from everstep.app.query import inspect
from everstep.app.verify import verify
from everstep.core.audit import acceptance, seal
from everstep.core.decisions import Pending
from everstep.core.model import Event, Message, MessageKind, Payload, RunStatus
from everstep.core.unreadable import Unreadable, UnreadableError
from everstep.testing import TestEngine

if TYPE_CHECKING:
    from everstep.core.audit import AuditEntry
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


def test_an_audit_that_cannot_be_read_is_told_of_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TestEngine([waits])
    run = engine.start(waits)
    engine.run_to_rest()

    def damaged(*_: object) -> list[AuditEntry]:
        raise UnreadableError([Unreadable(run_id=run.id, key="", reason="damaged")])

    monkeypatch.setattr(engine._world.store, "audit", damaged)
    found = [
        each.invariant for report in verify(engine._world.inside) for each in report.violations
    ]
    assert set(found) == {"records_are_readable"}


def test_an_operation_that_continues_no_run_is_refused() -> None:
    engine = TestEngine([waits])
    run = engine.start(waits)
    engine.run_until_idle()
    view = inspect(engine._world.engine, run.id)
    pending = Pending(
        key="word#1",
        operation=SimpleNamespace(call=None),  # type: ignore[arg-type]
        record=None,
        unlocked_by="",
        ready_at=0,
    )
    with pytest.raises(TypeError, match="continues no run"):
        _successor(engine._world.engine, view.head, pending, ())


def test_the_last_entry_of_a_run_of_an_earlier_release_is_looked_up() -> None:
    engine = TestEngine([waits])
    run = engine.start(waits)
    engine.run_until_idle()
    ports = engine._world.engine
    old = replace(inspect(ports, run.id).head, trail=None)
    assert link_of(ports, old) == seal(acceptance(old))
    engine.pause(run.id)
    (entry,) = engine._world.store.audit(run.id)
    counted = replace(old, generation=1)
    assert link_of(ports, counted) == seal(entry)
    gone = replace(old, generation=2)
    assert link_of(ports, gone) == seal(replace(acceptance(gone), number=2))
