"""Runs in flight beside the code at hand: which can go on, and what keeps the others from it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from everstep import Context, step, workflow
from everstep.app import replay_check as checking
from everstep.app.reading import read_run
from everstep.app.replay_check import replay_check
from everstep.authoring.registry import Registry
from everstep.core.replay_reports import Verdict
from everstep.core.unreadable import Unreadable, UnreadableError
from everstep.testing import TestEngine

if TYPE_CHECKING:
    from everstep.app.engine import Engine
    from everstep.authoring.workflows import Workflow


class Odd(BaseException):
    """Nothing that an ``except Exception`` catches."""


@step
def note(text: str) -> str:
    return text


@workflow
async def waits(ctx: Context) -> str:
    await ctx.step(note, "a")
    return await ctx.wait_for_event("go", str)


@workflow(name="waits")
async def waits_longer(ctx: Context) -> str:
    await ctx.step(note, "before")
    await ctx.step(note, "a")
    return await ctx.wait_for_event("go", str)


@workflow(name="waits")
async def leaves(_ctx: Context) -> str:
    raise Odd


@workflow(name="waits")
async def interrupts(_ctx: Context) -> str:
    raise KeyboardInterrupt


@workflow(name="waits")
async def turns(_ctx: Context) -> str:
    while True:
        pass


def seen(engine: TestEngine, *code: Workflow[Any, Any]) -> list[tuple[str, Verdict]]:
    ports = replace(engine.ports, registry=Registry(code))
    return [(report.run_id, report.verdict) for report in replay_check(ports)]


@pytest.fixture
def engine() -> TestEngine:
    engine = TestEngine([waits])
    engine.start(waits)
    engine.run_until_idle()
    return engine


def test_runs_that_have_ended_are_left_out(engine: TestEngine) -> None:
    over = engine.start(waits)
    engine.send_event(over.id, "go", "x")
    engine.run_until_idle()
    ((run_id, verdict),) = seen(engine, waits)
    assert (run_id == over.id, verdict) == (False, Verdict.SAFE)


def test_a_stalled_or_paused_run_is_looked_at(engine: TestEngine) -> None:
    paused = engine.start(waits)
    engine.pause(paused.id)
    assert [verdict for _, verdict in seen(engine, waits)] == [Verdict.SAFE, Verdict.SAFE]


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ((), Verdict.PINNED),
        ((waits_longer,), Verdict.ARGUMENTS_CHANGED),
        ((leaves,), Verdict.CODE_MISTAKE),
    ],
)
def test_what_keeps_a_run_from_going_on_is_said(
    engine: TestEngine, code: tuple[Workflow[Any, Any], ...], verdict: Verdict
) -> None:
    assert [found for _, found in seen(engine, *code)] == [verdict]


def test_code_that_does_not_come_to_rest_holds_nothing_up(
    engine: TestEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_PATIENCE", 100)
    monkeypatch.setattr(checking.judge, "__kwdefaults__", {"patience": 100, "values": False})
    assert [found for _, found in seen(engine, turns)] == [Verdict.RESTLESS]


def test_who_stops_the_check_stops_it(engine: TestEngine) -> None:
    with pytest.raises(KeyboardInterrupt):
        seen(engine, interrupts)


def test_a_run_that_seems_broken_is_read_once_more(
    engine: TestEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read_run
    partial = [True]

    def read(ports: Engine, run_id: str) -> Any:  # noqa: ANN401 - as it is
        history, items = whole(ports, run_id)
        assert history is not None
        if partial.pop(0) if partial else False:
            wait = {"go#1": history.records["go#1"]}
            return replace(history, records=wait), items
        return history, items

    monkeypatch.setattr(checking, "read_run", read)
    assert [found for _, found in seen(engine, waits)] == [Verdict.SAFE]
    assert partial == []


def test_a_run_that_ends_or_goes_meanwhile_is_left_out(
    engine: TestEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "read_run", lambda *_: (None, ()))
    assert seen(engine, waits) == []
    monkeypatch.undo()
    listed = list(engine.ports.lists.every())
    engine.send_event(listed[0].run_id, "go", "x")
    engine.run_until_idle()
    monkeypatch.setattr(type(engine.ports.lists), "every", lambda _: listed)
    assert seen(engine, waits) == []


def test_what_cannot_be_read_is_said_and_stops_nothing(
    engine: TestEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = list(engine.ports.lists.every())
    item = Unreadable(run_id="odd", key="", reason="status is missing")

    def every(_: object) -> Any:  # noqa: ANN401 - an iterator
        yield from listed
        raise UnreadableError([item])

    monkeypatch.setattr(type(engine.ports.lists), "every", every)
    assert seen(engine, waits) == [
        (listed[0].run_id, Verdict.SAFE),
        ("odd", Verdict.UNREADABLE),
    ]
    monkeypatch.setattr(checking, "read_run", lambda *_: (None, [item]))
    ports = replace(engine.ports, registry=Registry([waits]))
    report = next(iter(replay_check(ports)))
    assert (report.verdict, report.workflow) == (Verdict.UNREADABLE, "waits")
    assert "the run itself: status is missing" in report.reason
