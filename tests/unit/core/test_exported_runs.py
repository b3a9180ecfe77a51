"""Histories that were exported and are replayed elsewhere: without secrets, with their seeds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from everstep import Context, step, workflow
from everstep.app.fork import fork
from everstep.core.decisions import Broken, Suspended
from everstep.core.exported import document_text, export_history, parse_document, read_history
from everstep.core.replay import Replay
from everstep.testing import TestEngine

if TYPE_CHECKING:
    from everstep import Workflow
    from everstep.core.decisions import Decision
    from everstep.core.model import History


@step
def mail(address: str, text: str) -> str:
    return f"{address}: {len(text)}"


@workflow
async def answers(ctx: Context, link: str) -> str:
    return link + await ctx.wait_for_event("answer", str)


@workflow(name="wf")
async def asks(ctx: Context) -> str:
    callback = ctx.callback(str)
    await ctx.step(mail, "a", f"https://example.org/{callback.token}")
    await ctx.start(answers, callback.token)
    await ctx.send_event(ctx.run_id, "asked", {"token": callback.token})
    return await callback


@workflow(name="wf")
async def asks_somebody_else(ctx: Context) -> str:
    callback = ctx.callback(str)
    await ctx.step(mail, "b", "no token at all")
    return await callback


@workflow(name="wf")
async def draws(ctx: Context) -> str:
    await ctx.step(mail, "a", "a")
    await ctx.step(mail, str(ctx.uuid()), ctx.now().isoformat())
    return await ctx.wait_for_event("answer", str)


def exported(engine: TestEngine, run_id: str) -> History:
    history = engine.ports.runs.load(run_id)
    assert history is not None
    return read_history(parse_document(document_text(export_history(history))))


def decided(code: Workflow[None, str], history: History) -> Decision:
    with Replay(code, history) as replay:
        return replay.decision


@pytest.fixture
def asked() -> History:
    engine = TestEngine([asks, answers])
    run = engine.start(asks)
    engine.run_until_idle()
    return exported(engine, run.id)


def test_a_run_that_hands_out_its_tokens_replays_without_its_secret(asked: History) -> None:
    assert not asked.head.secret
    assert isinstance(decided(asks, asked), Suspended)


def test_what_holds_no_token_is_compared_without_the_secret_too(asked: History) -> None:
    kept = {key: each for key, each in asked.records.items() if key == "mail#1"}
    decision = decided(asks_somebody_else, replace(asked, records=kept))
    assert isinstance(decision, Broken)
    assert "argument address" in decision.error.message


def test_a_forked_run_draws_elsewhere_what_it_drew_where_it_is() -> None:
    engine = TestEngine([draws])
    run = engine.start(draws)
    engine.run_until_idle()
    engine.advance(60)
    made = fork(engine.ports, run.id, from_step="mail#2")
    engine.run_until_idle()
    assert isinstance(decided(draws, exported(engine, made.run_id)), Suspended)
