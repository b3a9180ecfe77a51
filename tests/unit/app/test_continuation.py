"""A run that is continued as new: its successor, and what goes over to it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from everstep import ChildRunFailed, Context, RunCancelled, step, workflow
from everstep.app.cancel import cancel
from everstep.app.engine import Limits
from everstep.core.circumstances import Reference
from everstep.core.errors import CallbackGoneError, IllegalStateError
from everstep.core.model import OpKind, RunStatus
from everstep.testing import TestEngine, crash_matrix

if TYPE_CHECKING:
    from everstep.core.model import Head
    from everstep.testing import TestRun

DAY = timedelta(days=1)


@step
def look(number: int) -> int:
    return number * 10


@workflow(timeout=DAY, retention=DAY)
async def counts(ctx: Context, number: int) -> int:
    seen = await ctx.step(look, number)
    if number < 3:
        await ctx.sleep(60)
        await ctx.continue_as_new(number + 1)
    return seen


@workflow(name="grows", version="1")
async def small(ctx: Context, number: int) -> str:
    await ctx.sleep(60)
    await ctx.continue_as_new(number)
    return "never"


@workflow(name="grows", version="2")
async def grown(_ctx: Context, number: int) -> str:
    return f"{number} of version 2"


@workflow(name="grows", version="3")
async def strict(_ctx: Context, names: list[str]) -> str:
    return ", ".join(names)


@workflow
async def listens(ctx: Context, rounds: int) -> Any:  # noqa: ANN401 - JSON
    """Take no word before the last round."""
    if rounds:
        await ctx.sleep(60)
        await ctx.continue_as_new(rounds - 1)
    return [await ctx.wait_for_event("word"), await ctx.wait_for_event("word")]


@workflow
async def parent(ctx: Context) -> Any:  # noqa: ANN401 - JSON
    child = await ctx.start(listens, 2)
    await child.send_event("word", 1)
    await ctx.sleep(90)
    await child.send_event("word", 2)
    return await child.result()


@workflow
async def abandons(ctx: Context) -> str:
    child = await ctx.start(listens, 2)
    await ctx.sleep(150)
    await child.cancel()
    try:
        await child.result()
    except ChildRunFailed as failed:
        return failed.status
    return "none"


@workflow
async def calls_back(ctx: Context, token: str | None) -> str | None:
    if token is None:
        callback = ctx.callback(str)
        await ctx.race(ctx.sleep(60), callback)
        await ctx.continue_as_new(callback.token)
    return token


@workflow
async def hands_over_beside(ctx: Context, number: int) -> int:
    async def branch(ctx: Context) -> None:
        if number < 2:
            await ctx.continue_as_new(number + 1)

    await ctx.gather(ctx.call(counts, 3), branch(ctx))
    return number


@workflow
async def large(ctx: Context, size: int) -> int:
    if size == 1:
        await ctx.continue_as_new(10**size)
        await ctx.continue_as_new(0)
    return size


@workflow
async def too_large(ctx: Context, text: str) -> str:
    await ctx.sleep(1)
    await ctx.continue_as_new(text * 1000)
    return text


@workflow
async def without_input(ctx: Context) -> None:
    await ctx.wait_for_event("go")
    await ctx.continue_as_new()


ALL = (
    *(counts, small, listens, parent, abandons, calls_back, hands_over_beside),
    *(large, too_large, without_input),
)


@pytest.fixture
def engine() -> TestEngine:
    return TestEngine(ALL, limits=Limits(payload=1000))


def head_of(engine: TestEngine, run_id: str) -> Head:
    head = engine.ports.runs.head(run_id)
    assert head is not None
    return head


def chain(run: TestRun[Any]) -> list[TestRun[Any]]:
    found = [run]
    while (successor := found[-1].successor) is not None:
        found.append(successor)
    return found


def test_a_successor_goes_on_with_a_fresh_history_and_everything_that_was_asked_of_the_run(
    engine: TestEngine,
) -> None:
    run = engine.start(counts, 1, reference_id="poll", tags={"city": "Bonn"})
    engine.run_to_rest()

    first, second, last = chain(run)
    assert [each.status for each in chain(run)] == ["CONTINUED", "CONTINUED", "COMPLETED"]
    assert (first.result, last.result) == (None, 30)
    assert [entry.key for entry in second.history] == ["look#1", "sleep#1"]
    old, new = head_of(engine, first.id), head_of(engine, second.id)
    assert (new.reference_id, new.tags, new.retention) == ("poll", {"city": "Bonn"}, 86_400_000)
    assert new.created_at == old.created_at + 60_000 == old.ended_at
    assert (old.deadline, new.deadline) == (
        old.created_at + 86_400_000,
        new.created_at + 86_400_000,
    )
    assert new.secret not in ("", old.secret)
    held = engine.ports.runs.reference("counts", "poll")
    assert held is not None
    assert held.run_id == last.id
    engine.verify()


def test_a_run_without_a_time_out_has_a_successor_without_one(engine: TestEngine) -> None:
    run = engine.start(listens, 1)
    engine.advance(60)
    assert head_of(engine, chain(run)[-1].id).deadline is None


@pytest.mark.parametrize("holder", ["another", None])
def test_a_reference_id_that_the_run_does_not_have_is_not_taken_from_anybody(
    engine: TestEngine, monkeypatch: pytest.MonkeyPatch, holder: str | None
) -> None:
    run = engine.start(counts, 2, reference_id="poll")
    other = Reference(workflow="counts", reference_id="poll", run_id=holder or "")
    engine.run_until_idle()
    found = other if holder else None
    monkeypatch.setattr(type(engine.ports.runs), "reference", lambda *_: found)
    engine.advance(60)
    monkeypatch.undo()
    assert chain(run)[-1].result == 30
    held = engine.ports.runs.reference("counts", "poll")
    assert held is not None
    assert held.run_id == run.id


def test_a_successor_is_of_the_highest_version_that_is_deployed(engine: TestEngine) -> None:
    run = engine.start(small, 7)
    engine.run_until_idle()
    engine.deploy([small, grown])
    engine.advance(60)
    last = chain(run)[-1]
    assert (last.status, last.result) == ("COMPLETED", "7 of version 2")


def test_a_version_that_cannot_read_the_input_stalls_the_run_until_one_is_there_that_can(
    engine: TestEngine,
) -> None:
    run = engine.start(small, 7)
    engine.run_until_idle()
    engine.deploy([small, strict])
    engine.advance(60)
    assert run.status == "STALLED"
    assert run.error is not None
    assert run.error.message.startswith("the input of grows version 3, to continue the run with: ")
    engine.deploy([small, grown])
    engine.resume(run.id)
    engine.run_until_idle()
    assert chain(run)[-1].result == "7 of version 2"


def test_an_input_over_the_limit_stalls_the_run(engine: TestEngine) -> None:
    run = engine.start(too_large, "x")
    engine.advance(1)
    assert (run.status, run.error and run.error.type) == ("STALLED", "PayloadTooLargeError")


def test_an_input_that_does_not_fit_the_annotation_is_refused_at_once(engine: TestEngine) -> None:
    @workflow(name="counts")
    async def wrong(ctx: Context, number: int) -> str:
        await ctx.continue_as_new("one")
        return str(number)

    engine.deploy([wrong])
    run = engine.start(wrong, 1)
    engine.run_until_idle()
    assert (run.status, run.error and run.error.type) == ("FAILED", "SerializationError")


def test_a_workflow_without_input_is_continued_without_one(engine: TestEngine) -> None:
    run = engine.start(without_input)
    engine.send_event(run.id, "go")
    engine.run_until_idle()
    assert [each.status for each in chain(run)] == ["CONTINUED", "WAITING"]


# --- Parents, cancellation, callbacks


def test_a_parent_hears_what_the_last_run_has_come_to(engine: TestEngine) -> None:
    run = engine.start(parent)
    engine.run_to_rest()
    assert (run.status, run.result) == ("COMPLETED", [1, 2])
    engine.verify()


def test_a_parent_cancels_whichever_run_goes_on_in_place_of_its_child(engine: TestEngine) -> None:
    run = engine.start(abandons)
    engine.run_to_rest()
    assert run.result == "CANCELLED"


def test_who_cancels_a_continued_run_is_told_which_one_goes_on(engine: TestEngine) -> None:
    run = engine.start(listens, 1)
    engine.advance(60)
    last = chain(run)[-1]
    with pytest.raises(IllegalStateError) as refused:
        cancel(engine.ports, run.id)
    assert str(refused.value) == (f"run {run.id} is CONTINUED: run {last.id} goes on in its place")
    engine.cancel(last.id)
    engine.run_until_idle()
    assert last.status == "CANCELLED"


def test_a_run_that_is_to_end_is_told_so_instead_of_being_continued(engine: TestEngine) -> None:
    @workflow(name="counts")
    async def clings(ctx: Context, number: int) -> str:
        told = 0
        for _ in range(2):
            try:
                await ctx.sleep(60)
                await ctx.continue_as_new(number)
            except RunCancelled:
                told += 1
        await ctx.continue_as_new(number)
        return str(told)

    engine.deploy([clings])
    run = engine.start(clings, 1)
    engine.run_until_idle()
    engine.cancel(run.id)
    engine.advance(120)
    assert (run.status, run.successor) == ("CANCELLED", None)
    continued = [entry for entry in run.history if entry.kind is OpKind.CONTINUE]
    assert [(entry.key, entry.status) for entry in continued] == [
        ("continue_as_new#1", "CANCELLED"),
        ("continue_as_new#2", "CANCELLED"),
    ]
    engine.verify()


def test_a_token_of_a_continued_run_is_good_for_nothing_any_more(engine: TestEngine) -> None:
    run = engine.start(calls_back, None)
    engine.advance(60)
    token = chain(run)[-1].result
    assert isinstance(token, str)
    with pytest.raises(CallbackGoneError, match="is CONTINUED"):
        engine.complete_callback(token, "late")


def test_nothing_else_begins_beside_the_branch_that_hands_over(engine: TestEngine) -> None:
    run = engine.start(hands_over_beside, 1)
    engine.run_to_rest()
    first, last = chain(run)
    assert (first.history, last.result) == ([], 2)


# --- Crashes


def test_one_outcome_whatever_goes_wrong_wherever() -> None:
    def talks(engine: TestEngine, run: TestRun[Any]) -> None:
        engine.advance(59)
        engine.send_event(run.id, "word", 1)
        engine.advance(1)
        engine.send_event(run.id, "word", 2)

    report = crash_matrix(listens, 1, script=talks, seeds=20)
    assert report.outcome.status == RunStatus.COMPLETED
    assert report.outcome.result == [1, 2]
    assert list(report.outcome.operations) == ["sleep#1", "→ word#1", "→ word#2"]
