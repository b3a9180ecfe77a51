"""``ctx.patched``: changes of code before the last recorded operation of runs in flight."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from everstep import Context, DefinitionError, EventNotSent, step, workflow
from everstep.testing import TestEngine, assert_replays, crash_matrix

if TYPE_CHECKING:
    from everstep.core.model import OpRecord
    from everstep.testing import TestRun


@step
def note(text: str) -> str:
    return text


@workflow(name="order")
async def order(ctx: Context) -> list[str]:
    done = [await ctx.step(note, "charge")]
    await ctx.sleep(60)
    done.append(await ctx.step(note, "ship"))
    return done


@workflow(name="order")
async def taxed(ctx: Context) -> list[str]:
    done = []
    if ctx.patched("tax"):
        done.append(await ctx.scope("tax", tax))
    done.append(await ctx.step(note, "charge"))
    await ctx.sleep(60)
    done.append(await ctx.step(note, "ship"))
    return done


async def tax(ctx: Context) -> str:
    return await ctx.step(note, "tax")


@workflow(name="order")
async def thanked(ctx: Context) -> list[str]:
    done = [await ctx.step(note, "charge")]
    await ctx.sleep(60)
    if ctx.patched("thanks"):
        done.append(await ctx.step(note, "thank"))
    done.append(await ctx.step(note, "ship"))
    return done


@workflow(name="rounds")
async def rounds(ctx: Context) -> list[str]:
    done = []
    for number in range(3):
        done.append(await ctx.step(note, f"round {number}"))
        await ctx.sleep(60)
    return done


@workflow(name="rounds")
async def changed_rounds(ctx: Context) -> list[str]:
    done = []
    for number in range(3):
        name = "changed" if ctx.patched("rounds") else "round"
        done.append(await ctx.step(note, f"{name} {number}"))
        await ctx.sleep(60)
    return done


@workflow(name="branches")
async def branches(ctx: Context) -> list[Any]:
    async def branch(ctx: Context, seconds: int) -> str:
        await ctx.sleep(seconds)
        return await ctx.step(note, f"after {seconds}")

    found = await ctx.map(branch, [60, 120, 180], name="branch")
    await ctx.sleep(60)
    return found.results


@workflow(name="branches")
async def changed_branches(ctx: Context) -> list[Any]:
    async def branch(ctx: Context, seconds: int) -> str:
        await ctx.sleep(seconds)
        if ctx.patched("more"):
            await ctx.step(note, "more")
        found = await ctx.step(note, f"after {seconds}")
        return f"{found}, changed" if ctx.patched("said") else found

    found = await ctx.map(branch, [60, 120, 180], name="branch")
    await ctx.sleep(60)
    return found.results


@workflow(name="everything")
async def everything(ctx: Context) -> str:
    """Make operations of many kinds after a change."""
    assert ctx.patched("all")
    callback = ctx.callback(str, name="answer")
    await ctx.step(note, callback.token)
    await ctx.sleep(3600, name="long")
    await ctx.sleep(1)
    await ctx.gather(ctx.step(note, "a"), ctx.wait_for_event("word"))
    child = await ctx.start(order)
    await child.result()
    with suppress(EventNotSent):
        await ctx.send_event(child.id, "late")
    return await callback


@pytest.fixture
def engine() -> TestEngine:
    return TestEngine([order, rounds, branches, everything])


def records(engine: TestEngine, run: TestRun[Any]) -> dict[str, OpRecord]:
    history = engine.ports.runs.load(run.id)
    assert history is not None
    return dict(history.records)


def marks(engine: TestEngine, run: TestRun[Any]) -> dict[str, tuple[str, ...]]:
    return {key: record.patches for key, record in records(engine, run).items()}


def test_an_insertion_before_what_is_recorded_is_left_out_by_runs_in_flight_and_made_by_new_ones(
    engine: TestEngine,
) -> None:
    old = engine.start(order)
    engine.run_until_idle()
    engine.deploy([taxed])
    new = engine.start(taxed)
    engine.advance(60)
    assert old.result == ["charge", "ship"]
    assert new.result == ["tax", "charge", "ship"]
    assert set(marks(engine, old).values()) == {()}
    assert set(marks(engine, new).values()) == {("tax@",)}
    engine.verify()
    assert assert_replays(old, [taxed]).safe
    assert assert_replays(new, [taxed]).safe


def test_a_run_that_has_come_no_further_gets_the_new_code(engine: TestEngine) -> None:
    run = engine.start(order)
    engine.run_until_idle()
    engine.deploy([thanked])
    engine.advance(60)
    assert run.result == ["charge", "thank", "ship"]
    assert marks(engine, run) == {
        "note#1": (),
        "sleep#1": (),
        "note#2": ("thanks@",),
        "note#3": ("thanks@",),
    }
    engine.verify()


def test_in_a_loop_the_first_answer_counts(engine: TestEngine) -> None:
    old = engine.start(rounds)
    engine.advance(60)
    engine.deploy([changed_rounds])
    new = engine.start(changed_rounds)
    engine.advance(180)
    assert old.result == ["round 0", "round 1", "round 2"]
    assert new.result == ["changed 0", "changed 1", "changed 2"]
    engine.verify()


def test_each_branch_has_an_answer_of_its_own(engine: TestEngine) -> None:
    run = engine.start(branches)
    engine.advance(70)
    engine.deploy([changed_branches])
    engine.advance(200)
    assert run.result == ["after 60, changed", "after 120, changed", "after 180, changed"]
    # What the first branch had done is done; it came by the second change only now.
    assert marks(engine, run)["branch#1"] == (
        "said@branch#1/0",
        *("more@branch#1/1", "said@branch#1/1"),
        *("more@branch#1/2", "said@branch#1/2"),
    )
    assert "branch#1/0/note#2" not in records(engine, run)
    engine.verify()


def test_in_a_group_that_is_closed_nothing_is_new(engine: TestEngine) -> None:
    run = engine.start(branches)
    engine.advance(190)
    assert "branch#1" in records(engine, run)
    engine.deploy([changed_branches])
    engine.advance(60)
    assert run.result == ["after 60", "after 120", "after 180"]


def test_whatever_is_asked_for_after_a_change_is_marked(engine: TestEngine) -> None:
    run = engine.start(everything)
    engine.advance(3700)
    engine.send_event(run.id, "word")
    engine.advance(100)
    engine.cancel(run.id)
    engine.run_until_idle()
    kept = records(engine, run)
    assert {record.kind.value for record in kept.values()} == {
        *("step", "sleep", "join", "wait", "start", "child", "send", "callback")
    }
    assert {record.patches for record in kept.values()} == {("all@",)}, kept
    exported = {each["key"]: each["patches"] for each in run.export()["operations"]}
    assert set(map(tuple, exported.values())) == {("all@",)}


def test_a_change_is_named_like_an_operation(engine: TestEngine) -> None:
    @workflow(name="order")
    async def odd(ctx: Context) -> bool:
        return ctx.patched("a/b")

    engine.deploy([odd])
    run = engine.start(odd)
    engine.run_until_idle()
    assert run.error is not None
    assert run.error.type == DefinitionError.__name__
    assert "the id of a change 'a/b' may not contain '/'" in run.error.message


def test_answers_stay_the_same_whatever_goes_wrong() -> None:
    report = crash_matrix(changed_branches, seeds=10)
    assert report.outcome.result == [f"after {seconds}, changed" for seconds in (60, 120, 180)]


def test_runs_in_flight_go_on_whatever_goes_wrong_after_the_deployment() -> None:
    def deploys(engine: TestEngine, run: TestRun[Any]) -> None:
        while "sleep#1" not in [entry.key for entry in run.history if entry.wake_at]:
            engine.advance(1)
        engine.deploy([taxed])

    report = crash_matrix(order, script=deploys)
    assert report.outcome.result == ["charge", "ship"]
